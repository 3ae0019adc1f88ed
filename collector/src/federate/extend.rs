//! Adds rows to a batch whose labels are not in its body yet.

use bytes::{BufMut, BytesMut};
use model::Batch;
use model::batch::{Kind, RawSeries, Sample};

/// Rows on their way into a batch: the body is opened once, however many there are.
///
/// So the rows of an answer, its staleness markers and the rows of its report are one batch, written whole or not at all.
#[derive(Debug)]
pub(crate) struct Extension {
    body: BytesMut,
    series: Vec<RawSeries>,
    samples: Vec<Sample>,
    first: usize,
}

impl Extension {
    /// Opens the body of `batch`, which has none until [`Extension::finish`], for `label_bytes` more.
    pub(crate) fn of(batch: &mut Batch, label_bytes: usize) -> Self {
        let body = std::mem::take(&mut batch.body);
        let body = match body.try_into_mut() {
            Ok(own) if own.capacity() - own.len() >= label_bytes => own,
            Ok(full) => copied(&full, label_bytes),
            Err(shared) => copied(&shared, label_bytes),
        };
        Extension { body, series: Vec::new(), samples: Vec::new(), first: batch.series.len() }
    }

    /// Adds one series with one sample; `labels` are in the encoding of the batch.
    pub(crate) fn push(&mut self, labels: &[u8], kind: Kind, time_ms: i64, value: f64) {
        let start = self.body.len() as u32;
        self.body.put_slice(labels);
        let hash = Batch::hash(labels);
        self.samples.push(Sample { series: (self.first + self.series.len()) as u32, time_ms, value });
        self.series.push(RawSeries { labels: start..self.body.len() as u32, hash, kind });
    }

    /// Closes the body.
    pub(crate) fn finish(mut self, batch: &mut Batch) {
        batch.body = self.body.freeze();
        batch.series.append(&mut self.series);
        batch.samples.append(&mut self.samples);
    }
}

/// Not left to `reserve`, which would double the room of a body that is kept until the next answer.
fn copied(body: &[u8], room: usize) -> BytesMut {
    let mut copy = BytesMut::with_capacity(body.len() + room);
    copy.put_slice(body);
    copy
}
