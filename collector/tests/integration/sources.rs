//! Servers that answer well.

use std::collections::BTreeMap;
use std::io::Write;

use collector::config::{Authorization, BasicAuth, FederateConfig};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::recorder::Written;
use crate::support::server::{Reply, Server, TEXT, answer_with, text};
use crate::support::{Bench, federating, quick};

/// The rows that are not of the report, as text.
fn own(written: &Written) -> Vec<String> {
    written.iter().filter(|row| !row.is_report()).map(|row| row.text()).collect()
}

/// The value of a row of the report.
fn report(written: &Written, name: &str) -> f64 {
    let rows: Vec<f64> =
        written.iter().filter(|row| row.is_report() && row.name == name).map(|row| row.value).collect();
    assert_eq!(rows.len(), 1, "{name} in {written:?}");
    rows[0]
}

fn report_time(written: &Written) -> i64 {
    written.iter().find(|row| row.is_report()).unwrap().time_ms
}

#[tokio::test]
async fn rows_arrive_with_their_times_the_cluster_and_a_report() {
    let body =
        "# TYPE a untyped\na{cluster=\"inner\",job=\"x\"} 1.5 1700000000000\nb{cluster=\"east\"} NaN 1700000000001\n";
    let server = Server::replying([text(body)]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    let first = bench.recorder.write_number(0).await;

    assert_eq!(own(&first), ["a{exported_cluster=inner,job=x} 1.5 1700000000000", "b{} NaN 1700000000001"],);
    assert!(first.iter().all(|row| row.cluster == "east"), "{first:?}");
    let labels = format!("instance={},job=federate", server.address);
    assert_eq!(first.iter().filter(|row| row.labels == labels).count(), 5);
    assert_eq!(report(&first, "up"), 1.0);
    assert_eq!(report(&first, "scrape_samples_scraped"), 2.0);
    assert_eq!(report(&first, "scrape_samples_post_metric_relabeling"), 2.0);
    assert_eq!(report(&first, "scrape_series_added"), 2.0);
    assert!(report(&first, "scrape_duration_seconds") > 0.0);

    let second = bench.recorder.write_number(1).await;
    assert_eq!(own(&second), [""; 0]);
    assert_eq!(report(&second, "scrape_series_added"), 0.0);
    assert_eq!(report(&second, "scrape_samples_scraped"), 2.0);

    bench.recorder.write_number(2).await;
    let status = bench.status();
    assert_eq!((status.cluster.as_str(), status.kind, status.job.as_str()), ("east", "federate", "federate"));
    assert_eq!((status.instance, status.interval_ms), (server.address.to_string(), Some(500)));
    assert_eq!((status.error, status.samples), (None, 2));
    assert!(status.last_success_ms >= Some(report_time(&first)) && status.last_success_ms == status.last_attempt_ms);
    assert!(
        bench.counter("fleetscope_federate_scrapes_total{cluster=\"east\",job=\"federate\",result=\"success\"}") > 1
    );
    assert!(bench.counter("fleetscope_federate_repeated_samples_total") >= 2);
}

#[tokio::test]
async fn instants_are_an_interval_apart() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    let mut times = Vec::new();
    for number in 0..5 {
        times.push(report_time(&bench.recorder.write_number(number).await));
    }
    // A busy machine may start late; but lateness does not add up, or the starts would spread over the interval.
    let lateness = |time: i64| (time - times[0] + 250).rem_euclid(500);
    let (least, most) = (times.iter().map(|t| lateness(*t)).min(), times.iter().map(|t| lateness(*t)).max());
    assert!(most.unwrap() - least.unwrap() < 250, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 250), "{times:?}");
}

#[tokio::test]
async fn the_request_says_what_is_wanted() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let config = FederateConfig {
        matchers: vec!["up".into(), r#"{job=~"a|b"}"#.into()],
        params: BTreeMap::from([("dedup".into(), vec!["1".into()])]),
        headers: BTreeMap::from([("X-Scope-OrgID".into(), "team".into())]),
        metrics_path: Some("/x/federate".into()),
        ..quick(&server.url())
    };
    let bench = Bench::start(&federating([config]));
    bench.recorder.write_number(0).await;
    let head = server.requests()[0].to_ascii_lowercase();
    let path = "get /x/federate?match%5b%5d=up&match%5b%5d=%7bjob%3d%7e%22a%7cb%22%7d&dedup=1 http/1.1\r\n";
    assert!(head.starts_with(path), "{head}");
    for line in [
        "x-scope-orgid: team",
        "accept-encoding: gzip",
        "accept: text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5",
        "x-prometheus-scrape-timeout-seconds: 0.5",
        "user-agent: fleetscope/",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn credentials_come_from_their_file_at_each_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let server = Server::replying([text("a 1 7\n")]).await;
    let authorization = Authorization { scheme: "Bearer".into(), credentials_file: file.clone() };
    let username_file = folder.path().join("username");
    std::fs::write(&username_file, "user\n").unwrap();
    let username_file = Some(username_file);
    let basic_auth = BasicAuth { username: String::new(), username_file, password_file: file.clone() };
    let bearer = FederateConfig { authorization: Some(authorization), ..quick(&server.url()) };
    let basic = FederateConfig { basic_auth: Some(basic_auth), job_name: "basic".into(), ..quick(&server.url()) };
    let bench = Bench::start(&federating([bearer, basic]));

    let seen = |line: &str| server.requests().iter().any(|head| head.to_ascii_lowercase().contains(line));
    let mut writes = 0;
    while !(seen("authorization: bearer first\r\n") && seen("authorization: basic dxnlcjpmaxjzda==\r\n")) {
        bench.recorder.write_number(writes).await;
        writes += 1;
    }
    std::fs::write(&file, "second").unwrap();
    while !seen("authorization: bearer second\r\n") {
        bench.recorder.write_number(writes).await;
        writes += 1;
    }
    std::fs::remove_file(&file).unwrap();
    bench
        .recorder
        .wait_for("an attempt without credential", |writes| {
            writes.last()?.iter().find(|row| row.name == "up" && row.value == 0.0).map(drop)
        })
        .await;
}

#[tokio::test]
async fn gzip_is_understood_and_series_that_are_gone_are_marked() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"a{x=\"1\"} 1 1700000000000\nb 2 1700000000000\n").unwrap();
    let first = Reply::Bytes(answer_with("200 OK", &[TEXT, "Content-Encoding: gzip"], &gzip.finish().unwrap()));
    let second = text("b 3 1700000001000\n");
    let third = text("b 3 1700000001000\na{x=\"1\"} 4 1700000002000\n");
    let server = Server::replying([first, second, third]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));

    let writes = [bench.recorder.write_number(0).await, bench.recorder.write_number(1).await];
    assert_eq!(own(&writes[0]), ["a{x=1} 1 1700000000000", "b{} 2 1700000000000"]);
    // The scripted server sends no date, so the marker is at the time of the attempt.
    let marker = format!("a{{x=1}} stale {}", report_time(&writes[1]));
    assert_eq!(own(&writes[1]), ["b{} 3 1700000001000".to_owned(), marker]);
    assert_eq!(own(&bench.recorder.write_number(2).await), ["a{x=1} 4 1700000002000"]);
    assert_eq!(own(&bench.recorder.write_number(3).await), [""; 0]);
    assert_eq!(bench.counter("fleetscope_federate_staleness_markers_total"), 1);
}

#[tokio::test]
async fn the_marker_of_a_source_whose_clock_is_behind_takes_the_sources_time() {
    // 1994-11-06T08:49:37Z
    let dated = |body: &str| {
        let headers = [TEXT, "Date: Sun, 06 Nov 1994 08:49:37 GMT"];
        Reply::Bytes(answer_with("200 OK", &headers, body.as_bytes()))
    };
    let server = Server::replying([dated("a 1 784111770000\nb 1 784111770000\n"), dated("b 1 784111770000\n")]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    assert_eq!(own(&bench.recorder.write_number(1).await), ["a{} stale 784111777999"]);
}

#[tokio::test]
async fn a_failed_attempt_marks_nothing_but_its_report() {
    let good = text("a 1 1700000000000\n");
    let bad = Reply::Bytes(answer_with("503 Service Unavailable", &[], b"\n  starting up \nmore\n"));
    let server = Server::replying([good.clone(), bad.clone(), bad, good]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    for number in [1, 2] {
        let failed = bench.recorder.write_number(number).await;
        assert_eq!((own(&failed), failed.len()), (Vec::new(), 5), "{failed:?}");
        assert_eq!(report(&failed, "up"), 0.0);
        assert_eq!(report(&failed, "scrape_samples_scraped"), 0.0);
    }
    let again = bench.recorder.write_number(3).await;
    assert_eq!((own(&again), report(&again, "up")), (Vec::new(), 1.0));
    let failures =
        bench.counter("fleetscope_federate_scrapes_total{cluster=\"east\",job=\"federate\",result=\"answer\"}");
    assert_eq!(failures, 2);
}

#[tokio::test]
async fn duplicates_in_one_answer_are_one_row() {
    let server = Server::replying([text("a 1 7\na 1 7\na 2 7\na 3 8\n")]).await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    let first = bench.recorder.write_number(0).await;
    assert_eq!(own(&first), ["a{} 1 7", "a{} 3 8"]);
    assert_eq!(report(&first, "scrape_samples_scraped"), 4.0);
}

#[tokio::test]
async fn redirects_on_the_same_host_are_followed() {
    let server = Server::start(|_, head| match head.split(' ').nth(1).unwrap() {
        path if path.starts_with("/federate?") => {
            Reply::Bytes(answer_with("302 Found", &["Location: /elsewhere"], b""))
        }
        _ => text("a 1 7\n"),
    })
    .await;
    let bench = Bench::start(&federating([quick(&server.url())]));
    assert_eq!(own(&bench.recorder.write_number(0).await), ["a{} 1 7"]);
}

#[tokio::test]
async fn a_large_answer_is_taken_whole() {
    let body: String = (0..20_000).map(|n| format!("a{{n=\"{n}\"}} {n} 1700000000000\n")).collect();
    let server = Server::replying([text(&body), text("a{n=\"7\"} 8 1700000000001\n")]).await;
    let config = FederateConfig { scrape_interval: std::time::Duration::from_secs(2), ..quick(&server.url()) };
    let bench = Bench::start(&federating([config]));
    assert_eq!(own(&bench.recorder.write_number(0).await).len(), 20_000);
    let second = bench.recorder.write_number(1).await;
    let markers = second.iter().filter(|row| row.is_marker()).count();
    assert_eq!((markers, own(&second).len()), (19_999, 20_000));
    let mut series: Vec<&String> = second.iter().filter(|row| row.name == "a").map(|row| &row.labels).collect();
    series.sort();
    series.dedup();
    assert_eq!(series.len(), 20_000);
}
