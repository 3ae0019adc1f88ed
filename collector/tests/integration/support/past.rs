//! A server that speaks remote read and has a past: one sample a second of one series, since ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use collector::config::{FederateConfig, Via};
use model::{Clock, SystemClock};
use parking_lot::Mutex;

use super::quick;
use super::recorder::Row;
use super::sender::{compressed, field, message};
use super::server::{Reply, Server, answer_with};

/// The headers of an answer with samples.
pub(crate) const SAMPLES: [&str; 2] = ["Content-Type: application/x-protobuf", "Content-Encoding: snappy"];
/// The header of an answer with chunks.
pub(crate) const CHUNKS: &str = "Content-Type: application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/// The times of a question: both ends are asked for.
pub(crate) type Times = (i64, i64);

/// What a server does with a question instead of answering it.
type Script = dyn Fn(usize, Times) -> Option<Reply> + Send + Sync;

/// A server with a past, and the questions it was asked.
pub(crate) struct Past {
    pub(crate) server: Server,
    questions: Arc<Mutex<Vec<Times>>>,
}

impl Past {
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| None).await
    }

    /// A server that does what `script` says; it gets the number of the question, from 0, and its times.
    pub(crate) async fn with(script: impl Fn(usize, Times) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let questions = Arc::new(Mutex::new(Vec::new()));
        let (log, script): (_, Box<Script>) = (questions.clone(), Box::new(script));
        let server = Server::reading(move |number, head, body| {
            assert!(head.starts_with("POST /api/v1/read "), "{head}");
            let times = times_of(body);
            log.lock().push(times);
            script(number, times).unwrap_or_else(|| answer(times))
        });
        Past { server: server.await, questions }
    }

    /// How it is configured: read twice a second, two minutes back, without delay.
    pub(crate) fn config(&self) -> FederateConfig {
        FederateConfig {
            via: Via::RemoteRead,
            delay: Some(std::time::Duration::ZERO),
            backfill: Some(std::time::Duration::from_secs(120)),
            ..quick(&self.server.url())
        }
    }

    pub(crate) fn questions(&self) -> Vec<Times> {
        self.questions.lock().clone()
    }
}

/// Every sample of these times.
pub(crate) fn answer(times: Times) -> Reply {
    Reply::Bytes(answer_with("200 OK", &SAMPLES, &compressed(&response(times))))
}

/// The message with every sample of these times that there are by now.
pub(crate) fn response((from_ms, until_ms): Times) -> Vec<u8> {
    let until_ms = until_ms.min(SystemClock.now_ms());
    let first = from_ms.div_euclid(1000) + i64::from(from_ms.rem_euclid(1000) > 0);
    let samples: Vec<(i64, f64)> =
        (first..=until_ms.div_euclid(1000)).map(|second| (second * 1000, second as f64)).collect();
    let mut response = Vec::new();
    field(&mut response, 1, &message(&[(&[("__name__", "load"), ("instance", "a:1")], &samples)]));
    response
}

/// The samples of the past that were written: how often each second was.
pub(crate) fn seconds(writes: &[Vec<Row>]) -> BTreeMap<i64, usize> {
    let mut seconds = BTreeMap::new();
    for row in writes.iter().flatten().filter(|row| row.name == "load") {
        assert_eq!(
            (row.value, row.cluster.as_str(), row.labels.as_str()),
            (row.time_ms as f64 / 1e3, "east", "instance=a:1")
        );
        *seconds.entry(row.time_ms / 1000).or_default() += 1;
    }
    seconds
}

/// Whether every second is there between these times.
pub(crate) fn is_whole(writes: &[Vec<Row>], from_ms: i64, until_ms: i64) -> bool {
    let there = seconds(writes);
    (from_ms / 1000 + 1..=until_ms / 1000).all(|second| there.contains_key(&second))
}

/// The times of the one query of a request.
fn times_of(body: &[u8]) -> Times {
    let request = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let mut at = 0;
    assert_eq!(varint(&request, &mut at), 1 << 3 | 2, "the first field is a query");
    let end = varint(&request, &mut at) as usize + at;
    let mut times = (0, 0);
    while at < end {
        match varint(&request, &mut at) {
            8 => times.0 = varint(&request, &mut at) as i64,
            16 => times.1 = varint(&request, &mut at) as i64,
            tag => {
                assert_eq!(tag & 7, 2, "a message or a text");
                let length = varint(&request, &mut at) as usize;
                at += length;
            }
        }
    }
    times
}

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return number;
        }
    }
}
