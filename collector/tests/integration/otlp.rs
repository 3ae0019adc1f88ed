//! Senders of OTLP metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use collector::Config;
use collector::config::{OtlpConfig, PushConfig};
use decode::Limits;
use http_body_util::BodyExt;
use model::worker::Worker;
use model::{Clock, Error, ErrorKind, SystemClock};
use reqwest::{Client, RequestBuilder};

use crate::support::Bench;
use crate::support::recorder::{Recorder, Row};

const T: &str = "1700000000000000000";
const T_MS: i64 = 1_700_000_000_000;

/// Collectors whose OTLP routes are served on one port.
pub(crate) struct Served {
    pub(crate) bench: Bench,
    pub(crate) address: SocketAddr,
    _worker: Worker,
}

impl Served {
    pub(crate) async fn start(otlp: OtlpConfig) -> Self {
        Self::start_with(otlp, Arc::new(Recorder::default())).await
    }

    async fn start_with(otlp: OtlpConfig, recorder: Arc<Recorder>) -> Self {
        Self::start_whole(&Config { otlp, ..Config::default() }, recorder).await
    }

    pub(crate) async fn start_whole(config: &Config, recorder: Arc<Recorder>) -> Self {
        let bench = Bench::start_with(config, recorder);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = bench.collectors.routes().merge(bench.collectors.otlp_grpc_routes());
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        let worker = Worker::task("http", |_| async move { axum::serve(listener, service).await.unwrap() });
        Served { bench, address, _worker: worker }
    }

    fn post(&self, content_type: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        self.post_to("/v1/metrics", content_type, body)
    }

    pub(crate) fn post_to(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        Client::new().post(url).header("content-type", content_type).body(body.into())
    }

    pub(crate) fn rows(&self) -> Vec<String> {
        self.bench.recorder.writes().into_iter().flatten().map(|row: Row| row.text()).collect()
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> (u16, Bytes) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap())
}

/// A request with these metrics of the service `shop`.
fn json(metrics: &str) -> String {
    let service = r#"{"key":"service.name","value":{"stringValue":"shop"}}"#;
    let metrics = metrics.replace("\"T\"", &format!("\"{T}\""));
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{service}]}},"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#
    )
}

fn protobuf(metrics: &str) -> Vec<u8> {
    decode::otlp::json::to_protobuf(decode::otlp::json::Request::Metrics, json(metrics).as_bytes(), &Limits::default())
        .unwrap()
        .to_vec()
}

const GAUGE: &str = r#"{"name":"room.temperature","unit":"Cel","gauge":{"dataPoints":[
    {"timeUnixNano":"T","asDouble":21.5,"attributes":[{"key":"room.name","value":{"stringValue":"hall"}}]}]}}"#;
const GAUGE_ROW: &str = "room_temperature_celsius{job=shop,room_name=hall} 21.5 1700000000000";

#[tokio::test]
async fn both_forms_and_all_compressions_are_acknowledged_once_written() {
    let served = Served::start(OtlpConfig::default()).await;
    let (plain, gzip, zstd) =
        (protobuf(GAUGE), gzip(&protobuf(GAUGE)), zstd::encode_all(&*protobuf(GAUGE), 3).unwrap());
    let protobuf_type = "application/x-protobuf";
    for (request, body) in [
        (served.post(protobuf_type, plain), ""),
        (served.post(protobuf_type, gzip).header("content-encoding", "gzip"), ""),
        (served.post(protobuf_type, zstd).header("content-encoding", "zstd"), ""),
        (served.post("application/json; charset=utf-8", json(GAUGE)), "{}"),
        (served.post("application/json", self::gzip(json(GAUGE).as_bytes())).header("content-encoding", "gzip"), "{}"),
    ] {
        assert_eq!(answer(request).await, (200, Bytes::from(body)));
    }
    assert_eq!(served.rows(), [GAUGE_ROW; 5]);
    assert_eq!(served.bench.status().samples, 1);
    assert_eq!(
        served.bench.counter("fleetscope_otlp_requests_total{signal=\"metrics\",protocol=\"http\",code=\"200\"}"),
        5
    );
    assert_eq!(served.bench.counter("fleetscope_otlp_data_points_total"), 5);
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    encoder.finish().unwrap()
}

/// A point that is right, and two that are not.
const PARTLY: &str = r#"{"name":"a","gauge":{"dataPoints":[
    {"timeUnixNano":"T","asInt":"7"},{"timeUnixNano":"T"},{"asInt":1}]}}"#;

#[tokio::test]
async fn what_is_refused_is_counted_with_its_reasons_and_the_rest_is_kept() {
    let served = Served::start(OtlpConfig::default()).await;
    let (code, body) = answer(served.post("application/json", json(PARTLY))).await;
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((code, &said["partialSuccess"]["rejectedDataPoints"]), (200, &serde_json::json!("2")));
    let message = said["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("has no value") && message.contains("has no time"), "{message}");
    let (code, body) = answer(served.post("application/x-protobuf", protobuf(PARTLY))).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!(code == 200 && body[0] == 0x0a && text.contains("2 data points were refused"), "{text}");
    assert_eq!(served.rows(), ["a{job=shop} 7 1700000000000"; 2]);
    assert!(served.bench.status().error.unwrap().contains("2 data points were refused"));
    assert_eq!(served.bench.counter("fleetscope_otlp_refused_data_points_total"), 4);
}

#[tokio::test]
async fn damaged_bodies_are_400_in_the_form_they_came_in_and_nothing_is_kept() {
    let served = Served::start(OtlpConfig::default()).await;
    let (code, body) = answer(served.post("application/json", "{\"resourceMetrics\":[")).await;
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((code, &said["code"]), (400, &serde_json::json!(3)));
    assert!(said["message"].as_str().unwrap().contains("not OTLP as JSON"), "{said}");
    let half = protobuf(GAUGE);
    let (code, body) = answer(served.post("application/x-protobuf", &half[..half.len() - 3])).await;
    assert_eq!((code, &body[..2]), (400, &[8, 3][..]));
    let (code, _) = answer(served.post("application/x-protobuf", "x").header("content-encoding", "br")).await;
    assert_eq!(code, 400);
    let (code, _) = answer(served.post("text/plain", "x")).await;
    assert_eq!(code, 415);
    assert_eq!(served.bench.recorder.offered(), 0);
}

#[tokio::test]
async fn limits_hold_before_and_after_decompression() {
    let limit = OtlpConfig { body_size_limit: 1000, decoded_size_limit: 2000, ..OtlpConfig::default() };
    let served = Served::start(limit).await;
    for body in [vec![0; 1001], gzip(&[0; 2001]), zstd::encode_all(&[0; 2001][..], 3).unwrap()] {
        let encoding = if body[0] == 0x1f {
            "gzip"
        } else if body[0] == 0x28 {
            "zstd"
        } else {
            "identity"
        };
        let request = served.post("application/x-protobuf", body).header("content-encoding", encoding);
        assert_eq!(answer(request).await.0, 413, "{encoding}");
    }
    assert_eq!(served.bench.recorder.offered(), 0);
}

/// What a gRPC call was answered: the status, the message and the details.
async fn call(served: &Served, framed: Vec<u8>, encoding: Option<&str>) -> (String, Bytes, Option<String>) {
    called(calling(served, "metrics.v1.MetricsService", framed, encoding)).await
}

/// A call of the `Export` of a service.
pub(crate) fn calling(served: &Served, service: &str, framed: Vec<u8>, encoding: Option<&str>) -> RequestBuilder {
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let path = format!("opentelemetry.proto.collector.{service}/Export");
    let request = client.post(format!("http://{}/{path}", served.address)).body(framed);
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    match encoding {
        Some(encoding) => request.header("grpc-encoding", encoding),
        None => request,
    }
}

/// What a call is answered.
pub(crate) async fn called(request: RequestBuilder) -> (String, Bytes, Option<String>) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let body = axum::http::Response::<reqwest::Body>::from(response).into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let find = |name: &str| headers.get(name).or(trailers.get(name)).map(|value| value.to_str().unwrap().to_owned());
    (find("grpc-status").unwrap(), body.to_bytes(), find("grpc-status-details-bin"))
}

pub(crate) fn framed(is_compressed: u8, message: &[u8]) -> Vec<u8> {
    [&[is_compressed][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

#[tokio::test]
async fn grpc_is_spoken_with_and_without_compression() {
    let served = Served::start(OtlpConfig::default()).await;
    let message = protobuf(GAUGE);
    let empty = Bytes::from_static(&[0; 5]);
    for (body, encoding) in [
        (framed(0, &message), None),
        (framed(1, &gzip(&message)), Some("gzip")),
        (framed(1, &zstd::encode_all(&*message, 3).unwrap()), Some("zstd")),
    ] {
        assert_eq!(call(&served, body, encoding).await, ("0".to_owned(), empty.clone(), None));
    }
    assert_eq!(served.rows(), [GAUGE_ROW; 3]);
    let (status, body, _) = call(&served, framed(0, &protobuf(PARTLY)), None).await;
    assert!(status == "0" && String::from_utf8_lossy(&body).contains("2 data points were refused"));
    for (body, encoding) in [
        (Vec::new(), None),
        (framed(0, &message)[..20].to_vec(), None),
        (framed(0, &message[..message.len() - 1]), None),
        (framed(1, &message), None),
        (framed(1, &message), Some("gzip")),
        (framed(2, &message), None),
        ([framed(0, &message), framed(0, &message)].concat(), None),
    ] {
        assert_eq!(call(&served, body, encoding).await.0, "3");
    }
    assert_eq!(
        served.bench.counter("fleetscope_otlp_requests_total{signal=\"metrics\",protocol=\"grpc\",code=\"0\"}"),
        4
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_words_of_grpc() {
    let served = Served::start(OtlpConfig::default()).await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let path = "opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
    let request = client.post(format!("http://{}/{path}", served.address)).header("content-type", "application/grpc");
    let response = request.body(framed(0, b"")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["grpc-status"].to_str().unwrap()), (200, "12"));
}

#[tokio::test]
async fn who_should_come_again_is_told_when() {
    let recorder = Arc::new(Recorder::default());
    let served = Served::start_with(OtlpConfig::default(), recorder.clone()).await;
    let full = || Error::new(ErrorKind::Busy, "the head is full").with_retry_after(std::time::Duration::from_secs(7));
    recorder.fail([full(), full(), full(), Error::internal("a fault")]);
    let response = served.post("application/json", json(GAUGE)).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    let said: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((&said["code"], &said["details"][0]["retryDelay"]), (&serde_json::json!(14), &serde_json::json!("7s")));
    let (code, body) = answer(served.post("application/x-protobuf", protobuf(GAUGE))).await;
    let details = b"type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07";
    assert!(code == 503 && body.ends_with(details), "{body:?}");
    let (status, _, details) = call(&served, framed(0, &protobuf(GAUGE)), None).await;
    assert_eq!(status, "14");
    assert!(details.unwrap().starts_with("CA4"), "code 14");
    let (status, _, _) = call(&served, framed(0, &protobuf(GAUGE)), None).await;
    assert_eq!(status, "13");
    assert_eq!(call(&served, framed(0, &protobuf(GAUGE)), None).await.0, "0");
}

#[tokio::test]
async fn deltas_are_written_as_what_they_add_up_to() {
    let push = PushConfig { cluster: Some("east".to_owned()), ..PushConfig::default() };
    let config = Config { push, ..Config::default() };
    let served = Served::start_whole(&config, Arc::new(Recorder::default())).await;
    let sum = |time: i64, value: i64| {
        let times =
            format!(r#""startTimeUnixNano":"{}","timeUnixNano":"{}""#, (time - 1) * 1_000_000, time * 1_000_000);
        let point = format!(r#"{{{times},"asInt":"{value}"}}"#);
        json(&format!(
            r#"{{"name":"hits","sum":{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{point}]}}}}"#
        ))
    };
    for (time, value) in [(T_MS, 3), (T_MS + 1000, 4), (T_MS + 1000, 4), (T_MS + 2000, 5)] {
        assert_eq!(answer(served.post("application/json", sum(time, value))).await.0, 200);
    }
    let row = |value, time| format!("hits_total{{job=shop}} {value} {time}");
    assert_eq!(served.rows(), [row(3, T_MS), row(7, T_MS + 1000), row(12, T_MS + 2000)]);
    assert_eq!(served.bench.counter("fleetscope_otlp_repeated_delta_points_total"), 1);
    assert!(served.bench.recorder.writes().iter().flatten().all(|row| row.cluster == "east"));
}

#[tokio::test]
async fn deltas_that_come_too_late_are_told_as_refused_and_counted() {
    let served = Served::start(OtlpConfig::default()).await;
    let push = async |seconds: &[i64]| {
        let point = |second: &i64| {
            let (start, time) = ((T_MS + (second - 1) * 1000) * 1_000_000, (T_MS + second * 1000) * 1_000_000);
            format!(
                r#"{{"startTimeUnixNano":"{start}","timeUnixNano":"{time}","count":1,"sum":1,"explicitBounds":[1],"bucketCounts":[1,0]}}"#
            )
        };
        let points = seconds.iter().map(point).collect::<Vec<_>>().join(",");
        let metric = format!(r#"{{"name":"d","histogram":{{"aggregationTemporality":1,"dataPoints":[{points}]}}}}"#);
        let (code, body) = answer(served.post("application/json", json(&metric))).await;
        assert_eq!(code, 200);
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["partialSuccess"].clone()
    };
    assert_eq!(push(&[1, 3]).await, serde_json::Value::Null);
    // Sent again, because the answer was lost: it was taken, and is not refused now.
    let told = push(&[1, 3]).await;
    assert_eq!(
        (&told["rejectedDataPoints"], told["errorMessage"].as_str().unwrap().contains("already")),
        (&"0".into(), true)
    );
    let told = push(&[2, 4]).await;
    assert_eq!(told["rejectedDataPoints"], "1", "{told}");
    assert!(
        told["errorMessage"].as_str().unwrap().starts_with("1 data point was refused: deltas are before"),
        "{told}"
    );
    let counter = |name: &str| served.bench.counter(name);
    assert_eq!(counter("fleetscope_otlp_repeated_delta_points_total"), 2);
    assert_eq!(
        (counter("fleetscope_otlp_refused_data_points_total"), counter("fleetscope_otlp_data_points_total")),
        (1, 5)
    );
    assert_eq!(
        counter("fleetscope_push_left_out_total{cluster=\"\",reason=\"out_of_order\"}"),
        4,
        "rows of one histogram"
    );
    let last = |name: &str| served.rows().into_iter().rfind(|row| row.starts_with(name)).unwrap();
    assert!(last("d_count").contains(" 3 "), "{}", last("d_count"));
}

#[tokio::test]
async fn after_a_restart_deltas_go_on_from_what_the_store_has() {
    let recorder = Arc::new(Recorder::default());
    let now_ms = SystemClock.now_ms();
    let delta = |seconds: i64, value: u32| {
        let (start, time) = ((now_ms - 60_000) * 1_000_000, (now_ms - 60_000 + seconds * 1000) * 1_000_000);
        let point = format!(r#"{{"startTimeUnixNano":"{start}","timeUnixNano":"{time}","asInt":"{value}"}}"#);
        format!(r#"{{"name":"orders","sum":{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{point}]}}}}"#)
    };
    let total = |served: &Served| {
        let rows = served.bench.recorder.writes().into_iter().flatten();
        rows.filter(|row| row.name == "orders_total").map(|row| row.value).collect::<Vec<_>>()
    };
    for (lives, expected) in [[5.0].as_slice(), &[5.0, 12.0], &[5.0, 12.0, 13.0]].into_iter().enumerate() {
        let served = Served::start_with(OtlpConfig::default(), recorder.clone()).await;
        let sent = [(1, 5), (2, 7), (3, 1)][lives];
        for _ in 0..2 {
            let request = served.post("application/json", json(&delta(sent.0, sent.1)));
            assert_eq!(answer(request).await.0, 200);
        }
        assert_eq!(total(&served), expected, "sent twice each, as after an answer that was lost");
    }
}
