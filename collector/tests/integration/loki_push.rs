//! Shippers that push to a Loki: what is taken, what is refused, and what they are told.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use collector::config::{Bytes, LimitsConfig, PushConfig, ReceiverConfig};
use collector::{Config, Token};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::{Error, ErrorKind};
use reqwest::RequestBuilder;

use crate::remote_write::{Served, answer};
use crate::support::recorder::{LogRow, Recorder};
use crate::support::sender::{compressed, field, varint};

const NOW: i64 = 1_700_000_000_000_000_000;
const TOKEN: &str = "the-token-of-berlin";

/// Time, line and structured metadata.
type Entry<'a> = (i64, &'a str, &'a [(&'a str, &'a str)]);
/// One stream: labels, then entries.
type Stream<'a> = (&'a str, &'a [Entry<'a>]);

/// A push request, not compressed.
fn message(streams: &[Stream<'_>]) -> Vec<u8> {
    let mut request = Vec::new();
    for (labels, entries) in streams {
        let mut stream = Vec::new();
        field(&mut stream, 1, labels.as_bytes());
        for (time, line, metadata) in *entries {
            let (mut entry, mut timestamp) = (Vec::new(), vec![1 << 3]);
            varint(&mut timestamp, time.div_euclid(1_000_000_000) as u64);
            timestamp.push(2 << 3);
            varint(&mut timestamp, time.rem_euclid(1_000_000_000) as u64);
            field(&mut entry, 1, &timestamp);
            field(&mut entry, 2, line.as_bytes());
            for (name, value) in *metadata {
                let mut pair = Vec::new();
                field(&mut pair, 1, name.as_bytes());
                field(&mut pair, 2, value.as_bytes());
                field(&mut entry, 3, &pair);
            }
            field(&mut stream, 2, &entry);
        }
        field(&mut request, 1, &stream);
    }
    request
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn start(log_push: ReceiverConfig) -> Served {
    serve(&Config { log_push, ..Config::default() }).await
}

async fn serve(config: &Config) -> Served {
    Served::start_whole(config, Arc::new(Recorder::default())).await
}

fn request(served: &Served, body: Vec<u8>) -> RequestBuilder {
    reqwest::Client::new().post(format!("http://{}/loki/api/v1/push", served.address)).body(body)
}

fn protobuf(served: &Served, body: Vec<u8>) -> RequestBuilder {
    request(served, body).header("content-type", "application/x-protobuf")
}

fn json(served: &Served, body: impl Into<Vec<u8>>) -> RequestBuilder {
    request(served, body.into()).header("content-type", "application/json")
}

async fn send(request: RequestBuilder) -> (u16, String) {
    answer(request.send().await.unwrap()).await
}

fn small() -> Vec<u8> {
    compressed(&message(&[(r#"{app="shop"}"#, &[(NOW, "a line", &[])])]))
}

fn bodies(served: &Served) -> Vec<String> {
    served.bench.recorder.log_rows().into_iter().map(|row| row.body).collect()
}

fn counter(served: &Served, series: &str) -> u64 {
    served.bench.counter(&format!("fleetscope_log_push_{series}"))
}

#[tokio::test]
async fn rows_are_acknowledged_once_they_are_written() {
    let served = start(ReceiverConfig::default()).await;
    let sent = compressed(&message(&[
        (r#"{app="shop", cluster="eu"}"#, &[(NOW, "level=warn a", &[("user", "ann")]), (NOW + 1, "b", &[])]),
        (r#"{job="x"}"#, &[(NOW - 1, "c", &[])]),
    ]));
    assert_eq!(send(protobuf(&served, sent.clone())).await, (204, String::new()));
    let rows = served.bench.recorder.log_rows();
    let expected = LogRow {
        cluster: "eu".into(),
        service: "shop".into(),
        resource: "app=shop,service_name=shop".into(),
        time_unix_nano: NOW,
        body: "level=warn a".into(),
        attributes: "user=ann,detected_level=warn".into(),
    };
    assert_eq!((rows.len(), &rows[0]), (3, &expected));

    let status = served.bench.status();
    assert_eq!((status.kind, status.instance.as_str(), status.cluster.as_str()), ("loki", "127.0.0.1", ""));
    assert_eq!((status.samples, status.error), (3, None));
    assert!(status.last_success_ms.is_some() && status.last_success_ms == status.last_attempt_ms);
    assert_eq!(counter(&served, "requests_total{protocol=\"loki\",code=\"204\"}"), 1);
    assert_eq!(counter(&served, "rows_total{protocol=\"loki\"}"), 3);
    assert_eq!(counter(&served, "refused_rows_total{protocol=\"loki\"}"), 0);
    assert_eq!(counter(&served, "body_bytes_total{protocol=\"loki\"}"), sent.len() as u64);
}

#[tokio::test]
async fn each_form_is_taken_as_loki_takes_it() {
    let served = start(ReceiverConfig::default()).await;
    let text = format!(r#"{{"streams":[{{"stream":{{"app":"shop"}},"values":[["{NOW}","a line"]]}}]}}"#);
    let all = [
        protobuf(&served, small()),
        protobuf(&served, small()).header("content-encoding", "snappy"),
        // Without a word about what it is.
        request(&served, small()),
        json(&served, text.clone()),
        request(&served, text.clone().into_bytes()).header("content-type", "application/json; charset=utf-8"),
        json(&served, gzipped(text.as_bytes())).header("content-encoding", "gzip"),
        json(&served, text.clone()).header("x-scope-orgid", "a tenant"),
    ];
    let count = all.len();
    for (number, request) in all.into_iter().enumerate() {
        assert_eq!(send(request).await, (204, String::new()), "request {number}");
    }
    let rows = served.bench.recorder.log_rows();
    assert!(rows.len() == count && rows.iter().all(|row| *row == rows[0]), "{rows:#?}");
    // Nothing to write is no fault, and not written.
    assert_eq!(send(json(&served, r#"{"streams":[]}"#)).await.0, 204);
    assert_eq!(served.bench.recorder.offered(), count);
}

#[tokio::test]
async fn a_large_request_is_taken_whole() {
    let served = start(ReceiverConfig::default()).await;
    let line = "a line of a log that is as long as such lines are ".repeat(4);
    let entries: Vec<Entry<'_>> = (0..50_000).map(|n| (NOW + n, line.as_str(), &[] as &[_])).collect();
    let sent = compressed(&message(&[(r#"{app="shop"}"#, &entries)]));
    assert_eq!(send(protobuf(&served, sent)).await.0, 204);
    assert_eq!(served.bench.recorder.log_rows().len(), 50_000);
}

/// Shippers drop what a 400 answers, so the good must be here, and the answer must name the bad.
#[tokio::test]
async fn bad_rows_are_named_and_cost_no_good_one() {
    let served = start(ReceiverConfig::default()).await;
    let late = i64::MAX / 2;
    let long = "x".repeat((1 << 20) + 1);
    let sent = compressed(&message(&[
        (r#"{app="shop"}"#, &[(NOW, "good", &[]), (late, "of the future", &[]), (NOW, &long, &[])]),
        (r#"{app="shop", app="twice"}"#, &[(NOW, "of no stream", &[]), (NOW, "nor this", &[])]),
        (r#"{app="other"}"#, &[(NOW, "good too", &[]), (NOW, "nameless", &[("", "x")])]),
    ]));
    let (status, text) = send(protobuf(&served, sent)).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.starts_with("5 rows were not written, the others were: "), "{text}");
    for part in ["future_limit", "of the future", "(line_size_limit)", "twice", "no name"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!(bodies(&served), ["good", "good too"]);
    assert_eq!(served.bench.status().error.unwrap(), text.trim());
    assert_eq!(counter(&served, "refused_rows_total{protocol=\"loki\"}"), 5);
    for (reason, rows) in [("out_of_range", 1), ("row_limit", 1), ("invalid_labels", 2), ("invalid_row", 1)] {
        let series = format!("fleetscope_push_left_out_total{{cluster=\"\",reason=\"{reason}\"}}");
        assert_eq!(served.bench.counter(&series), rows, "{reason}");
    }
    let text = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["x","bad"],["{NOW}","also good"]]}}]}}"#);
    let (status, text) = send(json(&served, text)).await;
    assert!(status == 400 && text.starts_with("1 row was not written"), "{text}");
    assert_eq!(bodies(&served), ["good", "good too", "also good"]);
}

#[tokio::test]
async fn what_is_no_request_is_refused_whole() {
    let served = start(ReceiverConfig::default()).await;
    let whole = message(&[(r#"{app="shop"}"#, &[(NOW, "a line", &[])])]);
    let mut claim = Vec::new();
    varint(&mut claim, u64::from(u32::MAX));
    claim.extend_from_slice(&[0; 100]);
    let bomb = gzipped(&vec![b' '; 60 << 20]);
    let cases: [(&str, RequestBuilder, u16, &str); 12] = [
        ("nothing", protobuf(&served, Vec::new()), 400, "snappy"),
        ("not snappy", protobuf(&served, b"this is no snappy body at all".to_vec()), 400, "snappy"),
        ("cut protobuf", protobuf(&served, compressed(&whole[..whole.len() - 3])), 400, ""),
        ("another message", protobuf(&served, compressed(&[1 << 3, 7])), 400, "push request of Loki"),
        ("a claim of four gigabytes", protobuf(&served, claim), 413, "claims"),
        ("no JSON", json(&served, "{\"streams\": [}"), 400, "line 1, column 14"),
        ("other JSON", json(&served, "{\"resourceLogs\": []}"), 400, "\"streams\""),
        ("no gzip", json(&served, "{}").header("content-encoding", "gzip"), 400, "gzip"),
        ("a bomb", json(&served, bomb).header("content-encoding", "gzip"), 413, "100 times"),
        ("another type", request(&served, small()).header("content-type", "text/plain"), 415, "application/json"),
        ("another encoding", protobuf(&served, small()).header("content-encoding", "gzip"), 415, "send snappy"),
        ("no encoding", json(&served, "{}").header("content-encoding", "br"), 415, "gzip"),
    ];
    for (name, request, code, expected) in cases {
        let (status, text) = send(request).await;
        assert!(status == code && text.contains(expected), "{name}: {status} {text}");
    }
    let got = reqwest::get(format!("http://{}/loki/api/v1/push", served.address)).await.unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(served.bench.recorder.offered(), 0);
    assert_eq!(send(protobuf(&served, small())).await.0, 204, "the next one is served");
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let limits = ReceiverConfig {
        body_size_limit: 1000,
        decoded_size_limit: 2000,
        memory_limit: 1 << 20,
        ..ReceiverConfig::default()
    };
    let served = start(limits).await;
    let (status, text) = send(protobuf(&served, vec![7; 1001])).await;
    assert!(status == 413 && text.contains("log_push.body_size_limit"), "{status} {text}");
    let line = "x".repeat(2000);
    let sent = compressed(&message(&[(r#"{app="shop"}"#, &[(NOW, &line, &[])])]));
    let (status, text) = send(protobuf(&served, sent)).await;
    assert!(status == 413 && text.contains("2000"), "{status} {text}");
    assert_eq!(served.bench.counter("fleetscope_push_refused_total{cluster=\"\",reason=\"request_size\"}"), 2);
    assert_eq!(send(protobuf(&served, small())).await.0, 204);
}

fn berlin(limits: LimitsConfig) -> Config {
    let token = collector::config::TokenConfig::Sha256(Token::parse(TOKEN).unwrap().hash());
    let berlin = collector::config::ClusterConfig { name: "berlin".into(), tokens: vec![token], limits };
    Config { clusters: vec![berlin], ..Config::default() }
}

#[tokio::test]
async fn the_token_decides_the_cluster() {
    let mut config = berlin(LimitsConfig::default());
    let mut served = serve(&config).await;
    let sent = || compressed(&message(&[(r#"{app="a", cluster="paris"}"#, &[(NOW, "a", &[])])]));
    let response = protobuf(&served, sent()).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer, Basic realm=\"fleetscope\"");
    assert_eq!(answer(response).await.0, 401);
    assert!(served.bench.sources.all().is_empty());
    assert_eq!(send(protobuf(&served, sent()).bearer_auth(TOKEN)).await.0, 204);
    assert_eq!(send(protobuf(&served, sent()).basic_auth("shipper", Some(TOKEN))).await.0, 204);
    config.push = PushConfig { allow_anonymous: true, ..PushConfig::default() };
    served.bench.collectors.reload(&config).await.unwrap();
    let of_berlin = compressed(&message(&[(r#"{app="a", cluster="berlin"}"#, &[(NOW, "a", &[])])]));
    assert_eq!(send(protobuf(&served, sent())).await.0, 204);
    assert_eq!(send(protobuf(&served, of_berlin)).await.0, 204);
    let rows = served.bench.recorder.log_rows().into_iter().map(|row| (row.cluster, row.resource));
    let exported = "app=a,exported_cluster=paris,service_name=a";
    let expected = [
        ("berlin", exported),
        ("berlin", exported),
        ("paris", "app=a,service_name=a"),
        ("", "app=a,exported_cluster=berlin,service_name=a"),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[tokio::test]
async fn who_is_too_fast_is_told_when_to_come_again() {
    let limits =
        LimitsConfig { row_rate_limit: Some(1), rate_burst: Some(Duration::from_secs(1)), ..LimitsConfig::default() };
    let served = serve(&berlin(limits)).await;
    let sent = compressed(&message(&[(r#"{app="a"}"#, &[(NOW, "a", &[]), (NOW, "b", &[]), (NOW, "c", &[])])]));
    assert_eq!(send(protobuf(&served, sent.clone()).bearer_auth(TOKEN)).await.0, 204);
    let response = protobuf(&served, sent).bearer_auth(TOKEN).send().await.unwrap();
    let after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let (status, text) = answer(response).await;
    assert!(status == 503 && (1..=2).contains(&after) && text.contains("row_rate_limit"), "{status} {after} {text}");
    assert_eq!(served.bench.recorder.log_rows().len(), 3);
    let served = serve(&berlin(LimitsConfig { body_size_limit: Some(Bytes(10)), ..LimitsConfig::default() })).await;
    assert_eq!(send(protobuf(&served, small()).bearer_auth(TOKEN)).await.0, 413);
}

#[tokio::test]
async fn nothing_is_promised_while_the_store_is_away() {
    let served = start(ReceiverConfig::default()).await;
    let cases = [
        (Error::new(ErrorKind::Busy, "no room").with_retry_after(Duration::from_millis(2500)), 503, Some("3")),
        (Error::new(ErrorKind::Unavailable, "no journal"), 503, Some("5")),
        (Error::new(ErrorKind::Invalid, "a time"), 400, None),
        (Error::internal("a fault"), 500, None),
    ];
    for (error, code, after) in cases {
        let text = error.to_string();
        served.bench.recorder.fail([error]);
        let response = protobuf(&served, small()).send().await.unwrap();
        let told = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((told.as_deref(), answer(response).await), (after, (code, format!("{text}\n"))));
        assert_eq!(served.bench.status().error, Some(text));
    }
    assert!(bodies(&served).is_empty());
    assert_eq!(counter(&served, "rows_total{protocol=\"loki\"}"), 0);
    assert_eq!(send(protobuf(&served, small())).await.0, 204);
}

#[tokio::test]
async fn the_answer_waits_for_the_store_and_holds_its_place() {
    let recorder = Arc::new(Recorder::with_gate(0));
    let log_push = ReceiverConfig { max_concurrent_requests: 1, ..ReceiverConfig::default() };
    let served = Served::start_whole(&Config { log_push, ..Config::default() }, recorder.clone()).await;
    let second = async {
        recorder.wait_for_offers(1).await;
        let refused = send(protobuf(&served, small())).await;
        assert!(bodies(&served).is_empty());
        recorder.open(1);
        refused
    };
    let (first, (status, text)) = tokio::join!(send(protobuf(&served, small())), second);
    assert!(status == 503 && text.contains("too many requests at once, see log_push"), "{status} {text}");
    assert_eq!((first.0, bodies(&served)), (204, vec!["a line".to_owned()]));
}
