//! Rows of streams: labels to resources, structured metadata to attributes, and the level of each row.

use model::Resource;
use model::logs::Log;

use super::labels::{SERVICE_NAME, derived_service};
use super::level::{self, DETECTED_LEVEL};
use crate::error::quoted;
use crate::log_rows::{LogRows, too_many_attributes};
use crate::refused::{Bad, Reason};
use crate::{Arrival, DecodedLines, Error, Limits, ids, severity};

/// Structured metadata that says a number of OpenTelemetry: Loki's own OTLP endpoint writes it.
const SEVERITY_NUMBER: &str = "severity_number";

/// The rows that are good so far.
pub(super) struct Rows<'l> {
    rows: LogRows<'l>,
    stream: Stream,
    row: Row,
}

/// What rows of the stream at hand share.
#[derive(Debug, Default)]
struct Stream {
    /// The place of its resource.
    resource: u32,
    /// The label `detected_level`, which the answer to a query may have.
    detected: Option<String>,
    /// The value of the label that says a level.
    level: Option<String>,
}

/// What structured metadata says of the row at hand.
#[derive(Debug, Default)]
struct Row {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    severity_number: u8,
    says: Says,
    /// What it says, as it was sent.
    value: String,
}

/// What structured metadata says of the level; the later in this order the more it counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Says {
    #[default]
    Nothing,
    Number,
    /// A field of this rank.
    Level(usize),
    Detected,
}

impl Row {
    fn clear(&mut self) {
        self.trace_id = [0; 16];
        self.span_id = [0; 8];
        self.severity_number = 0;
        self.says = Says::Nothing;
    }

    fn note(&mut self, says: Says, value: &str) {
        let counts = match (says, self.says) {
            (Says::Level(new), Says::Level(known)) => new < known,
            (Says::Level(_), known) => known != Says::Detected,
            (_, known) => known == Says::Nothing || says == Says::Detected && known != Says::Detected,
        };
        if counts {
            self.says = says;
            self.value.clear();
            self.value.push_str(value);
        }
    }
}

impl<'l> Rows<'l> {
    pub(super) fn new(body_bytes: usize, arrival: Arrival, limits: &'l Limits) -> Result<Self, Error> {
        Ok(Rows { rows: LogRows::new(body_bytes, arrival, limits)?, stream: Stream::default(), row: Row::default() })
    }

    /// Counts rows against the limit before they are read.
    pub(super) fn count(&mut self, rows: usize) -> Result<(), Error> {
        self.rows.count(rows)
    }

    /// Begins the stream with these labels.
    pub(super) fn begin_stream<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Box<Bad>> {
        let mut labels: Vec<(&str, &str)> = labels.collect();
        let limits = self.rows.limits();
        if labels.is_empty() {
            return Err(Bad::new(Reason::InvalidLabels, "a stream has no labels"));
        }
        if labels.len() > limits.max_attributes {
            return Err(too_many_attributes("a stream", limits));
        }
        for (index, (name, value)) in labels.iter().enumerate() {
            self.rows.check_attribute(name, value)?;
            if labels[..index].iter().any(|(known, _)| known == name) {
                let what = format!("a stream has the label {} twice", quoted(name.as_bytes()));
                return Err(Bad::new(Reason::InvalidLabels, what));
            }
        }
        let foremost = labels.iter().filter_map(|(name, value)| Some((level::rank(name)?, *value))).min();
        self.stream.level = foremost.map(|(_, value)| value.to_owned());
        let detected = labels.iter().position(|(name, _)| *name == DETECTED_LEVEL).map(|at| labels.remove(at).1);
        self.stream.detected = detected.map(str::to_owned);
        if let Some(service) = derived_service(&labels) {
            labels.push((SERVICE_NAME, service));
        }
        self.stream.resource = self.rows.resource(Resource::new(labels))?;
        Ok(())
    }

    /// Adds structured metadata to the row at hand.
    #[inline]
    pub(super) fn metadata(&mut self, name: &str, value: &str) -> Result<(), Box<Bad>> {
        let row = &mut self.row;
        match name {
            "trace_id" | "traceID" | "traceId" => {
                if let Some(id) = ids::from_hex(value) {
                    row.trace_id = id;
                    return Ok(());
                }
            }
            "span_id" | "spanID" | "spanId" => {
                if let Some(id) = ids::from_hex(value) {
                    row.span_id = id;
                    return Ok(());
                }
            }
            DETECTED_LEVEL => {
                row.note(Says::Detected, value);
                return self.rows.attribute(name, level::normalized(value));
            }
            SEVERITY_NUMBER => {
                row.note(Says::Number, value);
                row.severity_number = value.parse().ok().filter(|number| *number <= 24).unwrap_or(0);
            }
            _ => {
                if let Some(rank) = level::rank(name) {
                    row.note(Says::Level(rank), value);
                }
            }
        }
        self.rows.attribute(name, value)
    }

    /// Ends the row at hand.
    #[inline]
    pub(super) fn end_row(&mut self, time_unix_nano: i64, line: &str) -> Result<(), Box<Bad>> {
        let (row, stream) = (&self.row, &self.stream);
        let value = row.value.as_str();
        // What is said, and in which of Loki's words.
        let (text, level) = match (row.says, &stream.detected, &stream.level) {
            (Says::Detected, ..) => (value, level::normalized(value)),
            (_, Some(value), _) | (_, None, Some(value)) => (value.as_str(), level::normalized(value)),
            (Says::Level(_), ..) => (value, level::normalized(value)),
            (Says::Number, ..) => {
                let level = level::Level::of_number(value).as_str();
                (level, level)
            }
            (Says::Nothing, ..) => {
                let (level, value) = level::level_of(line);
                (value.unwrap_or(level.as_str()), level.as_str())
            }
        };
        if row.says != Says::Detected {
            self.rows.logs.attributes.push(DETECTED_LEVEL, level);
        }
        let number = if row.severity_number != 0 { row.severity_number } else { severity::number(level) };
        // A value that is too long for a level is none.
        let text = if level == level::Level::Unknown.as_str() { level } else { text };
        self.rows.push(&Log {
            resource: stream.resource,
            scope: 0,
            time_unix_nano,
            observed_time_unix_nano: self.rows.arrival.unix_nano,
            severity_number: number,
            severity_text: text,
            body: line,
            trace_id: row.trace_id,
            span_id: row.span_id,
            flags: 0,
        })?;
        self.row.clear();
        Ok(())
    }

    /// Leaves the row at hand out.
    #[cold]
    pub(super) fn refuse_row(&mut self, mut bad: Bad) {
        self.row.clear();
        if self.rows.refused.has_room(bad.reason) {
            bad.what = format!("{}, in stream {}", bad.what, self.stream_shown());
        }
        self.rows.refuse(bad);
    }

    /// The first labels of the stream at hand.
    fn stream_shown(&self) -> String {
        const SHOWN_BYTES: usize = 100;
        let resource = self.rows.logs.resources.get(self.stream.resource);
        let labels = resource.into_iter().flat_map(|resource| resource.attributes.iter());
        let mut shown = String::from("{");
        for (name, value) in labels {
            if shown.len() > SHOWN_BYTES {
                shown += ", …";
                break;
            }
            let mark = if shown.len() > 1 { ", " } else { "" };
            shown += &format!("{mark}{}: {}", quoted(name.as_bytes()), quoted(value.as_bytes()));
        }
        shown + "}"
    }

    /// Leaves out rows of a stream that cannot be begun.
    #[cold]
    pub(super) fn refuse_stream(&mut self, bad: Bad, rows: u64) {
        self.rows.refused.note(bad, rows);
    }

    pub(super) fn finish(self) -> DecodedLines {
        self.rows.finish()
    }
}
