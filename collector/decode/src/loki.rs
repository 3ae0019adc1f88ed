//! What is pushed to Loki: the protobuf message `PushRequest` ([`decode`]), the same as JSON ([`json`]), and what a Loki
//! answers to a query ([`streams`]).
//!
//! Owns: the messages after decompression, the derived `service_name` and `detected_level`, which rows are refused and why.
//! Does not own: compression ([`crate::body`]), headers and answers (`collector`), which columns labels become
//! ([`model::Resource`]).
//!
//! ```text
//! PushRequest { streams = 1: Stream }
//! Stream { labels = 1: text, entries = 2: Entry, hash = 3 }
//! Entry { timestamp = 1: Timestamp, line = 2, structuredMetadata = 3: LabelPair, parsed = 4: LabelPair }
//! Timestamp { seconds = 1: int64, nanos = 2: int32 }     LabelPair { name = 1, value = 2 }
//! ```
//!
//! Labels of a stream are the attributes of a resource, structured metadata those of a row. docs/logs.md has what becomes
//! of each field.
//!
//! Source: <https://grafana.com/docs/loki/latest/reference/loki-http-api/>, `push.proto` of Loki 3

pub mod json;
mod labels;
mod level;
mod rows;
pub mod streams;

use std::ops::Range;

use self::labels::Labels;
use self::rows::Rows;
use crate::error::quoted;
use crate::log_rows::lossy;
use crate::protobuf::wire::{Fields, Value};
use crate::refused::{Bad, Reason};
use crate::{Arrival, DecodedLines, Error, Limits};

/// Reads a whole `PushRequest`, protobuf, already decompressed.
///
/// A row that is wrong by itself is left out and counted, and so are all rows of a stream whose labels are wrong. Where Loki
/// would refuse the whole request for them, the caller may: [`DecodedLines::refused`] has the messages.
///
/// # Errors
/// `Invalid` if the bytes are no such message, `TooLarge` if there are too many or too many rows: then nothing is taken.
pub fn decode(body: &[u8], arrival: Arrival, limits: &Limits) -> Result<DecodedLines, Error> {
    let mut decoder = Decoder { body, rows: Rows::new(body.len(), arrival, limits)?, labels: Labels::default() };
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => decoder.stream(range)?,
            (1, _) => return Err(wrong_type("PushRequest", number)),
            _ => {}
        }
    }
    Ok(decoder.rows.finish())
}

#[cold]
fn wrong_type(message: &str, number: u64) -> Error {
    Error::invalid(format!("field {number} of {message} has the wrong wire type: is this a push request of Loki?"))
}

struct Decoder<'a> {
    body: &'a [u8],
    rows: Rows<'a>,
    labels: Labels,
}

impl Decoder<'_> {
    fn stream(&mut self, range: Range<usize>) -> Result<(), Error> {
        // Labels first, wherever they stand: every entry needs them.
        let (mut labels, mut entries) = (0..0, 0);
        let mut fields = Fields::new(self.body, range.clone());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => labels = range,
                (2, Value::Bytes(_)) => entries += 1,
                (1 | 2, _) => return Err(wrong_type("Stream", number)),
                _ => {}
            }
        }
        self.rows.count(entries)?;
        if entries == 0 {
            return Ok(());
        }
        let known = self.labels.parse(&self.body[labels]).and_then(|()| self.rows.begin_stream(self.labels.iter()));
        if let Err(bad) = known {
            self.rows.refuse_stream(*bad, entries as u64);
            return Ok(());
        }
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            if let (2, Value::Bytes(range)) = (number, value) {
                self.entry(range)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn entry(&mut self, range: Range<usize>) -> Result<(), Error> {
        let (mut time, mut line) = (None, 0..0);
        let mut taken = Ok(());
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => time = Some(self.timestamp(range)?),
                (2, Value::Bytes(range)) => line = range,
                (3, Value::Bytes(range)) => {
                    let (name, value) = self.label_pair(range)?;
                    if taken.is_ok() {
                        taken = self.metadata(name, value);
                    }
                }
                (1..=3, _) => return Err(wrong_type("Entry", number)),
                _ => {}
            }
        }
        let line = lossy(&self.body[line]);
        let time = match time {
            Some(Some(time)) => Ok(time),
            Some(None) => Err(Bad::new(Reason::OutOfRange, "an entry has a time outside the years 1678 to 2261")),
            None => Err(Bad::new(Reason::InvalidRow, "an entry has no timestamp")),
        };
        let named = taken.and(time).map_err(|bad| bad.of_line(&line));
        if let Err(bad) = named.and_then(|time| self.rows.end_row(time, &line)) {
            self.rows.refuse_row(*bad);
        }
        Ok(())
    }

    /// Nanoseconds since the Unix epoch; `None` if they are more than a number of 64 bits holds.
    #[inline]
    fn timestamp(&self, range: Range<usize>) -> Result<Option<i64>, Error> {
        let (mut seconds, mut nanos) = (0, 0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => seconds = number as i64,
                (2, Value::Varint(number)) => nanos = number as i64,
                (1 | 2, _) => return Err(wrong_type("Timestamp", number)),
                _ => {}
            }
        }
        Ok(seconds.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanos)))
    }

    /// Where name and value are.
    #[inline]
    fn label_pair(&self, range: Range<usize>) -> Result<(Range<usize>, Range<usize>), Error> {
        let (mut name, mut value) = (0..0, 0..0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, found)) = fields.next()? {
            match (number, found) {
                (1, Value::Bytes(range)) => name = range,
                (2, Value::Bytes(range)) => value = range,
                (1 | 2, _) => return Err(wrong_type("LabelPair", number)),
                _ => {}
            }
        }
        Ok((name, value))
    }

    #[inline]
    fn metadata(&mut self, name: Range<usize>, value: Range<usize>) -> Result<(), Box<Bad>> {
        let Ok(name) = std::str::from_utf8(&self.body[name.clone()]) else {
            let name = quoted(&self.body[name]);
            return Err(Bad::new(Reason::InvalidRow, format!("the name of structured metadata is not UTF-8: {name}")));
        };
        self.rows.metadata(name, &lossy(&self.body[value]))
    }
}

#[cfg(test)]
mod tests;
