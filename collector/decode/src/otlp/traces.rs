//! OTLP traces: the protobuf message `ExportTraceServiceRequest` as spans.
//!
//! Owns: the spans of the message, what becomes of each of their fields, which spans are refused and why.
//! Does not own: the resources and scopes around them ([`super::envelope`]), compression, headers and answers, the cluster.
//!
//! ```text
//! Span { trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6,
//!        start_time_unix_nano = 7: fixed64, end_time_unix_nano = 8: fixed64, attributes = 9, dropped_attributes_count = 10,
//!        events = 11, dropped_events_count = 12, links = 13, dropped_links_count = 14, status = 15, flags = 16: fixed32 }
//! Status { message = 2, code = 3 }
//! ```
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto`

mod points;

use std::ops::Range;

use model::Spans;
use model::spans::Span;

use super::attributes::RowAttributes;
use super::envelope::{Envelope, Record, Words};
use super::values::Form;
use super::{Fault, Refused};
use crate::protobuf::wire::{Fields, Value};
use crate::{Error, Limits};

const WORDS: Words =
    Words { request: "ExportTraceServiceRequest", resource: "ResourceSpans", scope: "ScopeSpans", record: "a span" };

/// The last kind of span, CONSUMER.
const MAX_KIND: u64 = 5;
/// The last status code, ERROR.
const MAX_STATUS: u64 = 2;

/// A request for traces that was read.
#[derive(Debug)]
pub struct DecodedSpans {
    /// Its spans.
    pub spans: Spans,
    /// The spans that are not among them.
    pub refused: Refused,
}

/// Reads a whole request for traces, protobuf, already decompressed.
///
/// A span that is wrong by itself, or later than `latest_ms`, is left out with its events and links, and counted.
///
/// # Errors
/// `Invalid` if the bytes are no such message, `TooLarge` if a limit on the whole is broken: then nothing is taken.
pub fn decode(body: &[u8], latest_ms: i64, limits: &Limits) -> Result<DecodedSpans, Error> {
    let mut decoder = Decoder {
        envelope: Envelope::new(body, latest_ms, limits, &WORDS)?,
        attributes: RowAttributes::new(body, limits),
        name: 0..0,
        events: Vec::new(),
        spans: Spans::default(),
    };
    match decoder.records() {
        Ok(()) => Ok(DecodedSpans { spans: decoder.spans, refused: decoder.envelope.finish() }),
        Err(Fault::Fatal(error)) => Err(error),
        Err(Fault::Refused(reason)) => Err(Error::invalid(reason)),
    }
}

/// Spans while they are made of a request.
struct Decoder<'a> {
    envelope: Envelope<'a>,
    attributes: RowAttributes<'a>,
    /// Where the name of the span at hand is, as far as it is known.
    name: Range<usize>,
    /// Where the events of the span at hand are. Kept and reused.
    events: Vec<Range<usize>>,
    spans: Spans,
}

/// The fields of a span that are looked at once all are known.
#[derive(Debug, Default)]
struct Parts {
    trace_id: Range<usize>,
    span_id: Range<usize>,
    parent_span_id: Range<usize>,
    trace_state: Range<usize>,
    start: u64,
    end: u64,
    status_message: Range<usize>,
}

impl Decoder<'_> {
    fn records(&mut self) -> Result<(), Fault> {
        while let Some(record) = self.envelope.next(&mut self.spans.resources, &mut self.spans.scopes)? {
            match self.span(record) {
                Ok(()) => {}
                Err(Fault::Refused(reason)) => {
                    self.spans.cancel();
                    self.envelope.refuse(&self.envelope.body[self.name.clone()], &reason);
                }
                Err(fatal) => return Err(fatal),
            }
        }
        Ok(())
    }

    fn span(&mut self, record: Record) -> Result<(), Fault> {
        let mut row = Span { resource: record.resource, scope: record.scope, ..Span::default() };
        let (mut parts, mut read) = (Parts::default(), 0);
        self.name = 0..0;
        self.events.clear();
        let mut fields = Fields::new(self.envelope.body, record.range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => parts.trace_id = range,
                (2, Value::Bytes(range)) => parts.span_id = range,
                (3, Value::Bytes(range)) => parts.trace_state = range,
                (4, Value::Bytes(range)) => parts.parent_span_id = range,
                (5, Value::Bytes(range)) => self.name = range,
                (6, Value::Varint(kind)) => row.kind = if kind <= MAX_KIND { kind as u8 } else { 0 },
                (7, Value::Fixed64(nanos)) => parts.start = nanos,
                (8, Value::Fixed64(nanos)) => parts.end = nanos,
                (9, Value::Bytes(range)) => self.attributes.push(range, &mut read, &mut self.spans.attributes)?,
                (11, Value::Bytes(range)) => {
                    self.envelope.count_rows(1)?;
                    self.events.push(range);
                }
                (13, Value::Bytes(range)) => self.link(range)?,
                (15, Value::Bytes(range)) => self.status(range, &mut row, &mut parts)?,
                (16, Value::Fixed32(flags)) => row.flags = flags,
                (1..=9 | 11 | 13 | 15 | 16, _) => return Err(Fault::wrong_type("Span", number)),
                _ => {}
            }
        }
        self.identify(&parts, &mut row)?;
        self.times(&parts, &mut row)?;
        self.events(row.start_time_unix_nano)?;
        self.envelope.push_scope(&mut self.spans.attributes)?;
        self.push(&row, &parts)
    }

    fn push(&mut self, row: &Span<'_>, parts: &Parts) -> Result<(), Fault> {
        let body = self.envelope.body;
        let text = |range: &Range<usize>, what| Form { what, ..self.attributes.form }.text(&body[range.clone()]);
        let trace_state = text(&parts.trace_state, "trace_state")?;
        let name = text(&self.name, "the name")?;
        let status_message = text(&parts.status_message, "the status message")?;
        let span = Span { trace_state: &trace_state, name: &name, status_message: &status_message, ..*row };
        self.spans.push(&span);
        Ok(())
    }

    fn status(&self, range: Range<usize>, row: &mut Span<'_>, parts: &mut Parts) -> Result<(), Fault> {
        let mut fields = Fields::new(self.envelope.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (2, Value::Bytes(range)) => parts.status_message = range,
                (3, Value::Varint(code)) => row.status_code = if code <= MAX_STATUS { code as u8 } else { 0 },
                (2 | 3, _) => return Err(Fault::wrong_type("Status", number)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Which span it is, and of which trace.
    fn identify(&self, parts: &Parts, row: &mut Span<'_>) -> Result<(), Fault> {
        let body = self.envelope.body;
        row.trace_id = id(&body[parts.trace_id.clone()], "trace_id")?;
        row.span_id = id(&body[parts.span_id.clone()], "span_id")?;
        row.parent_span_id = id(&body[parts.parent_span_id.clone()], "parent_span_id")?;
        for (is_none, what) in [(row.trace_id == [0; 16], "trace_id"), (row.span_id == [0; 8], "span_id")] {
            if is_none {
                return Err(Fault::Refused(format!("it has no {what}")));
            }
        }
        Ok(())
    }

    fn times(&self, parts: &Parts, row: &mut Span<'_>) -> Result<(), Fault> {
        const START: &str = "start_time_unix_nano";
        const END: &str = "end_time_unix_nano";
        if parts.start == 0 {
            return Err(Fault::Refused(format!("it has no start ({START} is 0)")));
        }
        let start = self.envelope.time(parts.start, START)?;
        // One that does not say when it ended is there, and took no time.
        let end = if parts.end == 0 { start } else { self.envelope.time(parts.end, END)? };
        self.envelope.check_time(start, START)?;
        self.envelope.check_time(end, END)?;
        row.start_time_unix_nano = start;
        row.duration_nano = end - start;
        Ok(())
    }
}

/// An id; all zero if there is none.
#[inline]
fn id<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], Fault> {
    match bytes.try_into() {
        Ok(id) => Ok(id),
        Err(_) if bytes.is_empty() => Ok([0; N]),
        Err(_) => Err(wrong_length(bytes.len(), N, what)),
    }
}

#[cold]
fn wrong_length(bytes: usize, wanted: usize, what: &str) -> Fault {
    Fault::Refused(format!("{what} has {bytes} bytes, not {wanted}"))
}

#[cfg(test)]
mod tests;
