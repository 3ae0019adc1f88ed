//! Rows of logs while a body is read: each held against the limits, and nothing kept of one that is refused.

use std::borrow::Cow;
use std::sync::Arc;

use model::logs::Log;
use model::resource::Scope;
use model::{Logs, Resource};

use crate::error::quoted;
use crate::refused::{Bad, Reason, Refused};
use crate::{Arrival, Error, Limits};

/// A resource may take as much memory as so many rows: a few bytes of a hostile body can stand for one.
const ROWS_OF_RESOURCE: usize = 8;

/// What a body of lines has become.
#[derive(Debug)]
pub struct DecodedLines {
    /// The rows that are good.
    pub logs: Logs,
    /// What is not among them.
    pub refused: Refused,
}

/// The rows of a body that are good so far.
#[derive(Debug)]
pub(crate) struct LogRows<'l> {
    pub(crate) logs: Logs,
    pub(crate) refused: Refused,
    pub(crate) arrival: Arrival,
    limits: &'l Limits,
    /// What was announced by [`LogRows::count`].
    counted: usize,
}

impl<'l> LogRows<'l> {
    /// No rows yet, of a body of so many bytes.
    ///
    /// # Errors
    /// `TooLarge` if they are over [`Limits::max_decoded_bytes`], or columns of their text could be too large for places of
    /// 32 bits.
    pub(crate) fn new(body_bytes: usize, arrival: Arrival, limits: &'l Limits) -> Result<Self, Error> {
        // A byte that is no text may become three, and each row has a level besides.
        let max = limits.max_decoded_bytes.min(model::texts::Texts::MAX_BYTES / 4);
        if body_bytes > max {
            return Err(Error::too_large(format!("the body has {body_bytes} bytes, the limit is {max}")));
        }
        let mut logs = Logs::default();
        logs.scopes.place(&Scope::default().into());
        Ok(LogRows { logs, refused: Refused::default(), arrival, limits, counted: 0 })
    }

    /// Counts rows against the limit before they are read.
    pub(crate) fn count(&mut self, rows: usize) -> Result<(), Error> {
        self.counted = self.counted.saturating_add(rows);
        let max = self.limits.max_rows;
        if self.counted > max {
            return Err(Error::too_large(format!("the body has more than {max} rows: send it in parts")));
        }
        Ok(())
    }

    /// The place of a resource.
    pub(crate) fn resource(&mut self, resource: Resource) -> Result<u32, Box<Bad>> {
        let max = self.limits.max_rows / ROWS_OF_RESOURCE + 1;
        if self.logs.resources.len() < max {
            Ok(self.logs.resources.place(&Arc::new(resource)))
        } else {
            Err(too_many_resources(max))
        }
    }

    /// Adds an attribute to the row at hand.
    #[inline]
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> Result<(), Box<Bad>> {
        self.check_attribute(name, value)?;
        if self.logs.attributes.pending() >= self.limits.max_attributes {
            return Err(too_many_attributes("a row", self.limits));
        }
        self.logs.attributes.push(name, value);
        Ok(())
    }

    /// Checks an attribute by itself.
    #[inline]
    pub(crate) fn check_attribute(&self, name: &str, value: &str) -> Result<(), Box<Bad>> {
        let fits = name.len() <= self.limits.max_name_bytes && value.len() <= self.limits.max_attribute_bytes;
        if fits && !name.is_empty() { Ok(()) } else { Err(self.attribute_fault(name, value)) }
    }

    #[cold]
    fn attribute_fault(&self, name: &str, value: &str) -> Box<Bad> {
        if name.is_empty() {
            let value = quoted(value.as_bytes());
            return Bad::new(Reason::InvalidRow, format!("an attribute with the value {value} has no name"));
        }
        let (part, bytes, limit, setting) = if name.len() > self.limits.max_name_bytes {
            ("name", name.len(), self.limits.max_name_bytes, "label_name_length_limit")
        } else {
            ("value", value.len(), self.limits.max_attribute_bytes, "attribute_value_length_limit")
        };
        let name = quoted(name.as_bytes());
        let what = format!("the {part} of the attribute {name} has {bytes} bytes, the limit is {limit} ({setting})");
        Bad::new(Reason::RowLimit, what)
    }

    /// Ends the row at hand.
    #[inline]
    pub(crate) fn push(&mut self, row: &Log<'_>) -> Result<(), Box<Bad>> {
        if row.body.len() > self.limits.max_line_bytes || row.time_unix_nano > self.arrival.latest_unix_nano {
            return Err(self.row_fault(row));
        }
        self.logs.push(row);
        Ok(())
    }

    #[cold]
    fn row_fault(&self, row: &Log<'_>) -> Box<Bad> {
        let (bytes, limit) = (row.body.len(), self.limits.max_line_bytes);
        if bytes > limit {
            let what = format!("a line has {bytes} bytes, the limit is {limit} (line_size_limit): {}", shown(row.body));
            return Bad::new(Reason::RowLimit, what);
        }
        let (time, latest) = (row.time_unix_nano, self.arrival.latest_unix_nano);
        let what = format!(
            "the time {time} ns is too far in the future: nothing after {latest} ns is taken (future_limit): {}",
            shown(row.body)
        );
        Bad::new(Reason::OutOfRange, what)
    }

    /// Leaves the row at hand out.
    #[cold]
    pub(crate) fn refuse(&mut self, bad: Bad) {
        self.logs.attributes.cancel();
        self.refused.note(bad, 1);
    }

    pub(crate) fn limits(&self) -> &'l Limits {
        self.limits
    }

    /// The rows, once the whole body was read.
    pub(crate) fn finish(self) -> DecodedLines {
        DecodedLines { logs: self.logs, refused: self.refused }
    }
}

/// That `whose` attributes are more than there may be.
#[cold]
pub(crate) fn too_many_attributes(whose: &str, limits: &Limits) -> Box<Bad> {
    Bad::new(Reason::RowLimit, format!("{whose} has more than {} attributes (attribute_limit)", limits.max_attributes))
}

#[cold]
fn too_many_resources(max: usize) -> Box<Bad> {
    Bad::new(Reason::RowLimit, format!("the rows of a body come from more than {max} resources: send it in parts"))
}

/// The start of a line for a message.
fn shown(line: &str) -> String {
    quoted(line.as_bytes())
}

/// Bytes as text; those that are none become U+FFFD, since a line is worth more than one byte of it.
#[inline]
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
