//! OTLP logs: the protobuf message `ExportLogsServiceRequest` as rows.
//!
//! Owns: the records of the message, what becomes of each of their fields, which records are refused and why.
//! Does not own: the resources and scopes around them ([`super::envelope`]), compression, headers and answers, the cluster.
//!
//! ```text
//! LogRecord { time_unix_nano = 1: fixed64, severity_number = 2, severity_text = 3, body = 5: AnyValue, attributes = 6,
//!             dropped_attributes_count = 7, flags = 8: fixed32, trace_id = 9, span_id = 10,
//!             observed_time_unix_nano = 11: fixed64, event_name = 12 }
//! ```
//!
//! The message is walked in place; each text is copied once, into the column that it belongs to.
//!
//! Source: `opentelemetry/proto/logs/v1/logs.proto`,
//! <https://opentelemetry.io/docs/specs/otel/logs/data-model/>

use std::ops::Range;

use model::Logs;
use model::logs::Log;

use super::attributes::RowAttributes;
use super::envelope::{Envelope, Record, Words};
use super::values::{self, Form};
use super::{Fault, Refused};
use crate::protobuf::wire::{Fields, Value};
use crate::{Error, Limits};

const WORDS: Words =
    Words { request: "ExportLogsServiceRequest", resource: "ResourceLogs", scope: "ScopeLogs", record: "a log record" };

/// The attribute that a record's `event_name` becomes.
const EVENT_NAME: &str = "event.name";
/// The last of OpenTelemetry's severities, FATAL4.
const MAX_SEVERITY: u64 = 24;

/// A request for logs that was read.
#[derive(Debug)]
pub struct DecodedLogs {
    /// Its rows.
    pub logs: Logs,
    /// The records that are not among them.
    pub refused: Refused,
}

/// Reads a whole request for logs, protobuf, already decompressed.
///
/// `now_nanos`, in nanoseconds since the Unix epoch, is the time of a record that has none, neither its own nor the one at
/// which it was observed. A record that is wrong by itself, or later than `latest_ms`, is left out and counted.
///
/// # Errors
/// `Invalid` if the bytes are no such message, `TooLarge` if a limit on the whole is broken: then nothing is taken.
pub fn decode(body: &[u8], now_nanos: i64, latest_ms: i64, limits: &Limits) -> Result<DecodedLogs, Error> {
    let mut decoder = Decoder {
        envelope: Envelope::new(body, latest_ms, limits, &WORDS)?,
        attributes: RowAttributes::new(body, limits),
        form: Form::line(limits),
        line: 0..0,
        now_nanos,
        logs: Logs::default(),
    };
    match decoder.records() {
        Ok(()) => Ok(DecodedLogs { logs: decoder.logs, refused: decoder.envelope.finish() }),
        Err(Fault::Fatal(error)) => Err(error),
        Err(Fault::Refused(reason)) => Err(Error::invalid(reason)),
    }
}

/// Rows while they are made of a request.
struct Decoder<'a> {
    envelope: Envelope<'a>,
    attributes: RowAttributes<'a>,
    /// How a body becomes a line.
    form: Form,
    /// Where the body of the record at hand is, as far as it is known.
    line: Range<usize>,
    now_nanos: i64,
    logs: Logs,
}

impl Decoder<'_> {
    fn records(&mut self) -> Result<(), Fault> {
        while let Some(record) = self.envelope.next(&mut self.logs.resources, &mut self.logs.scopes)? {
            match self.record(record) {
                Ok(()) => {}
                Err(Fault::Refused(reason)) => {
                    self.logs.attributes.cancel();
                    let line = values::string(self.envelope.body, self.line.clone());
                    self.envelope.refuse(line, &reason);
                }
                Err(fatal) => return Err(fatal),
            }
        }
        Ok(())
    }

    fn record(&mut self, record: Record) -> Result<(), Fault> {
        let body = self.envelope.body;
        let mut row = Log { resource: record.resource, scope: record.scope, ..Log::default() };
        let (mut time, mut observed, mut read) = (0, 0, 0);
        let (mut severity_text, mut event_name) = (0..0, 0..0);
        self.line = 0..0;
        let mut fields = Fields::new(body, record.range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Fixed64(nanos)) => time = nanos,
                (2, Value::Varint(number)) if number <= MAX_SEVERITY => row.severity_number = number as u8,
                (2, Value::Varint(_)) => row.severity_number = 0,
                (3, Value::Bytes(range)) => severity_text = range,
                (5, Value::Bytes(range)) => self.line = range,
                (6, Value::Bytes(range)) => self.attributes.push(range, &mut read, &mut self.logs.attributes)?,
                (8, Value::Fixed32(flags)) => row.flags = flags,
                // An id that is none says that there is none: the line is what counts.
                (9, Value::Bytes(range)) => row.trace_id = body[range].try_into().unwrap_or_default(),
                (10, Value::Bytes(range)) => row.span_id = body[range].try_into().unwrap_or_default(),
                (11, Value::Fixed64(nanos)) => observed = nanos,
                (12, Value::Bytes(range)) => event_name = range,
                (1..=3 | 5 | 6 | 8..=12, _) => return Err(Fault::wrong_type("LogRecord", number)),
                _ => {}
            }
        }
        self.times(time, observed, &mut row)?;
        let text = |what| Form { what, ..self.attributes.form };
        if !event_name.is_empty() {
            self.logs.attributes.push(EVENT_NAME, &text("event_name").text(&body[event_name])?);
        }
        self.envelope.push_scope(&mut self.logs.attributes)?;
        let severity_text = text("severity_text").text(&body[severity_text])?;
        let line = values::read(body, self.line.clone(), &self.form, &mut self.attributes.scratch)?;
        self.logs.push(&Log { severity_text: &severity_text, body: &line, ..row });
        Ok(())
    }

    /// When it happened, else when it was observed, else now; and when it was observed, else now.
    fn times(&self, time: u64, observed: u64, row: &mut Log<'_>) -> Result<(), Fault> {
        let observed_or_now = match observed {
            0 => self.now_nanos,
            nanos => self.envelope.time(nanos, "observed_time_unix_nano")?,
        };
        row.observed_time_unix_nano = observed_or_now;
        row.time_unix_nano = match time {
            0 => observed_or_now,
            nanos => self.envelope.time(nanos, "time_unix_nano")?,
        };
        self.envelope.check_time(row.time_unix_nano, "its time")
    }
}

#[cfg(test)]
mod tests;
