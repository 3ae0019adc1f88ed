//! The streamed answer: frames (`../frames.rs` has their format) of chunks.

use std::ops::RangeInclusive;

use super::{Series, labels};
use crate::protobuf::message::Message;
use crate::remote_read::chunks::{FLOAT_HISTOGRAM, XOR};
use crate::remote_read::histogram_chunk::float_histogram_chunk;
use crate::remote_read::xor_chunk;

/// Samples of a chunk. Clients read a chunk as a whole, and Prometheus makes none with more.
const CHUNK_SAMPLES: usize = 120;
/// Bytes of a frame from which on the rest of the series goes into the next one.
const FRAME_BYTES: usize = 1 << 20;

/// Appends the frames of a series of the query with this index; of one without samples a frame that has its labels. A frame
/// holds one series, or a part of one: of further series in a frame Prometheus as a client sees nothing.
pub fn push_frames(query: usize, series: &Series<'_>, into: &mut Vec<u8>) {
    let labels = labels(series);
    let mut message = Message(labels.0.clone());
    let is_empty = |message: &Message| message.0.len() == labels.0.len();
    for chunk in Chunks::of(series) {
        let chunk = chunk.message();
        if !is_empty(&message) && message.0.len() + chunk.0.len() > FRAME_BYTES {
            push_frame(query, &message, into);
            message.0.truncate(labels.0.len());
        }
        message.sized(2, &chunk.0);
    }
    // No frame ends with the last chunk: what is left is that chunk, or labels that had none.
    push_frame(query, &message, into);
}

/// `ChunkedReadResponse { chunked_series = 1: ChunkedSeries, query_index = 2 }` with length and checksum before it.
fn push_frame(query: usize, series: &Message, into: &mut Vec<u8>) {
    let mut response = Message::default();
    response.sized(1, &series.0);
    response.number(2, query as i64);
    let mut head = Message::default();
    head.varint(response.0.len() as u64);
    into.extend_from_slice(&head.0);
    into.extend_from_slice(&crc32c::crc32c(&response.0).to_be_bytes());
    into.extend_from_slice(&response.0);
}

/// A chunk with the times of its first and last sample, in milliseconds.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) time_ms: RangeInclusive<i64>,
    encoding: u64,
    data: Vec<u8>,
}

impl Chunk {
    fn message(&self) -> Message {
        let mut message = Message::default();
        message.number(1, *self.time_ms.start());
        message.number(2, *self.time_ms.end());
        message.number(3, self.encoding as i64);
        message.bytes(4, &self.data);
        message
    }
}

/// The chunks of a series in order of time.
pub(super) struct Chunks<'a> {
    series: &'a Series<'a>,
    /// How many numbers and histograms are in chunks already.
    numbers: usize,
    histograms: usize,
}

impl<'a> Chunks<'a> {
    pub(super) fn of(series: &'a Series<'a>) -> Self {
        Chunks { series, numbers: 0, histograms: 0 }
    }
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let Series { times_ms, values, histograms, .. } = self.series;
        let times = &times_ms[self.numbers..];
        let histogram = histograms.get(self.histograms);
        // No chunk of numbers reaches beyond a histogram.
        let before = times.iter().take(CHUNK_SAMPLES).take_while(|at| histogram.is_none_or(|one| **at < one.0));
        let times = &times[..before.count()];
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            let bits = values[self.numbers..].iter().map(|value| value.to_bits());
            self.numbers += times.len();
            let data = xor_chunk(times.iter().copied().zip(bits));
            return Some(Chunk { time_ms: *first..=*last, encoding: XOR, data });
        }
        let (time_ms, histogram) = histogram?;
        self.histograms += 1;
        let data = float_histogram_chunk(*time_ms, histogram);
        Some(Chunk { time_ms: *time_ms..=*time_ms, encoding: FLOAT_HISTOGRAM, data })
    }
}
