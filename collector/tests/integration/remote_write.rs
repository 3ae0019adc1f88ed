//! Senders that send well.

use std::net::SocketAddr;
use std::sync::Arc;

use collector::Config;
use collector::config::{PushConfig, ReceiverConfig};
use model::batch::STALE_NAN_BITS;
use model::worker::Worker;
use model::{Error, ErrorKind};
use reqwest::{RequestBuilder, Response};

use crate::support::Bench;
use crate::support::recorder::{Recorder, Row};
use crate::support::sender::body;

/// Collectors whose routes are served.
pub(crate) struct Served {
    pub(crate) bench: Bench,
    pub(crate) address: SocketAddr,
    _worker: Worker,
}

impl Served {
    pub(crate) async fn start(remote_write: ReceiverConfig) -> Self {
        Self::start_with(remote_write, Arc::new(Recorder::default())).await
    }

    pub(crate) async fn start_with(remote_write: ReceiverConfig, recorder: Arc<Recorder>) -> Self {
        Self::start_whole(&Config { remote_write, ..Config::default() }, recorder).await
    }

    /// As [`Served::start_with`], with a configuration that says more than how to receive.
    pub(crate) async fn start_whole(config: &Config, recorder: Arc<Recorder>) -> Self {
        let bench = Bench::start_with(config, recorder);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = bench.collectors.routes().into_make_service_with_connect_info::<SocketAddr>();
        let worker = Worker::task("http", |_| async move { axum::serve(listener, service).await.unwrap() });
        Served { bench, address, _worker: worker }
    }

    /// Gives each push this cluster.
    pub(crate) async fn stamping(cluster: &str) -> Self {
        let push = PushConfig { cluster: Some(cluster.into()), ..PushConfig::default() };
        Self::start_whole(&Config { push, ..Config::default() }, Arc::new(Recorder::default())).await
    }

    /// A request with the usual headers.
    pub(crate) fn request(&self, body: Vec<u8>) -> RequestBuilder {
        reqwest::Client::new()
            .post(format!("http://{}/api/v1/write", self.address))
            .header("content-type", "application/x-protobuf")
            .header("content-encoding", "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(body)
    }

    /// Sends a body and gives status and text of the answer.
    pub(crate) async fn send(&self, body: Vec<u8>) -> (u16, String) {
        answer(self.request(body).send().await.unwrap()).await
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.bench.recorder.writes().into_iter().flatten().collect()
    }
}

pub(crate) async fn answer(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

/// A body with one sample of `a`.
pub(crate) fn small_body() -> Vec<u8> {
    body(&[(&[("__name__", "a"), ("job", "x")], &[(1_700_000_000_000, 1.5)])])
}

#[tokio::test]
async fn samples_are_acknowledged_once_they_are_written() {
    let served = Served::start(ReceiverConfig::default()).await;
    let stale = f64::from_bits(STALE_NAN_BITS);
    let sent = body(&[
        (&[("__name__", "a"), ("cluster", "own"), ("job", "x")], &[(1, 1.5), (2, -0.0)]),
        (&[("__name__", "b")], &[(3, stale)]),
    ]);
    assert_eq!(served.send(sent.clone()).await, (204, String::new()));
    let rows = served.rows();
    let text: Vec<String> = rows.iter().map(Row::text).collect();
    assert_eq!(text, ["a{job=x} 1.5 1", "a{job=x} -0 2", "b{} stale 3"]);
    let clusters: Vec<&str> = rows.iter().map(|row| row.cluster.as_str()).collect();
    assert_eq!(clusters, ["own", "own", ""]);

    let status = served.bench.status();
    assert_eq!((status.kind, status.instance.as_str(), status.cluster.as_str()), ("remote_write", "127.0.0.1", ""));
    assert_eq!((status.samples, status.error), (3, None));
    assert!(status.last_success_ms.is_some() && status.last_success_ms == status.last_attempt_ms);
    let counter = |name: &str| served.bench.counter(&format!("fleetscope_remote_write_{name}"));
    assert_eq!(counter("requests_total{code=\"204\"}"), 1);
    assert_eq!(counter("samples_total"), 3);
    assert_eq!(counter("body_bytes_total"), sent.len() as u64);
}

#[tokio::test]
async fn a_stamp_decides_the_cluster_and_a_reload_the_stamp() {
    let mut served = Served::stamping("pushed").await;
    let sent = || body(&[(&[("__name__", "a"), ("cluster", "own")], &[(1, 1.0)])]);
    assert_eq!(served.send(sent()).await.0, 204);
    served.bench.collectors.reload(&Config::default()).await.unwrap();
    assert_eq!(served.send(sent()).await.0, 204);
    let rows: Vec<(String, String)> = served.rows().into_iter().map(|row| (row.cluster, row.labels)).collect();
    let expected = [("pushed", "exported_cluster=own"), ("own", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_large_request_is_taken_whole() {
    let served = Served::start(ReceiverConfig::default()).await;
    let samples: Vec<(i64, f64)> = (0..100_000).map(|n| (1_700_000_000_000 + n, n as f64)).collect();
    let sent = body(&[(&[("__name__", "a")], &samples)]);
    assert_eq!(served.send(sent).await.0, 204);
    assert_eq!(served.rows().len(), 100_000);
}

#[tokio::test]
async fn headers_that_mean_the_same_are_accepted() {
    let served = Served::start(ReceiverConfig::default()).await;
    let plain = |content_type: &str| {
        let client = reqwest::Client::new();
        let request = client.post(format!("http://{}/api/v1/write", served.address)).body(small_body());
        if content_type.is_empty() { request } else { request.header("content-type", content_type) }
    };
    for content_type in ["", "application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest"] {
        let response = plain(content_type).send().await.unwrap();
        assert_eq!(answer(response).await, (204, String::new()), "{content_type}");
    }
    assert_eq!(served.rows().len(), 3);
}

#[tokio::test]
async fn a_request_without_samples_is_acknowledged_and_not_written() {
    let served = Served::start(ReceiverConfig::default()).await;
    assert_eq!(served.send(body(&[])).await.0, 204);
    assert_eq!(served.bench.recorder.offered(), 0);
}

#[tokio::test]
async fn the_answer_waits_for_the_store() {
    let recorder = Arc::new(Recorder::with_gate(0));
    let served = Served::start_with(ReceiverConfig::default(), recorder.clone()).await;
    let sending = served.send(small_body());
    tokio::pin!(sending);
    tokio::select! {
        answer = &mut sending => panic!("{answer:?} before the rows were written"),
        () = recorder.wait_for_offers(1) => {}
    }
    recorder.open(1);
    assert_eq!(sending.await.0, 204);
    assert_eq!(served.rows().len(), 1);
}

#[tokio::test]
async fn what_the_store_refuses_is_told_with_its_status() {
    let recorder = Arc::new(Recorder::default());
    let served = Served::start_with(ReceiverConfig::default(), recorder.clone()).await;
    let seconds = std::time::Duration::from_secs(7);
    let cases = [
        (Error::new(ErrorKind::Busy, "the head is full").with_retry_after(seconds), 503, Some("7")),
        (Error::new(ErrorKind::Unavailable, "the journal failed"), 503, Some("5")),
        (Error::invalid("such a series cannot be"), 400, None),
        (Error::internal("a fault"), 500, None),
    ];
    for (error, code, retry_after) in cases {
        let text = format!("{error}\n");
        recorder.fail([error]);
        let response = served.request(small_body()).send().await.unwrap();
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), retry_after);
        assert_eq!(answer(response).await, (code, text.clone()));
        assert_eq!(served.bench.status().error.unwrap(), text.trim());
    }
    assert_eq!(served.send(small_body()).await.0, 204);
    assert_eq!(served.bench.status().error, None);
    assert_eq!(served.bench.counter("fleetscope_remote_write_requests_total{code=\"503\"}"), 2);
}
