//! The load of an agent of remote write that never runs out: the series of part `remote_write`, a sample each in turn.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use model::Clock;
use reqwest::Client;

use crate::pace::{Request, Signal, Source};
use crate::{remote_write, wire};

/// Samples of a request, each of another series.
pub(crate) const OF_REQUEST: usize = 500;

/// Series, a request's worth of them in a chunk. No two samples of a series have one time, so that what was acknowledged
/// can be counted in the store.
#[derive(Debug)]
pub(crate) struct Load {
    chunks: Vec<Chunk>,
    made: AtomicUsize,
}

#[derive(Debug)]
struct Chunk {
    labels: Vec<Vec<u8>>,
    last_ms: AtomicI64,
}

impl Load {
    /// The load of so many series, a multiple of [`OF_REQUEST`].
    pub(crate) fn new(series: usize) -> Self {
        let chunk = |first| Chunk {
            labels: (first..first + OF_REQUEST).map(wire::kubelet).collect(),
            last_ms: AtomicI64::new(0),
        };
        Load { chunks: (0..series).step_by(OF_REQUEST).map(chunk).collect(), made: AtomicUsize::new(0) }
    }

    /// Requests until every series has had one more sample.
    pub(crate) fn of_round(&self) -> usize {
        self.chunks.len()
    }

    /// The body of the next request: a sample of this instant for each series whose turn it is.
    fn body(&self) -> Result<Vec<u8>, snap::Error> {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        let (round, place) = (made / self.chunks.len(), made % self.chunks.len());
        let chunk = &self.chunks[place];
        let now_ms = model::SystemClock.now_ms();
        let later = |last_ms: i64| now_ms.max(last_ms + 1);
        let time_ms = chunk.last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last_ms| Some(later(last_ms)));
        let time_ms = later(time_ms.unwrap_or_else(|last_ms| last_ms));
        let mut request = wire::Request::default();
        for (at, labels) in chunk.labels.iter().enumerate() {
            request.push(labels, [(time_ms, value(place * OF_REQUEST + at, round))].into_iter());
        }
        request.compressed()
    }
}

impl Source for Load {
    fn next(&self, client: &Client, url: &str) -> Result<Request, snap::Error> {
        Ok(Request { signal: Signal::Samples, builder: remote_write::request(client, url, self.body()?) })
    }
}

/// The value of a series' counter after so many samples.
pub(crate) fn value(index: usize, step: usize) -> f64 {
    (index * 1234 + step * (index % 7 + 1)) as f64 + 0.5
}
