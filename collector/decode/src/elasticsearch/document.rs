//! A document as a row: which of its fields becomes which column.

use std::sync::Arc;

use model::logs::Log;

use super::fields::{Value, walk};
use super::resource::{Part, Resources, WHOSE, is_of_resource};
use super::time;
use crate::error::{Fault, quoted};
use crate::json::Reader;
use crate::log_rows::{LogRows, too_many_attributes};
use crate::refused::{Bad, Reason};
use crate::{ids, severity};

/// What is wrong with a document.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is no JSON, at a byte of it.
    Fault(Box<Fault>),
    /// It is no row.
    Bad(Box<Bad>),
}

impl From<Box<Fault>> for Wrong {
    fn from(fault: Box<Fault>) -> Self {
        Wrong::Fault(fault)
    }
}

impl From<Box<Bad>> for Wrong {
    fn from(bad: Box<Bad>) -> Self {
        Wrong::Bad(bad)
    }
}

/// Fields of the line; of several the first counts, and the others are attributes.
const BODY_FIELDS: [&str; 3] = ["message", "log", "msg"];
/// Fields of the severity, likewise.
const SEVERITY_FIELDS: [&str; 4] = ["log.level", "level", "severity", "log_level"];

/// Makes rows of documents.
#[derive(Debug)]
pub(super) struct Documents<'a, 'l> {
    pub(super) rows: LogRows<'l>,
    resources: Resources<'a>,
    path: String,
    row: Row<'a>,
    scratch: Scratch,
}

/// What is known of the document at hand.
#[derive(Debug, Default)]
struct Row<'a> {
    parts: Vec<Part<'a>>,
    time_unix_nano: Option<i64>,
    body: [Option<Value<'a>>; BODY_FIELDS.len()],
    severity: [Option<Value<'a>>; SEVERITY_FIELDS.len()],
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

/// Texts whose escapes were resolved.
#[derive(Debug, Default)]
struct Scratch {
    value: String,
    severity: String,
}

impl<'a, 'l> Documents<'a, 'l> {
    pub(super) fn new(rows: LogRows<'l>) -> Self {
        Documents {
            rows,
            resources: Resources::default(),
            path: String::new(),
            row: Row::default(),
            scratch: Scratch::default(),
        }
    }

    /// Adds the row of a document. If there is something wrong with it, the row is begun and the caller must refuse it.
    pub(super) fn take(&mut self, document: &'a str, index: &Arc<str>) -> Result<(), Wrong> {
        let parts = std::mem::take(&mut self.row.parts);
        self.row = Row { parts, ..Row::default() };
        self.row.parts.clear();
        let mut reader = Reader::new(document);
        let mut is_first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            let name = key.resolved(&mut self.path)?;
            if is_of_resource(name) {
                if self.row.parts.len() >= self.rows.limits().max_attributes {
                    return Err(too_many_attributes(WHOSE, self.rows.limits()).into());
                }
                let value = self.resources.read(&mut reader)?;
                self.row.parts.push(Part { key, value });
                continue;
            }
            let mut path = std::mem::take(&mut self.path);
            path.clear();
            key.resolve(&mut path)?;
            let walked = walk(&mut reader, &mut path, 1, &mut |name, value| self.field(name, value));
            self.path = path;
            walked?;
        }
        reader.end()?;
        self.end(index)
    }

    #[inline]
    fn field(&mut self, name: &str, value: Value<'a>) -> Result<(), Wrong> {
        match name {
            "@timestamp" => return self.timestamp(value),
            "trace.id" | "trace_id" => {
                if let Some(id) = ids::from_hex(value.written(&mut self.scratch.value)?) {
                    self.row.trace_id = id;
                    return Ok(());
                }
            }
            "span.id" | "span_id" => {
                if let Some(id) = ids::from_hex(value.written(&mut self.scratch.value)?) {
                    self.row.span_id = id;
                    return Ok(());
                }
            }
            _ => {
                let slot = match BODY_FIELDS.iter().position(|field| *field == name) {
                    Some(place) => Some(&mut self.row.body[place]),
                    None if matches!(value, Value::Array(_)) => None,
                    None => {
                        let place = SEVERITY_FIELDS.iter().position(|field| *field == name);
                        place.map(|place| &mut self.row.severity[place])
                    }
                };
                if let Some(slot) = slot {
                    slot.get_or_insert(value);
                    return Ok(());
                }
            }
        }
        self.attribute(name, value)
    }

    #[inline]
    fn attribute(&mut self, name: &str, value: Value<'a>) -> Result<(), Wrong> {
        Ok(self.rows.attribute(name, value.written(&mut self.scratch.value)?)?)
    }

    fn timestamp(&mut self, value: Value<'a>) -> Result<(), Wrong> {
        if self.row.time_unix_nano.is_none() {
            let text = value.written(&mut self.scratch.value)?;
            let time = time::parse(text).map_err(|fault| {
                let reason = match fault {
                    time::Fault::Form => Reason::InvalidRow,
                    time::Fault::Range => Reason::OutOfRange,
                };
                let shown = quoted(text.as_bytes());
                Bad::new(reason, format!("the field @timestamp is {shown}: {}", fault.as_str()))
            })?;
            self.row.time_unix_nano = Some(time);
        }
        Ok(())
    }

    fn end(&mut self, index: &Arc<str>) -> Result<(), Wrong> {
        let body = self.first_of(self.row.body, BODY_FIELDS)?;
        let severity = self.first_of(self.row.severity, SEVERITY_FIELDS)?;
        let resource = self.resources.place(&self.row.parts, index, &mut self.rows)?;
        let arrival = self.rows.arrival.unix_nano;
        let severity_text = match severity {
            Some(value) => value.written(&mut self.scratch.severity)?,
            None => "",
        };
        self.rows.check_attribute(SEVERITY_FIELDS[0], severity_text)?;
        self.rows.push(&Log {
            resource,
            scope: 0,
            time_unix_nano: self.row.time_unix_nano.unwrap_or(arrival),
            observed_time_unix_nano: arrival,
            severity_number: severity::number(severity_text),
            severity_text,
            body: match body {
                Some(value) => value.written(&mut self.scratch.value)?,
                None => "",
            },
            trace_id: self.row.trace_id,
            span_id: self.row.span_id,
            flags: 0,
        })?;
        Ok(())
    }

    /// The foremost value there is; the others become attributes.
    #[inline]
    fn first_of<const N: usize>(
        &mut self,
        values: [Option<Value<'a>>; N],
        names: [&str; N],
    ) -> Result<Option<Value<'a>>, Wrong> {
        let mut first = None;
        for (value, name) in values.into_iter().zip(names) {
            match (value, first) {
                (None, _) => {}
                (Some(_), None) => first = value,
                (Some(value), Some(_)) => self.attribute(name, value)?,
            }
        }
        Ok(first)
    }
}
