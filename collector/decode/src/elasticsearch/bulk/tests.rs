use model::ErrorKind;

use super::*;

/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: NOW, latest_unix_nano: NOW + 600_000_000_000 };

fn read(body: impl AsRef<[u8]>) -> Decoded {
    decode(body.as_ref(), "logs", ARRIVAL, &Limits::default()).unwrap()
}

/// The only document of a body as a row.
fn row(document: &str) -> Decoded {
    let decoded = read(format!("{{\"create\":{{}}}}\n{document}\n"));
    assert_eq!((decoded.items.len(), &decoded.items[0].error), (1, &None), "{document}");
    decoded
}

fn reason(item: &Item) -> (&'static str, &str) {
    let error = item.error.as_ref().unwrap();
    (error.kind, &error.reason)
}

#[test]
fn a_document_of_filebeat_is_a_row() {
    let decoded = row(r#"{"@timestamp":"2023-11-14T22:13:19.123Z","message":"a \"line\"\n","log":{"level":"Warning","offset":7,
        "file":{"path":"/x"}},"trace":{"id":"0123456789abcdef0123456789abcdef"},"span.id":"00000000000000FF","tags":["a", "b"],
        "kubernetes":{"namespace":"prod","pod":{"name":"shop-1"},"node":{"name":"n1"},"container":{"name":"shop"}},
        "orchestrator":{"cluster":{"name":"eu"}},"host":{"name":"h"},"service.name":"checkout","ecs":{"version":"8.0.0"},
        "empty":{},"nothing":null,"ok":true,"ratio":1.50}"#.replace('\n', " ").as_str());
    let logs = decoded.logs;
    let resource = logs.resources.get(logs.resource[0]).unwrap();
    let columns: Vec<&str> = resource.columns().into_iter().map(|column| &**column).collect();
    assert_eq!(columns, ["eu", "prod", "shop-1", "shop", "n1", "checkout"]);
    let attributes: Vec<_> = resource.attributes.iter().collect();
    assert_eq!(
        attributes,
        [
            ("elasticsearch.index", "logs"),
            ("host.name", "h"),
            ("kubernetes.container.name", "shop"),
            ("kubernetes.namespace", "prod"),
            ("kubernetes.node.name", "n1"),
            ("kubernetes.pod.name", "shop-1"),
            ("service.name", "checkout"),
        ]
    );
    let row = logs.row(0);
    assert_eq!((row.time_unix_nano, row.observed_time_unix_nano), (NOW - 877_000_000, NOW));
    assert_eq!((row.body, row.severity_text, row.severity_number), ("a \"line\"\n", "Warning", 13));
    assert_eq!((row.trace_id[7], row.span_id[7]), (0xef, 0xff));
    let attributes: Vec<_> = logs.attributes.row(0).collect();
    assert_eq!(
        attributes,
        [
            ("log.offset", "7"),
            ("log.file.path", "/x"),
            ("tags", r#"["a","b"]"#),
            ("ecs.version", "8.0.0"),
            ("ok", "true"),
            ("ratio", "1.50"),
        ]
    );
}

#[test]
fn the_line_and_the_severity_are_the_foremost_fields_there_are() {
    let shown = |document: &str| {
        let logs = row(document).logs;
        let attributes: Vec<_> = logs.attributes.row(0).map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}|{}|{}", logs.row(0).body, logs.row(0).severity_text, attributes.join(","))
    };
    assert_eq!(
        shown(r#"{"msg":"m","log":"l","message":"b","severity":"s","level":"l"}"#),
        "b|l|log=l,msg=m,severity=s"
    );
    assert_eq!(shown(r#"{"log":"l","msg":"m","log_level":"x","level":["y"]}"#), "l|x|level=[\"y\"],msg=m");
    assert_eq!(shown(r#"{"msg":5,"level":30}"#), "5|30|");
    assert_eq!(shown(r#"{"a":"b","trace_id":"no","span_id":null}"#), "||a=b,trace_id=no");
    assert_eq!(shown("{}"), "||");
    // Of two fields with one name the first counts.
    assert_eq!(shown(r#"{"message":"1","message":"2","a":{"b":"1"},"a.b":"2"}"#), "1||a.b=1");
}

#[test]
fn times_are_dates_or_milliseconds_or_that_of_arrival() {
    for (document, time) in [
        (r#"{"@timestamp":"2023-11-14T22:13:20+00:00"}"#, NOW),
        (r#"{"@timestamp":1699999999999}"#, NOW - 1_000_000),
        (r#"{"@timestamp":"1699999999999"}"#, NOW - 1_000_000),
        (r#"{"@timestamp":null}"#, NOW),
        ("{}", NOW),
    ] {
        assert_eq!(row(document).logs.row(0).time_unix_nano, time, "{document}");
    }
}

#[test]
fn items_tell_the_fate_of_each_action_in_order() {
    let body = concat!(
        r#"{"index":{"_index":"other","_id":"1"}}"#,
        "\n",
        r#"{"message":"one"}"#,
        "\n",
        "\n",
        r#"{"delete":{"_id":"2"}}"#,
        "\n",
        r#"{"update":{"_id":"3"}}"#,
        "\n",
        r#"{"doc":{}}"#,
        "\n",
        r#"{ "create" : {"_index":null,"routing":{"a":[]}} }"#,
        "\r\n",
        r#"{"message":"#,
        "\r\n",
        r#"{"create":{}}"#,
        "\n",
        r#"{"message":"two"}"#,
    );
    let decoded = read(body);
    let items: Vec<_> =
        decoded.items.iter().map(|item| (item.action.as_str(), &*item.index, &*item.id, item.status())).collect();
    assert_eq!(
        items,
        [
            ("index", "other", "1", 201),
            ("delete", "logs", "2", 400),
            ("update", "logs", "3", 400),
            ("create", "logs", "", 400),
            ("create", "logs", "", 201),
        ]
    );
    assert_eq!(reason(&decoded.items[1]).0, "illegal_argument_exception");
    assert!(reason(&decoded.items[2]).1.contains("nothing is updated"));
    let broken = ("document_parsing_exception", "line 8, column 13: expected a value, got the end");
    assert_eq!(reason(&decoded.items[3]), broken);
    assert_eq!((decoded.logs.len(), decoded.logs.row(1).body), (2, "two"));
    assert_eq!(decoded.refused.count(Reason::InvalidRow), 3);
}

#[test]
fn one_wrong_document_costs_none_of_the_others() {
    let mut body = String::new();
    for index in 0..10_000 {
        let message = if index == 5000 { "\u{1}\\x" } else { "line" };
        body += &format!("{{\"create\":{{}}}}\n{{\"message\":\"{message}\",\"n\":{index}}}\n");
    }
    let decoded = read(body);
    assert_eq!((decoded.items.len(), decoded.logs.len()), (10_000, 9_999));
    assert!(reason(&decoded.items[5000]).1.starts_with("line 10002, column 14: "), "{:?}", decoded.items[5000]);
    assert_eq!(decoded.items.iter().filter(|item| item.status() == 400).count(), 1);
}

#[test]
fn hostile_documents_are_refused_by_item() {
    let limits = Limits { max_line_bytes: 10, max_attribute_bytes: 5, ..Limits::default() };
    let names: Vec<_> = (0..1_000_000).map(|n| format!(r#""k{n}":1"#)).collect();
    let names = names.join(",");
    for (document, part) in [
        ("[1]".to_owned(), "expected an object"),
        ("{} {}".to_owned(), "expected nothing more"),
        (String::new(), "expected an object, got the end"),
        (format!("{{{names}}}"), "more than 128 attributes"),
        (format!("{{\"kubernetes\":{{{names}}}}}"), "the resource of a document has more than 128 attributes"),
        (format!("{{\"a\":{}", "[".repeat(100_000)), "nested more than 64 deep"),
        ("{\"a\":".repeat(100_000), "nested more than 64 deep"),
        ("{\"host\":".repeat(100_000), "nested more than 64 deep"),
        ("{\"message\":\"12345678901\"}".to_owned(), "a line has 11 bytes, the limit is 10 (line_size_limit)"),
        ("{\"a\":\"123456\"}".to_owned(), "the value of the attribute \"a\" has 6 bytes"),
        ("{\"host\":{\"a\":\"123456\"}}".to_owned(), "the value of the attribute \"host.a\" has 6 bytes"),
        ("{\"level\":\"123456\"}".to_owned(), "the value of the attribute \"log.level\" has 6 bytes"),
        ("{\"\":1}".to_owned(), "has no name"),
        ("{\"@timestamp\":\"today\"}".to_owned(), "expected a date of RFC 3339"),
        ("{\"@timestamp\":\"9999-01-01\"}".to_owned(), "within the years 1678 to 2261"),
        ("{\"@timestamp\":\"2030-01-01\"}".to_owned(), "too far in the future"),
    ] {
        let good = "{\"index\":{}}\n{\"message\":\"good\"}\n";
        let body = format!("{good}{{\"index\":{{}}}}\n{document}\n{good}");
        let decoded = decode(body.as_bytes(), "", ARRIVAL, &limits).unwrap();
        assert_eq!((decoded.items.len(), decoded.logs.len(), decoded.logs.attributes.rows()), (3, 2, 2), "{part}");
        let reason = reason(&decoded.items[1]).1;
        assert!(reason.starts_with("line 4") && reason.contains(part) && reason.len() < 300, "{reason}");
        assert!(decoded.logs.attributes.is_empty() && decoded.refused.messages().count() == 1);
    }
}

#[test]
fn many_bad_items_share_what_they_are_told_and_the_first_of_each_reason_have_their_own() {
    const EACH: usize = 20_000;
    let limits = Limits { max_line_bytes: 10, ..Limits::default() };
    let bad = ["{\"index\":{}}\n[]\n", "{\"index\":{}}\n{\"message\":\"12345678901\"}\n", "{\"delete\":{}}\n"];
    // First the whole of one reason, so that the others have none of the first items.
    let body: String = bad.iter().map(|item| item.repeat(EACH)).collect();
    let decoded = decode(body.as_bytes(), "", ARRIVAL, &limits).unwrap();
    let errors: Vec<_> = decoded.items.iter().map(|item| item.error.clone().unwrap()).collect();
    let distinct: std::collections::HashSet<_> = errors.iter().map(Arc::as_ptr).collect();
    assert_eq!((errors.len(), distinct.len()), (3 * EACH, 2 * TOLD_ITEMS + 3));
    let at = |place: usize| reason(&decoded.items[place]);
    assert!(at(TOLD_ITEMS - 1).1.starts_with("line 2000, column 1: expected an object"), "{:?}", at(TOLD_ITEMS - 1));
    assert_eq!(at(TOLD_ITEMS).1, "no document of a log, as items before it, which say why");
    assert!(at(EACH + TOLD_ITEMS - 1).1.contains("(line_size_limit)"));
    let alike = ("illegal_argument_exception", "over a limit, as items before it, which name the limit");
    assert_eq!((at(EACH + TOLD_ITEMS), at(2 * EACH - 1)), (alike, alike));
    assert!(at(2 * EACH).1.contains("nothing is deleted"));
    let counts = [Reason::InvalidRow, Reason::RowLimit].map(|reason| decoded.refused.count(reason));
    assert_eq!(counts, [2 * EACH as u64, EACH as u64], "all are counted");
}

#[test]
fn what_is_no_text_is_marked_and_control_characters_stay() {
    let decoded = read(b"{\"create\":{}}\n{\"message\":\"a\xffb\0\x1b[31m\\u0000\"}\n");
    assert_eq!(decoded.logs.row(0).body, "a\u{fffd}b\0\x1b[31m\0");
}

#[test]
fn an_action_that_is_none_refuses_the_whole() {
    for (body, message) in [
        (
            "{\"create\":{}}\n{}\n{\"message\":\"x\"}\n",
            "line 3, column 2: expected an action (create, index, update, delete), got \"message\"",
        ),
        ("{}\n{}\n", "line 1, column 2: expected an action, got an empty object"),
        ("\n[]\n", "line 2, column 1: expected an object, got '['"),
        ("{\"create\":1}\n{}\n", "line 1, column 11: expected an object, got '1'"),
        ("{\"create\":{\"_index\":1}}\n{}\n", "line 1, column 21: expected a text as \"_index\", got '1'"),
        ("{\"create\":{},\"index\":{}}\n{}\n", "line 1, column 22: a line has more than one action"),
        ("{\"create\":{}}x\n{}\n", "line 1, column 14: expected nothing more, got 'x'"),
    ] {
        let error = decode(body.as_bytes(), "", ARRIVAL, &Limits::default()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Invalid, message));
    }
}

#[test]
fn every_truncation_is_survived_and_told() {
    let body = "{\"create\":{\"_index\":\"a\"}}\n{\"message\":\"x\",\"host\":{\"name\":\"y\"}}\n{\"index\":{}}\n{\"message\":\"z\"}";
    let mut fates = Vec::new();
    for end in 0..=body.len() {
        fates.push(match decode(&body.as_bytes()[..end], "", ARRIVAL, &Limits::default()) {
            Ok(decoded) => (decoded.logs.len(), decoded.items.len()),
            Err(error) => {
                assert!(error.position().is_some());
                (0, 0)
            }
        });
    }
    let (first, second) = (body.find('\n').unwrap(), body.len());
    assert!(fates[1..first].iter().all(|fate| *fate == (0, 0)) && fates[first] == (0, 1));
    assert_eq!((fates[second - 1], fates[second]), ((1, 2), (2, 2)));
}

#[test]
fn documents_with_one_resource_share_it_however_it_comes() {
    let mut body = String::new();
    for index in 0..2_000 {
        let pod = index % 40;
        body += &format!(
            "{{\"create\":{{}}}}\n{{\"kubernetes\":{{\"pod_name\":\"p{pod}\"}},\"n\":{index},\"host\":\"h\"}}\n"
        );
    }
    // The same fields, written otherwise.
    body += "{\"create\":{\"_index\":\"logs\"}}\n{\"kubernetes\": {\"pod_name\":\"p7\"},\"host\":\"h\"}\n";
    let logs = read(body).logs;
    assert_eq!((logs.len(), logs.resources.len()), (2_001, 40));
    for row in 0..2_000 {
        assert_eq!(&*logs.resources.get(logs.resource[row]).unwrap().pod, format!("p{}", row % 40));
    }
    assert_eq!(logs.resource[2_000], logs.resource[7]);
}

#[test]
fn limits_of_the_whole_are_held() {
    let item = "{\"create\":{}}\n{\"host\":\"H\"}\n";
    let body = item.repeat(3);
    for limits in
        [Limits { max_rows: 2, ..Limits::default() }, Limits { max_decoded_bytes: body.len() - 1, ..Limits::default() }]
    {
        let error = decode(body.as_bytes(), "", ARRIVAL, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
    let many: String = (0..20).map(|host| item.replace('H', &host.to_string())).collect();
    let decoded = decode(many.as_bytes(), "", ARRIVAL, &Limits { max_rows: 80, ..Limits::default() }).unwrap();
    assert_eq!((decoded.logs.len(), decoded.refused.count(Reason::RowLimit)), (11, 9));
    assert!(reason(&decoded.items[19]).1.contains("more than 11 resources"));
}
