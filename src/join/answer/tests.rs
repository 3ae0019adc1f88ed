use super::*;

fn answered(status: StatusCode, body: &str) -> Answer {
    Answer::new(status, "application/json", body.as_bytes().to_vec())
}

fn ok(data: &str) -> Answer {
    answered(StatusCode::OK, &format!(r#"{{"status":"success","data":{data}}}"#))
}

#[test]
fn figures_are_read_and_everything_else_is_passed_over() {
    let info: BuildInfo = data(&ok(r#"{"version":"2.42.0","revision":"x","features":{"a":[1]}}"#)).unwrap();
    assert_eq!(info.version, "2.42.0");
    let status: TsdbStatus =
        data(&ok(r#"{"headStats":{"numSeries":7,"minTime":9223372036854775807},"x":[]}"#)).unwrap();
    assert_eq!(status.head.series, 7);
    let cases = [
        (r#"{"resultType":"scalar","result":[1.5,"2.5"]}"#, Some(2.5)),
        (r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"3"]}]}"#, Some(3.0)),
        (r#"{"resultType":"vector","result":[]}"#, None),
        (r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}"#, None),
        (r#"{"result":[1,"+Inf"],"resultType":"scalar"}"#, None),
    ];
    for (text, expected) in cases {
        assert_eq!(number(&ok(text)).unwrap(), expected, "{text}");
    }
}

#[test]
fn odd_answers_are_refused_in_one_short_line() {
    let long = format!(r#"{{"resultType":"{}","result":[]}}"#, "x".repeat(100_000));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (answered(StatusCode::OK, ""), "not that of a Prometheus"),
        (answered(StatusCode::OK, "<html>\n<body>Welcome\x1b[2J"), "not that of a Prometheus"),
        (answered(StatusCode::OK, "\u{0}\u{1}\u{2}"), "not that of a Prometheus"),
        (answered(StatusCode::OK, "{}"), "not that of a Prometheus"),
        (answered(StatusCode::OK, r#"{"status":"success"}"#), "not that of a Prometheus"),
        (
            answered(StatusCode::OK, r#"{"status":"maybe","data":{"resultType":"scalar","result":[1,"1"]}}"#),
            "not that of",
        ),
        (answered(StatusCode::OK, &deep), "not that of a Prometheus"),
        (ok(&long), "not that of a Prometheus"),
        (ok(r#"{"resultType":"matrix","result":[]}"#), "not that of a Prometheus"),
        (ok(r#"{"resultType":"scalar","result":[1,"a\nb"]}"#), "no number"),
        (ok(r#"{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}"#), "2 numbers"),
        (answered(StatusCode::UNAUTHORIZED, "Unauthorized\n"), "it answered 401 Unauthorized: Unauthorized"),
        (answered(StatusCode::BAD_GATEWAY, "<html>"), "it answered 502 Bad Gateway"),
        (
            answered(StatusCode::BAD_REQUEST, r#"{"status":"error","error":"no\u001b such"}"#),
            "400 Bad Request: no\u{fffd} such",
        ),
    ];
    for (answer, expected) in cases {
        let message = number(&answer).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.chars().count() < 600 && !message.chars().any(char::is_control), "{message:?}");
    }
}

#[test]
fn of_a_configuration_the_labels_and_the_intervals_count() {
    let read = config(
        "global:\n  scrape_interval: 30s\n  external_labels:\n    cluster: berlin\n    empty: \"\"\n    \"n\": \"1\"\n    bare: 7\nrule_files:\n- /a\n\
         scrape_configs:\n- job_name: a\n  scrape_interval: 5s\n  relabel_configs:\n  - {regex: (.+), replacement: $1}\n- job_name: b\n",
    )
    .unwrap();
    let labels: Vec<_> = read.external_labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["bare=7", "cluster=berlin", "n=1"]);
    assert_eq!((read.interval.as_secs(), read.shortest_interval), (30, Some(Duration::from_secs(5))));
    for nothing in
        ["{}", "global:\nscrape_configs:\n", "global: {}\nscrape_configs: [{job_name: a, scrape_interval: 2m}]"]
    {
        let read = config(nothing).unwrap();
        assert_eq!((read.interval, read.shortest_interval, read.external_labels.len()), (DEFAULT_INTERVAL, None, 0));
    }
}

#[test]
fn a_configuration_that_is_none_is_refused() {
    let bomb = (0..30).fold("a0: &a0 [x,x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [*a{n},*a{n},*a{n},*a{n}]\n", n + 1, n + 1)
    });
    let deep = "[".repeat(100_000);
    let cases = [
        "just words",
        "- a",
        "global: [",
        "global: {scrape_interval: soon}",
        "global: {scrape_interval: 1ms}",
        "\0",
        &bomb,
        &deep,
    ];
    for text in cases {
        let error = config(text).unwrap_err().to_string();
        assert!(error.chars().count() < 400 && !error.contains('\n'), "{error:?}");
    }
}
