//! Senders of OTLP logs and traces.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use collector::config::{self, ClusterConfig, LimitsConfig, OtlpConfig, TokenConfig};
use collector::{Config, Token};
use decode::Limits;
use decode::otlp::json::{Request, to_protobuf};
use model::{Error, ErrorKind, Resource};
use serde_json::Value;

use crate::otlp::{Served, answer, called, calling, framed, gzip};
use crate::support::recorder::Recorder;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const BERLIN: &str = "the-token-of-berlin";

/// One of the two signals: where it goes, how it is written, and what it becomes.
#[derive(Debug)]
struct Signal {
    word: &'static str,
    kind: &'static str,
    paths: &'static [&'static str],
    service: &'static str,
    request: Request,
    /// The fields of a request down to the record.
    fields: [&'static str; 3],
    record: &'static str,
    /// What [`rows`] shows of `record`.
    row: &'static str,
    /// Of further records: one that is right, and two that are not.
    partly: &'static str,
    partly_row: &'static str,
    /// What is said of the two.
    reasons: [&'static str; 2],
    rejected_field: &'static str,
    /// What senders count, in counters and in messages.
    items: [&'static str; 2],
}

const LOGS: Signal = Signal {
    word: "logs",
    kind: "otlp_logs",
    paths: &["/v1/logs", "/otlp/v1/logs", "/loki/otlp/v1/logs"],
    service: "logs.v1.LogsService",
    request: Request::Logs,
    fields: ["resourceLogs", "scopeLogs", "logRecords"],
    record: r#"{"timeUnixNano":"1700000000000000001","severityNumber":17,"body":{"stringValue":"out of stock"},
        "attributes":[{"key":"sku","value":{"stringValue":"A-7"}}]}"#,
    row: "rome shop 1700000000000000001 out of stock sku=A-7",
    partly: r#"{"timeUnixNano":"1","body":{"stringValue":"early"}},{"timeUnixNano":"9223372036854775808"},
        {"timeUnixNano":"1","attributes":[{"key":"LONG"}]}"#,
    partly_row: "rome shop 1 early ",
    reasons: ["is later than a table can hold", "the limit is 1024"],
    rejected_field: "rejectedLogRecords",
    items: ["log_records", "log records"],
};

const TRACES: Signal = Signal {
    word: "traces",
    kind: "otlp_traces",
    paths: &["/v1/traces"],
    service: "trace.v1.TraceService",
    request: Request::Traces,
    fields: ["resourceSpans", "scopeSpans", "spans"],
    record: r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"buy",
        "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000004",
        "attributes":[{"key":"sku","value":{"stringValue":"A-7"}}]}"#,
    row: "rome shop 1700000000000000001 buy sku=A-7",
    partly: r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"early",
        "startTimeUnixNano":"1"},{"traceId":"5b8efff798038103d269b633813fc60c","startTimeUnixNano":"1"},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}"#,
    partly_row: "rome shop 1 early ",
    reasons: ["it has no span_id", "it has no start"],
    rejected_field: "rejectedSpans",
    items: ["spans", "spans"],
};

/// A request of the third signal.
const GAUGE: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[
    {"timeUnixNano":"1700000000000000000","asInt":7}]}}]}]}]}"#;

const BOTH: [&Signal; 2] = [&LOGS, &TRACES];

impl Signal {
    /// A request with these records of the service `shop` in a cluster.
    fn json_of(&self, cluster: &str, records: &str) -> String {
        let [resources, scopes, fields] = self.fields;
        let pairs = [("service.name", "shop"), ("k8s.cluster.name", cluster)];
        let attributes = pairs.map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#));
        let resource = format!(r#"{{"attributes":[{}]}}"#, attributes.join(","));
        let records = records.replace("LONG", &"k".repeat(1025));
        format!(r#"{{"{resources}":[{{"resource":{resource},"{scopes}":[{{"{fields}":[{records}]}}]}}]}}"#)
    }

    fn json(&self, records: &str) -> String {
        self.json_of("rome", records)
    }

    fn protobuf(&self, records: &str) -> Vec<u8> {
        to_protobuf(self.request, self.json(records).as_bytes(), &Limits::default()).unwrap().to_vec()
    }

    fn counter(&self, served: &Served, what: &str) -> u64 {
        served.bench.counter(&format!("fleetscope_otlp_{what}{}_total", self.items[0]))
    }

    /// Requests that were answered with a code.
    fn requests(&self, served: &Served, protocol: &str, code: u16) -> u64 {
        let labels = format!("signal=\"{}\",protocol=\"{protocol}\",code=\"{code}\"", self.word);
        served.bench.counter(&format!("fleetscope_otlp_requests_total{{{labels}}}"))
    }
}

fn joined<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    attributes.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Of each row that was written its cluster, service, time, line or name, and attributes.
fn rows(served: &Served) -> Vec<String> {
    let resource = |resource: Option<&Arc<Resource>>| {
        let resource = resource.unwrap();
        format!("{} {}", resource.cluster, resource.service)
    };
    let mut all = Vec::new();
    for logs in served.bench.recorder.logs() {
        for (n, row) in (0..logs.len()).map(|n| (n, logs.row(n))) {
            let from = resource(logs.resources.get(row.resource));
            all.push(format!("{from} {} {} {}", row.time_unix_nano, row.body, joined(logs.attributes.row(n))));
        }
    }
    for spans in served.bench.recorder.spans() {
        for (n, row) in (0..spans.len()).map(|n| (n, spans.row(n))) {
            let from = resource(spans.resources.get(row.resource));
            all.push(format!("{from} {} {} {}", row.start_time_unix_nano, row.name, joined(spans.attributes.row(n))));
        }
    }
    all
}

async fn serve(config: &Config) -> Served {
    Served::start_whole(config, Arc::new(Recorder::default())).await
}

/// A cluster `berlin` with a token and limits; without a token pushes are taken too.
fn berlin(limits: LimitsConfig) -> Config {
    let tokens = vec![TokenConfig::Sha256(Token::parse(BERLIN).unwrap().hash())];
    let clusters = vec![ClusterConfig { name: "berlin".into(), tokens, limits }];
    let mut config = Config { clusters, ..Config::default() };
    config.push.allow_anonymous = true;
    config
}

fn refused(served: &Served, cluster: &str, reason: &str) -> u64 {
    let series = format!("fleetscope_push_refused_total{{cluster=\"{cluster}\",reason=\"{reason}\"}}");
    served.bench.counter(&series)
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[tokio::test]
async fn every_path_form_and_compression_is_acknowledged_once_written() {
    for signal in BOTH {
        let served = Served::start(OtlpConfig::default()).await;
        let (plain, json) = (signal.protobuf(signal.record), signal.json(signal.record));
        let mut expected = Vec::new();
        for path in signal.paths {
            let zstd = zstd::encode_all(&*plain, 3).unwrap();
            for (request, body) in [
                (served.post_to(path, PROTOBUF, plain.clone()), ""),
                (served.post_to(path, PROTOBUF, gzip(&plain)).header("content-encoding", "gzip"), ""),
                (served.post_to(path, PROTOBUF, zstd.clone()).header("content-encoding", "zstd"), ""),
                (served.post_to(path, "application/json; charset=utf-8", json.clone()), "{}"),
                (served.post_to(path, JSON, gzip(json.as_bytes())).header("content-encoding", "gzip"), "{}"),
            ] {
                assert_eq!(answer(request).await, (200, Bytes::from(body)), "{path}");
                expected.push(signal.row);
            }
        }
        assert_eq!(rows(&served), expected);
        let status = served.bench.status();
        assert_eq!((status.kind, status.samples, status.error), (signal.kind, 1, None));
        assert_eq!(signal.requests(&served, "http", 200), expected.len() as u64);
        assert_eq!((signal.counter(&served, ""), signal.counter(&served, "refused_")), (expected.len() as u64, 0));
        let bytes = format!("fleetscope_otlp_body_bytes_total{{signal=\"{}\"}}", signal.word);
        assert!(served.bench.counter(&bytes) > plain.len() as u64);
    }
}

#[tokio::test]
async fn each_service_of_grpc_takes_its_own_signal() {
    for signal in BOTH {
        let served = Served::start(OtlpConfig::default()).await;
        let message = signal.protobuf(signal.record);
        for (body, encoding) in [
            (framed(0, &message), None),
            (framed(1, &gzip(&message)), Some("gzip")),
            (framed(1, &zstd::encode_all(&*message, 3).unwrap()), Some("zstd")),
        ] {
            let answered = called(calling(&served, signal.service, body, encoding)).await;
            assert_eq!(answered, ("0".to_owned(), Bytes::from_static(&[0; 5]), None));
        }
        assert_eq!(rows(&served), [signal.row; 3]);
        let partly = framed(0, &signal.protobuf(signal.partly));
        let (code, body, _) = called(calling(&served, signal.service, partly, None)).await;
        let said = String::from_utf8_lossy(&body).into_owned();
        assert!(code == "0" && said.contains(&format!("2 {} were refused: ", signal.items[1])), "{said}");
        for (body, encoding) in [
            (Vec::new(), None),
            (framed(0, &message[..message.len() - 1]), None),
            (framed(1, &message), Some("gzip")),
            ([framed(0, &message), framed(0, &message)].concat(), None),
        ] {
            assert_eq!(called(calling(&served, signal.service, body, encoding)).await.0, "3");
        }
        assert_eq!((signal.requests(&served, "grpc", 0), signal.requests(&served, "grpc", 3)), (4, 4));
        assert_eq!((rows(&served).len(), served.bench.status().kind), (4, signal.kind));
    }
}

#[tokio::test]
async fn what_is_refused_is_counted_with_its_reasons_and_the_rest_is_kept() {
    for signal in BOTH {
        let served = Served::start(OtlpConfig::default()).await;
        let (code, body) = answer(served.post_to(signal.paths[0], JSON, signal.json(signal.partly))).await;
        let said = &parsed(&body)["partialSuccess"];
        assert_eq!((code, &said[signal.rejected_field]), (200, &"2".into()), "{said}");
        let message = said["errorMessage"].as_str().unwrap();
        assert!(signal.reasons.iter().all(|reason| message.contains(reason)), "{message}");
        let (code, body) = answer(served.post_to(signal.paths[0], PROTOBUF, signal.protobuf(signal.partly))).await;
        assert_eq!((code, &body[..1], &body[3..5]), (200, &[0x0a][..], &[8, 2][..]), "{body:?}");
        assert!(body.ends_with(message.as_bytes()), "{body:?}");
        assert_eq!(rows(&served), [signal.partly_row; 2]);
        assert_eq!(served.bench.status().error.unwrap(), message);
        assert_eq!((signal.counter(&served, ""), signal.counter(&served, "refused_")), (2, 4));
    }
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_in_the_form_they_came_in() {
    for (signal, other) in [(&LOGS, &TRACES), (&TRACES, &LOGS)] {
        let served = Served::start(OtlpConfig::default()).await;
        let path = signal.paths[0];
        let half = &signal.json(signal.record)[..60];
        let (code, body) = answer(served.post_to(path, JSON, half)).await;
        assert_eq!((code, &parsed(&body)["code"]), (400, &3.into()));
        assert!(parsed(&body)["message"].as_str().unwrap().contains("not OTLP as JSON"), "{body:?}");
        let whole = signal.protobuf(signal.record);
        let (code, body) = answer(served.post_to(path, PROTOBUF, &whole[..whole.len() - 3])).await;
        assert_eq!((code, &body[..2]), (400, &[8, 3][..]));
        let (code, body) = answer(served.post_to(path, PROTOBUF, other.protobuf(other.record))).await;
        let said = String::from_utf8_lossy(&body).into_owned();
        assert!(code == 400 && said.contains("is this the OTLP request of another signal?"), "{said}");
        let packed = gzip(&whole);
        let damaged = [&packed[..packed.len() / 2], b"damage", &packed[packed.len() / 2..]].concat();
        for (encoding, sent, expected) in [
            ("gzip", &damaged, "the gzip body is damaged"),
            ("gzip", &whole, "the gzip body is damaged"),
            ("zstd", &damaged, "the zstd body is damaged"),
            ("br", &whole, "content encoding \"br\" is not accepted"),
        ] {
            let request = served.post_to(path, PROTOBUF, &sent[..]).header("content-encoding", encoding);
            let (code, body) = answer(request).await;
            let said = String::from_utf8_lossy(&body).into_owned();
            assert!(code == 400 && said.contains(expected), "{encoding}: {said}");
        }
        assert_eq!(answer(served.post_to(path, "text/plain", "x")).await.0, 415);
        let asked = reqwest::get(format!("http://{}{path}", served.address)).await.unwrap();
        assert_eq!((asked.status().as_u16(), asked.headers()["allow"].to_str().unwrap()), (405, "POST"));
        assert_eq!(rows(&served), [""; 0]);
        assert_eq!((signal.requests(&served, "http", 400), signal.requests(&served, "http", 415)), (7, 1));
    }
}

fn narrow() -> OtlpConfig {
    OtlpConfig {
        body_size_limit: 64 << 10,
        decoded_size_limit: 128 << 10,
        memory_limit: 1 << 20,
        ..OtlpConfig::default()
    }
}

#[tokio::test]
async fn sizes_are_limited_before_and_after_decompression() {
    for signal in BOTH {
        let served = Served::start(narrow()).await;
        let path = signal.paths[0];
        let zeros = gzip(&vec![0; (128 << 10) + 1]);
        for (sent, encoding) in [(vec![0; (64 << 10) + 1], "identity"), (zeros, "gzip")] {
            let request = served.post_to(path, PROTOBUF, sent).header("content-encoding", encoding);
            assert_eq!(answer(request).await.0, 413, "{encoding}");
        }
        assert_eq!((refused(&served, "", "request_size"), rows(&served).len()), (2, 0));
    }
}

#[tokio::test]
async fn rows_that_take_more_room_than_there_is_are_refused_and_the_room_given_back() {
    let served = Served::start(narrow()).await;
    // Two bytes each.
    let records = vec!["{}"; 30_000].join(",");
    let sent = gzip(&LOGS.protobuf(&records));
    // All of them together would find no room.
    for _ in 0..10 {
        let request = served.post_to("/v1/logs", PROTOBUF, sent.clone()).header("content-encoding", "gzip");
        let (code, body) = answer(request).await;
        let said = String::from_utf8_lossy(&body).into_owned();
        assert!(code == 413 && said.contains("the rows of the request take "), "{code} {said}");
    }
    assert_eq!((refused(&served, "", "request_size"), rows(&served).len()), (10, 0));
    let long = LOGS.record.replace("out of stock", &"x".repeat(60 << 10));
    assert_eq!(answer(served.post_to("/v1/logs", JSON, LOGS.json(&long))).await.0, 200);
}

#[tokio::test]
async fn a_token_decides_the_cluster_and_without_one_it_cannot_be_a_guarded_one() {
    for signal in BOTH {
        let mut config = berlin(LimitsConfig::default());
        let served = serve(&config).await;
        let path = signal.paths[0];
        let sent = |cluster: &str| served.post_to(path, JSON, signal.json_of(cluster, signal.record));
        for cluster in ["rome", "berlin", ""] {
            assert_eq!(answer(sent(cluster)).await.0, 200);
            assert_eq!(answer(sent(cluster).bearer_auth(BERLIN)).await.0, 200);
        }
        let clusters: Vec<String> = rows(&served).iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(clusters, ["rome", "berlin", "", "berlin", "", "berlin"]);
        let mut on_board: Vec<_> = served.bench.sources.all().into_iter().map(|status| status.cluster).collect();
        on_board.sort();
        assert_eq!(on_board, ["", "berlin"]);

        config.push.allow_anonymous = false;
        let served = serve(&config).await;
        let message = signal.protobuf(signal.record);
        for request in [
            served.post_to(path, PROTOBUF, message.clone()),
            served.post_to(path, PROTOBUF, message.clone()).bearer_auth("the-token-of-nobody"),
        ] {
            assert_eq!(answer(request).await.0, 401);
        }
        assert_eq!(called(calling(&served, signal.service, framed(0, &message), None)).await.0, "16");
        let with_token = calling(&served, signal.service, framed(0, &message), None).bearer_auth(BERLIN);
        assert_eq!(called(with_token).await.0, "0");
        assert_eq!(refused(&served, "", "unauthorized"), 3);
        assert_eq!((rows(&served).len(), served.bench.status().cluster.as_str()), (1, "berlin"));
    }
}

#[tokio::test]
async fn who_should_come_again_is_told_when() {
    for signal in BOTH {
        let recorder = Arc::new(Recorder::default());
        let served = Served::start_whole(&Config::default(), recorder.clone()).await;
        let full = || Error::new(ErrorKind::Busy, "the head is full").with_retry_after(Duration::from_secs(7));
        recorder.fail([full(), full(), full(), Error::internal("a fault")]);
        let (path, message) = (signal.paths[0], signal.protobuf(signal.record));
        let response = served.post_to(path, JSON, signal.json(signal.record)).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "7"));
        let said = parsed(&response.bytes().await.unwrap());
        assert_eq!((&said["code"], &said["details"][0]["retryDelay"]), (&14.into(), &"7s".into()));
        let (code, body) = answer(served.post_to(path, PROTOBUF, message.clone())).await;
        let details = b"type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07";
        assert!(code == 503 && body.ends_with(details), "{body:?}");
        let call = || called(calling(&served, signal.service, framed(0, &message), None));
        let (code, _, details) = call().await;
        assert!(code == "14" && details.unwrap().starts_with("CA4"), "code 14");
        assert!(served.bench.status().error.unwrap().contains("the head is full"));
        assert_eq!(call().await.0, "13");
        assert_eq!((rows(&served).len(), signal.counter(&served, "")), (0, 0));
        assert_eq!(call().await.0, "0");
        assert_eq!((rows(&served).len(), served.bench.status().error), (1, None));
    }
}

#[tokio::test]
async fn all_signals_share_the_room_for_requests() {
    let recorder = Arc::new(Recorder::with_gate(0));
    let otlp = OtlpConfig { max_concurrent_requests: 1, ..OtlpConfig::default() };
    let served = Served::start_whole(&Config { otlp, ..Config::default() }, recorder.clone()).await;
    let first = answer(served.post_to("/v1/metrics", JSON, GAUGE));
    tokio::pin!(first);
    tokio::select! {
        _ = &mut first => panic!("the store is shut"),
        () = recorder.wait_for_offers(1) => {}
    }
    for signal in BOTH {
        let sent = signal.json(signal.record);
        let response = served.post_to(signal.paths[0], JSON, sent).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        let call = calling(&served, signal.service, framed(0, &signal.protobuf(signal.record)), None);
        assert_eq!(called(call).await.0, "14");
    }
    assert_eq!(rows(&served), [""; 0]);
    recorder.open(3);
    assert_eq!(first.await.0, 200);
    for signal in BOTH {
        assert_eq!(answer(served.post_to(signal.paths[0], JSON, signal.json(signal.record))).await.0, 200);
    }
    assert_eq!(rows(&served), [LOGS.row, TRACES.row]);
}

#[tokio::test]
async fn above_its_rate_of_rows_a_cluster_is_told_when_to_come_again_and_others_go_on() {
    for signal in BOTH {
        let limits = LimitsConfig { row_rate_limit: Some(10), ..LimitsConfig::default() };
        let served = serve(&berlin(limits)).await;
        let path = signal.paths[0];
        let many = vec![signal.record; 500].join(",");
        let push = |body: String| served.post_to(path, JSON, body).bearer_auth(BERLIN);
        assert_eq!(answer(push(signal.json(&many))).await.0, 200, "in credit");
        // Refused before it is decoded: nobody looks at what it is.
        let response = push("no JSON".to_owned()).send().await.unwrap();
        let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((30..=40).contains(&wait), "{wait}");
        let (code, said) = (response.status().as_u16(), parsed(&response.bytes().await.unwrap()));
        let message = said["message"].as_str().unwrap();
        let expected = "cluster berlin: limit 10 log rows and spans per second (row_rate_limit)";
        assert!(code == 503 && message.starts_with(expected), "{said}");
        assert_eq!(said["details"][0]["@type"], "type.googleapis.com/google.rpc.RetryInfo");
        assert_eq!((rows(&served).len(), refused(&served, "berlin", "row_rate")), (500, 1));
        // Both signals are of one account, samples are of another.
        let other = if signal.word == "logs" { &TRACES } else { &LOGS };
        let request = served.post_to(other.paths[0], JSON, other.json(other.record)).bearer_auth(BERLIN);
        assert_eq!(answer(request).await.0, 503);
        assert_eq!(answer(served.post_to("/v1/metrics", JSON, GAUGE).bearer_auth(BERLIN)).await, (200, "{}".into()));
        assert_eq!(answer(served.post_to(path, JSON, signal.json(signal.record))).await.0, 200, "another cluster");
    }
}

#[tokio::test]
async fn a_cluster_has_its_own_limits_of_rows() {
    let limits = LimitsConfig {
        line_size_limit: Some(config::Bytes(20)),
        attribute_limit: Some(2),
        attribute_value_length_limit: Some(10),
        ..LimitsConfig::default()
    };
    let served = serve(&berlin(limits)).await;
    let attributes = |values: &[&str]| {
        let of = |(n, value): (usize, &&str)| format!(r#"{{"key":"k{n}","value":{{"stringValue":"{value}"}}}}"#);
        values.iter().enumerate().map(of).collect::<Vec<_>>().join(",")
    };
    let (few, many, long) = (attributes(&["a", "b"]), attributes(&["a", "b", "c"]), attributes(&["12345678901"]));
    let log = |line: &str, attributes: &str| {
        format!(r#"{{"timeUnixNano":"1","body":{{"stringValue":"{line}"}},"attributes":[{attributes}]}}"#)
    };
    let span = |attributes: &str| {
        let ids = r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174""#;
        format!(r#"{{{ids},"startTimeUnixNano":"1","attributes":[{attributes}]}}"#)
    };
    for (signal, records, expected) in [
        (&LOGS, [log(&"x".repeat(20), &few), log(&"x".repeat(21), ""), log("", &many), log("", &long)], 3),
        (&TRACES, [span(&few), span(""), span(&many), span(&long)], 2),
    ] {
        let sent = || served.post_to(signal.paths[0], JSON, signal.json(&records.join(",")));
        let (code, body) = answer(sent().bearer_auth(BERLIN)).await;
        let said = &parsed(&body)["partialSuccess"];
        assert_eq!((code, &said[signal.rejected_field]), (200, &expected.to_string().into()), "{said}");
        let message = said["errorMessage"].as_str().unwrap();
        let limits = ["more than 2 attributes", "11 bytes or more, the limit is 10", "the limit is 20"];
        assert!(limits[..expected].iter().all(|limit| message.contains(limit)), "{message}");
        assert_eq!(answer(sent()).await, (200, "{}".into()), "others have their own");
    }
}

#[tokio::test]
async fn a_sender_of_several_signals_has_an_entry_of_each_on_the_board() {
    let served = Served::start(OtlpConfig::default()).await;
    assert_eq!(answer(served.post_to("/v1/logs", JSON, "[]")).await.0, 400);
    assert_eq!(answer(served.post_to("/v1/traces", JSON, TRACES.json(TRACES.record))).await.0, 200);
    assert_eq!(answer(served.post_to("/v1/metrics", JSON, "{}")).await.0, 200);
    let board: Vec<_> =
        served.bench.sources.all().into_iter().map(|it| (it.kind, it.samples, it.error.is_some())).collect();
    assert_eq!(board, [("otlp", 0, false), ("otlp_logs", 0, true), ("otlp_traces", 1, false)]);
}
