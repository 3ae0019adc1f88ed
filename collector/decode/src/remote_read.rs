//! Prometheus' remote read, both sides: queries and raw samples, both ways of answering.
//!
//! Owns: the request, the frames of a streamed answer, the messages of both kinds of answer.
//! Does not own: HTTP, who is asked when and for what; series and their labels (`protobuf.rs`, shared with remote write).
//!
//! ```text
//! Query ─ encode_request ─> body of POST /api/v1/read ── body::decompress ─> ReadRequest ─ decode_request ─> Request
//!
//! SAMPLES               Series ─ SamplesAnswer ─> one body ── body::decompress ─> ReadResponse ───────── decode_samples ─> Part
//! STREAMED_XOR_CHUNKS   Series ─ push_frames ─> bytes as they come ── Frames ─> ChunkedReadResponse … ─ decode_chunks ──┘
//! ```
//!
//! The labels of a series have the bytes that they have in remote write, so that a store which knows a series from
//! there knows it from here. External labels of the server are among them, and the order is the server's: sorted.
//!
//! ```text
//! ReadResponse { results = 1: QueryResult }                  QueryResult { timeseries = 1: TimeSeries }
//! ChunkedReadResponse { chunked_series = 1: ChunkedSeries, query_index = 2 }
//! ChunkedSeries { labels = 1: Label, chunks = 2: Chunk }
//! Chunk { min_time_ms = 1, max_time_ms = 2, type = 3: enum, data = 4 }
//! ```
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>, `remote.proto` and `types.proto`
//! there, and Prometheus 2.42 observed.

mod answer;
mod bits;
mod chunks;
mod frames;
mod histogram_chunk;
mod request;
mod xor;

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use model::Batch;

pub use self::answer::{SamplesAnswer, Series, push_frames};
pub use self::frames::Frames;
pub use self::request::{Hints, Matcher, Operator, Query, Request, ResponseType, decode_request, encode_request};
pub use self::xor::xor_chunk;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Decoder, wrong_type};
use crate::{Error, Limits};

/// What an answer, or one part of a streamed one, has become.
#[derive(Debug)]
pub struct Part {
    /// The samples and native histograms within the times that were asked for, values bit for bit, staleness markers
    /// among them. Its label encoding is [`crate::remote_write::ENCODING`].
    pub batch: Batch,
}

/// Reads a whole `ReadResponse` to a request of one query, already decompressed.
///
/// Samples outside `time_ms` are left out, as are series without any other. Prometheus writes no −0 into such an
/// answer, because protocol buffers leave out what is equal to zero: bit for bit only chunks have all values.
///
/// # Errors
/// `Invalid` if the bytes are no such message or answer more than one query, and for what
/// [`crate::remote_write::decode`] refuses in a series, except that one may have no name; `TooLarge` if a limit is broken.
pub fn decode_samples(body: &Bytes, time_ms: RangeInclusive<i64>, limits: &Limits) -> Result<Part, Error> {
    let mut decoder = Decoder::of_answer("answer", body, time_ms, limits)?;
    let mut results = 0;
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(_)) if results == 1 => {
                return Err(Error::invalid("the answer has the results of several queries, one was asked"));
            }
            (1, Value::Bytes(range)) => {
                results += 1;
                decoder.query_result(range)?;
            }
            (1, _) => return Err(wrong_type("ReadResponse", number)),
            _ => {}
        }
    }
    Ok(Part { batch: decoder.finish()? })
}

/// Reads a `ChunkedReadResponse` to a request of one query: the payload of one frame, or of several as [`Frames`] puts
/// them one behind the other.
///
/// Servers may send whole chunks, as Prometheus before 2.21 did: samples outside `time_ms` are left out, as are series
/// without any other. Every sample of a chunk counts against [`Limits::max_rows`], because it has to be unpacked first.
/// A frame of the usual 1 MiB may hold two million samples of a series that never changes.
///
/// # Errors
/// `Invalid` if the bytes are no such message, answer another query, or hold a chunk that is damaged or of an encoding
/// that is not known or of native histograms, and for what [`crate::remote_write::decode`] refuses in a series, except
/// that one may have no name; `TooLarge` if a limit is broken. An answer of samples has the histograms too.
pub fn decode_chunks(frame: &Bytes, time_ms: RangeInclusive<i64>, limits: &Limits) -> Result<Part, Error> {
    let mut decoder = Decoder::of_answer("frame", frame, time_ms, limits)?;
    let mut fields = Fields::new(frame, 0..frame.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => decoder.chunked_series(range)?,
            (2, Value::Varint(0)) => {}
            (2, Value::Varint(index)) => {
                return Err(Error::invalid(format!("a frame answers the query with index {index}, one was asked")));
            }
            (1 | 2, _) => return Err(wrong_type("ChunkedReadResponse", number)),
            _ => {}
        }
    }
    Ok(Part { batch: decoder.finish()? })
}

impl Decoder<'_> {
    fn query_result(&mut self, range: Range<usize>) -> Result<(), Error> {
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => self.series(range)?,
                (1, _) => return Err(wrong_type("QueryResult", number)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
