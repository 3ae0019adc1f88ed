//! The question: the protobuf message `prometheus.ReadRequest`, written with one query, read with any number.
//!
//! ```text
//! ReadRequest { queries = 1: Query, accepted_response_types = 2: enum }
//! Query { start_timestamp_ms = 1, end_timestamp_ms = 2, matchers = 3: LabelMatcher, hints = 4: ReadHints }
//! LabelMatcher { type = 1: enum, name = 2, value = 3 }
//! ReadHints { step_ms = 1, func = 2, start_ms = 3, end_ms = 4, grouping = 5, by = 6: bool, range_ms = 7 }
//! ```

mod read;

use std::ops::RangeInclusive;

pub use self::read::{Request, decode_request};
use crate::Error;
use crate::error::quoted;
use crate::protobuf::message::Message;

/// What is asked for: every raw sample of the series that fulfil all matchers.
#[derive(Debug, Clone)]
pub struct Query {
    /// Milliseconds since the Unix epoch, both ends included.
    pub time_ms: RangeInclusive<i64>,
    /// Conditions on labels, `__name__` among them.
    pub matchers: Vec<Matcher>,
    /// What the answer is for, which some servers use to read less.
    pub hints: Option<Hints>,
}

/// A condition on one label; a label that a series lacks has the empty value.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label's name.
    pub label: String,
    /// How value and label are compared.
    pub operator: Operator,
    /// The value, or an expression, which the server anchors at both ends.
    pub value: String,
}

/// How the value of a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal = 0,
    /// `!=`
    NotEqual = 1,
    /// `=~`
    Matches = 2,
    /// `!~`
    MatchesNot = 3,
}

/// What the answer to a query is for. Servers may ignore it.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Step of the query in milliseconds.
    pub step_ms: i64,
    /// The function or aggregation around the selector.
    pub function: String,
    /// Start of the evaluation, milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// End of the evaluation, milliseconds since the Unix epoch.
    pub end_ms: i64,
    /// Labels of an aggregation.
    pub grouping: Vec<String>,
    /// Whether these labels are kept (`by`) or dropped (`without`).
    pub by: bool,
    /// Length of the range of a range selector in milliseconds.
    pub range_ms: i64,
}

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseType {
    /// One message with every sample, compressed with snappy. Every server knows it, and holds all of it in memory.
    /// Prometheus before 2.44 leaves out native histograms, and what follows one in its series, without a word.
    Samples = 0,
    /// A stream of frames with chunks as they lie in the server's blocks.
    StreamedXorChunks = 1,
}

impl ResponseType {
    /// The `Content-Type` header of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            ResponseType::Samples => "application/x-protobuf",
            ResponseType::StreamedXorChunks => "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse",
        }
    }

    /// Streamed if the server can: the order in which it should look.
    pub const PREFERRED: [ResponseType; 2] = [ResponseType::StreamedXorChunks, ResponseType::Samples];

    /// Reads the `Content-Type` header of an answer.
    ///
    /// # Errors
    /// `Invalid` for any other type: what answered does not speak remote read.
    pub fn parse(header: &str) -> Result<Self, Error> {
        let lower = header.to_ascii_lowercase();
        let (media, parameters) = lower.split_once(';').unwrap_or((&lower, ""));
        match (media.trim(), parameters.trim()) {
            ("application/x-protobuf", _) => Ok(ResponseType::Samples),
            ("application/x-streamed-protobuf", "proto=prometheus.chunkedreadresponse") => {
                Ok(ResponseType::StreamedXorChunks)
            }
            _ => {
                let given = quoted(header.as_bytes());
                Err(Error::invalid(format!("an answer of content type {given} is none of remote read: check the URL")))
            }
        }
    }
}

/// Writes the body of a request, compressed with snappy; the server takes the first of `accepted` that it knows.
///
/// The request goes with `Content-Encoding: snappy`, `Content-Type: application/x-protobuf` and
/// `X-Prometheus-Remote-Read-Version: 0.1.0`.
///
/// # Errors
/// `TooLarge` if it has more than 4 GiB, which snappy cannot hold.
pub fn encode_request(query: &Query, accepted: &[ResponseType]) -> Result<Vec<u8>, Error> {
    let mut request = Message::default();
    request.sized(1, &encode_query(query).0);
    // Packed, as the third version of protocol buffers writes numbers that come several times.
    request.bytes(2, &accepted.iter().map(|accepted| *accepted as u8).collect::<Vec<_>>());
    let too_large = |error: snap::Error| Error::too_large(format!("the request cannot be compressed: {error}"));
    snap::raw::Encoder::new().compress_vec(&request.0).map_err(too_large)
}

fn encode_query(query: &Query) -> Message {
    let mut message = Message::default();
    message.number(1, *query.time_ms.start());
    message.number(2, *query.time_ms.end());
    for matcher in &query.matchers {
        let mut condition = Message::default();
        condition.number(1, matcher.operator as i64);
        condition.bytes(2, matcher.label.as_bytes());
        condition.bytes(3, matcher.value.as_bytes());
        message.sized(3, &condition.0);
    }
    if let Some(hints) = &query.hints {
        message.sized(4, &encode_hints(hints).0);
    }
    message
}

fn encode_hints(hints: &Hints) -> Message {
    let mut message = Message::default();
    message.number(1, hints.step_ms);
    message.bytes(2, hints.function.as_bytes());
    message.number(3, hints.start_ms);
    message.number(4, hints.end_ms);
    for label in &hints.grouping {
        message.sized(5, label.as_bytes());
    }
    message.number(6, i64::from(hints.by));
    message.number(7, hints.range_ms);
    message
}
