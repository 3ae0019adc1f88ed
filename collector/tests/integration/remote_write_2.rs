//! Senders of remote write 2.0, and what is left out of a request while the rest of it is written.

use collector::config::ReceiverConfig;
use model::batch::{Kind, Start};
use model::{Clock, Error, ErrorKind, SystemClock};
use reqwest::Response;

use crate::remote_write::{Served, answer};
use crate::support::recorder::Row;
use crate::support::sender::{Request2, compressed, field, histogram, message, sample};

const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const A: &[(&str, &str)] = &[("__name__", "a"), ("job", "x")];

async fn send(served: &Served, body: Vec<u8>) -> Response {
    let mut request = served.request(body).build().unwrap();
    request.headers_mut().insert("content-type", V2.parse().unwrap());
    reqwest::Client::new().execute(request).await.unwrap()
}

/// Samples, histograms and exemplars that an answer says were written, if it says that.
fn written(response: &Response) -> Option<[u64; 3]> {
    let count = |what: &str| {
        let value = response.headers().get(format!("x-prometheus-remote-write-{what}-written"))?;
        value.to_str().unwrap().parse().ok()
    };
    Some([count("samples")?, count("histograms")?, count("exemplars")?])
}

/// A request with two samples, a histogram, an exemplar and what a series says of itself.
fn request() -> Request2 {
    let mut request = Request2::default();
    let (trace, id) = (request.symbol("trace_id"), request.symbol("4bf9"));
    let mut exemplar = vec![2 << 3 | 1];
    exemplar.extend_from_slice(&0.5f64.to_bits().to_le_bytes());
    field(&mut exemplar, 1, &[trace as u8, id as u8]);
    let help = request.symbol("Requests.");
    let metadata = vec![1 << 3, 1, 3 << 3, help as u8];
    request.push(A, &[(2, sample(10, 1.5, 3)), (2, sample(11, 2.5, 3)), (4, exemplar), (5, metadata)]);
    request.push(&[("__name__", "h")], &[(3, histogram(12, 3))]);
    request
}

#[tokio::test]
async fn a_request_is_acknowledged_with_what_was_written() {
    let served = Served::start(ReceiverConfig::default()).await;
    let response = send(&served, request().body()).await;
    assert_eq!(written(&response), Some([2, 1, 1]));
    assert_eq!(answer(response).await, (204, String::new()));
    let rows: Vec<String> = served.rows().iter().map(Row::text).collect();
    assert_eq!(rows, ["a{job=x} 1.5 10", "a{job=x} 2.5 11"]);
    let batch = &served.bench.recorder.batches()[0];
    assert_eq!(batch.starts, [Start { series: 0, time_ms: 10, start_ms: 3 }]);
    assert_eq!((batch.metadata[0].name.as_str(), batch.metadata[0].kind), ("a", Kind::Counter));
    assert_eq!(batch.exemplars[0].labels, [("trace_id".to_owned(), "4bf9".to_owned())]);
    let histograms = served.bench.recorder.histograms();
    assert_eq!((histograms[0].0.name.as_ref(), histograms[0].1.time_ms, histograms[0].1.value.buckets()), ("h", 12, 2));
    assert_eq!((served.bench.status().samples, served.bench.status().error), (3, None));
    for (name, count) in [("samples", 2), ("histograms", 1), ("exemplars", 1)] {
        assert_eq!(served.bench.counter(&format!("fleetscope_remote_write_{name}_total")), count);
    }
    // Nothing is little, and said all the same.
    let response = send(&served, Request2::default().body()).await;
    assert_eq!((written(&response), response.status().as_u16()), (Some([0, 0, 0]), 204));
}

#[tokio::test]
async fn every_path_is_the_same_receiver() {
    let served = Served::start(ReceiverConfig::default()).await;
    for path in ["/api/v1/write", "/prometheus/api/v1/write", "/api/v1/push"] {
        let url = format!("http://{}{path}", served.address);
        let one = message(&[(A, &[(1, 1.0)])]);
        let response = reqwest::Client::new().post(&url).body(compressed(&one)).send().await.unwrap();
        assert_eq!((response.status().as_u16(), written(&response)), (204, None), "{path}");
        let response = reqwest::Client::new().post(&url).header("content-type", V2).body(request().body());
        assert_eq!(written(&response.send().await.unwrap()), Some([2, 1, 1]), "{path}");
        assert_eq!(reqwest::get(url).await.unwrap().status().as_u16(), 405, "{path}");
    }
    assert_eq!(served.rows().len(), 9);
}

#[tokio::test]
async fn what_is_good_is_written_and_what_is_bad_is_listed() {
    let served = Served::start(ReceiverConfig::default()).await;
    let mut request = request();
    request.push(&[("job", "x")], &[(2, sample(1, 1.0, 0))]);
    request.push(&[("__name__", "empty")], &[]);
    request.push(&[("__name__", "bad")], &[(3, histogram(1, 9)), (3, histogram(2, 3))]);
    let response = send(&served, request.body()).await;
    assert_eq!(written(&response), Some([2, 2, 1]));
    let (status, text) = answer(response).await;
    assert_eq!(status, 400);
    assert!(text.starts_with("3 rows were not written, the others were: a series has no name"), "{text}");
    for part in [
        "neither a sample nor a histogram nor an exemplar, in series empty",
        "counts 9 observations, its buckets 3, in series bad",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(served.bench.status().error.unwrap(), text.trim());
    let refused = |reason: &str| {
        served.bench.counter(&format!("fleetscope_push_left_out_total{{cluster=\"\",reason=\"{reason}\"}}"))
    };
    assert_eq!(["invalid_labels", "empty_series", "invalid_histogram"].map(refused), [1, 1, 1]);
}

#[tokio::test]
async fn the_first_version_is_told_of_bad_rows_as_well() {
    let served = Served::start(ReceiverConfig::default()).await;
    let mut series = Vec::new();
    let mut label = Vec::new();
    field(&mut label, 1, b"__name__");
    field(&mut label, 2, b"h");
    field(&mut series, 1, &label);
    field(&mut series, 4, &histogram(1, 9));
    field(&mut series, 4, &histogram(2, 3));
    let mut request = message(&[(&[("x", "y")], &[(1, 1.0)]), (A, &[(1, 1.0)])]);
    field(&mut request, 1, &series);
    let response = served.request(compressed(&request)).send().await.unwrap();
    assert_eq!(written(&response), None);
    let (status, text) = answer(response).await;
    // The series without a name is counted, and not what the 400 is for.
    assert!(status == 400 && text.starts_with("1 row was not written") && text.contains("in series h"), "{text}");
    assert_eq!((served.rows().len(), served.bench.recorder.histograms().len()), (1, 1));
}

#[tokio::test]
async fn what_is_too_far_in_the_future_is_left_out() {
    let served = Served::start(ReceiverConfig::default()).await;
    let now_ms = SystemClock.now_ms();
    let (near_ms, far_ms) = (now_ms + 540_000, now_ms + 660_000);
    let (status, text) = served.send(compressed(&message(&[(A, &[(near_ms, 1.0), (far_ms, 2.0)])]))).await;
    assert!(status == 400 && text.contains(&format!("{far_ms} ms of series a{{job=\"x\"}} is too far")), "{text}");
    let mut request = Request2::default();
    request.push(A, &[(2, sample(far_ms, 1.0, 0)), (2, sample(near_ms, 1.0, 0)), (3, histogram(far_ms, 3))]);
    let response = send(&served, request.body()).await;
    assert_eq!((written(&response), response.status().as_u16()), (Some([1, 0, 0]), 400));
    assert_eq!(served.rows().iter().map(|row| row.time_ms).collect::<Vec<_>>(), [near_ms, near_ms]);
    assert_eq!(served.bench.counter("fleetscope_push_left_out_total{cluster=\"\",reason=\"out_of_range\"}"), 3);
}

#[tokio::test]
async fn nothing_is_written_of_what_is_damaged_or_what_the_store_refuses() {
    let served = Served::start(ReceiverConfig::default()).await;
    let good = request().body();
    let mut damaged = snap::raw::Decoder::new().decompress_vec(&good).unwrap();
    damaged.truncate(damaged.len() - 1);
    let first_version = message(&[(A, &[(1, 1.0)])]);
    for body in [compressed(&damaged), good[..good.len() - 2].to_vec(), compressed(&first_version), Vec::new()] {
        let response = send(&served, body).await;
        assert_eq!((written(&response), response.status().as_u16()), (Some([0, 0, 0]), 400));
    }
    assert_eq!(served.bench.recorder.offered(), 0);
    let errors = [(Error::new(ErrorKind::Busy, "full"), 503), (Error::invalid("such a series cannot be"), 400)];
    for (error, code) in errors {
        served.bench.recorder.fail([error]);
        let response = send(&served, request().body()).await;
        assert_eq!((written(&response), response.status().as_u16()), (Some([0, 0, 0]), code));
    }
    // A message that is said to be another one is told so.
    let (status, text) = served.send(request().body()).await;
    assert!(status == 400 && text.contains("proto=io.prometheus.write.v2.Request"), "{text}");
}
