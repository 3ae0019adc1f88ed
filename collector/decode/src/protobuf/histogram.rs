//! Native histograms: the message that both remote writes have, and what a histogram is made of in any message.
//!
//! ```text
//! Histogram { count_int = 1, count_float = 2: double, sum = 3: double, schema = 4: sint32, zero_threshold = 5: double,
//!             zero_count_int = 6, zero_count_float = 7: double,
//!             negative_spans = 8: BucketSpan, negative_deltas = 9: sint64, negative_counts = 10: double,
//!             positive_spans = 11: BucketSpan, positive_deltas = 12: sint64, positive_counts = 13: double,
//!             reset_hint = 14: enum, timestamp = 15: int64, custom_values = 16: double, start_timestamp = 17: int64 }
//! BucketSpan { offset = 1: sint32, length = 2: uint32 }
//! ```
//!
//! Source: `types.proto` of <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>

use std::ops::Range;

use model::batch::{Histogram, is_stale};
use model::histogram::{BucketCounts, Counts, MAX_SCHEMA, NativeHistogram, ResetHint, Span};
use model::time::in_range;

use super::wire::{Fields, Value};
use super::{Draft, wrong_type};
use crate::Error;
use crate::refused::{Bad, Reason};

/// The finest schema that the format reserves; what is finer than the tables hold is made coarser.
const FINEST_SCHEMA: i32 = 52;

/// For how many rows a histogram counts, its buckets aside: an empty one of two bytes takes as much memory as so many
/// samples.
pub(crate) const HISTOGRAM_ROWS: usize = 8;

/// The positive or the negative half of a histogram as it stands in a message.
#[derive(Debug, Default)]
pub(crate) struct Side {
    spans: Vec<Span>,
    integers: Vec<u64>,
    floats: Vec<f64>,
    /// The last of `integers`, to which the next one is relative.
    last: i64,
    is_negative: bool,
}

/// A histogram as it stands in a message.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Whether its counts are floats.
    pub(crate) is_float: bool,
    pub(crate) count: u64,
    pub(crate) count_float: f64,
    pub(crate) sum: f64,
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero: u64,
    pub(crate) zero_float: f64,
    pub(crate) positive: Side,
    pub(crate) negative: Side,
    pub(crate) reset_hint: ResetHint,
    pub(crate) custom_bounds: Vec<f64>,
    /// Zero if not said.
    pub(crate) start_ms: i64,
}

impl Parts {
    /// Drops spans of no buckets, which some writers put in to say that a histogram is native.
    pub(crate) fn drop_empty_spans(&mut self) {
        for side in [&mut self.positive, &mut self.negative] {
            let mut offset = 0i32;
            side.spans.retain_mut(|span| {
                span.offset = span.offset.saturating_add(std::mem::take(&mut offset));
                if span.length == 0 {
                    offset = span.offset;
                }
                span.length > 0
            });
        }
    }

    /// The histogram, if it is sound.
    pub(crate) fn finish(self) -> Result<NativeHistogram, Box<Bad>> {
        let start_ms = (self.start_ms != 0).then_some(self.start_ms);
        if is_stale(self.sum) {
            return Ok(NativeHistogram { start_ms, sum: self.sum, ..NativeHistogram::stale() });
        }
        let invalid = |what: &str| Bad::new(Reason::InvalidHistogram, what);
        if !self.is_float && (self.positive.is_negative || self.negative.is_negative) {
            return Err(invalid("a bucket of a histogram counts less than nothing, or more than 2^63 - 1"));
        }
        let finest = i32::from(MAX_SCHEMA);
        let is_too_fine = self.schema > finest && self.schema <= FINEST_SCHEMA;
        let schema = if is_too_fine { MAX_SCHEMA } else { i8::try_from(self.schema).unwrap_or(i8::MAX) };
        let (positive, negative) = (self.positive, self.negative);
        let counts = if self.is_float {
            Counts::Float(BucketCounts {
                count: self.count_float,
                zero: self.zero_float,
                positive: positive.floats,
                negative: negative.floats,
            })
        } else {
            Counts::Integer(BucketCounts {
                count: self.count,
                zero: self.zero,
                positive: positive.integers,
                negative: negative.integers,
            })
        };
        let mut histogram = NativeHistogram {
            schema,
            reset_hint: self.reset_hint,
            start_ms,
            sum: self.sum,
            zero_threshold: self.zero_threshold,
            custom_bounds: self.custom_bounds,
            positive_spans: positive.spans,
            negative_spans: negative.spans,
            counts,
        };
        // The rules are the same for every exponential schema, and only what is sound can be made coarser.
        histogram.validate().map_err(|error| invalid(error.message()))?;
        if is_too_fine {
            histogram.schema = self.schema as i8;
            histogram.reduce_to(MAX_SCHEMA);
        }
        Ok(histogram)
    }
}

impl Draft<'_> {
    /// Takes a `Histogram`; gives what is wrong if it, or its start, cannot be kept.
    pub(crate) fn histogram(&mut self, series: u32, range: Range<usize>) -> Result<Option<Box<Bad>>, Error> {
        self.count_rows(HISTOGRAM_ROWS)?;
        let mut parts = Parts::default();
        let mut time_ms = 0;
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                // One of two, of which the last counts.
                (1, Value::Varint(count)) => (parts.is_float, parts.count) = (false, count),
                (2, Value::Fixed64(bits)) => (parts.is_float, parts.count_float) = (true, f64::from_bits(bits)),
                (3, Value::Fixed64(bits)) => parts.sum = f64::from_bits(bits),
                (4, Value::Varint(schema)) => parts.schema = zigzag(schema) as i32,
                (5, Value::Fixed64(bits)) => parts.zero_threshold = f64::from_bits(bits),
                (6, Value::Varint(count)) => parts.zero = count,
                (7, Value::Fixed64(bits)) => parts.zero_float = f64::from_bits(bits),
                (8, Value::Bytes(range)) => self.span(range, &mut parts.negative)?,
                (9, value) => self.deltas(value, &mut parts.negative, "Histogram", 9)?,
                (10, value) => self.counts(value, &mut parts.negative, "Histogram", 10)?,
                (11, Value::Bytes(range)) => self.span(range, &mut parts.positive)?,
                (12, value) => self.deltas(value, &mut parts.positive, "Histogram", 12)?,
                (13, value) => self.counts(value, &mut parts.positive, "Histogram", 13)?,
                (14, Value::Varint(hint)) => parts.reset_hint = reset_hint(hint),
                (15, Value::Varint(time)) => time_ms = time as i64,
                (16, value) => self.doubles(value, &mut parts.custom_bounds, "Histogram", 16)?,
                (17, Value::Varint(time)) => parts.start_ms = time as i64,
                (1..=17, _) => return Err(wrong_type("Histogram", number)),
                _ => {}
            }
        }
        let mut value = match parts.finish() {
            Ok(value) => value,
            Err(bad) => return Ok(Some(bad)),
        };
        let fault = value.start_ms.filter(|start_ms| !in_range(*start_ms)).map(invalid_start);
        if fault.is_some() {
            value.start_ms = None;
        }
        self.batch.histograms.push(Histogram { series, time_ms, value });
        Ok(fault)
    }

    /// Takes a `BucketSpan`.
    pub(crate) fn span(&mut self, range: Range<usize>, side: &mut Side) -> Result<(), Error> {
        self.count_rows(1)?;
        let mut span = Span { offset: 0, length: 0 };
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(offset)) => span.offset = zigzag(offset) as i32,
                (2, Value::Varint(length)) => span.length = length as u32,
                (1 | 2, _) => return Err(wrong_type("BucketSpan", number)),
                _ => {}
            }
        }
        side.spans.push(span);
        Ok(())
    }

    /// Takes counts of buckets, each relative to the one before: one, or all that stand packed in a field.
    pub(crate) fn deltas(&mut self, value: Value, side: &mut Side, message: &str, number: u64) -> Result<(), Error> {
        match value {
            Value::Varint(delta) => {
                self.count_rows(1)?;
                side.push(zigzag(delta));
            }
            Value::Bytes(range) => {
                let mut packed = Fields::new(self.body, range);
                while let Some(delta) = packed.next_varint()? {
                    self.count_rows(1)?;
                    side.push(zigzag(delta));
                }
            }
            _ => return Err(wrong_type(message, number)),
        }
        Ok(())
    }

    /// Takes counts of buckets: one, or all that stand packed in a field.
    pub(crate) fn counts(&mut self, value: Value, side: &mut Side, message: &str, number: u64) -> Result<(), Error> {
        self.doubles(value, &mut side.floats, message, number)
    }

    /// Takes numbers: one, or all that stand packed in a field.
    fn doubles(&mut self, value: Value, into: &mut Vec<f64>, message: &str, number: u64) -> Result<(), Error> {
        match value {
            Value::Fixed64(bits) => {
                self.count_rows(1)?;
                into.push(f64::from_bits(bits));
            }
            Value::Bytes(range) => {
                let mut packed = Fields::new(self.body, range);
                while let Some(bits) = packed.next_fixed64()? {
                    self.count_rows(1)?;
                    into.push(f64::from_bits(bits));
                }
            }
            _ => return Err(wrong_type(message, number)),
        }
        Ok(())
    }
}

impl Side {
    /// Adds the count of a bucket, relative to the one before.
    fn push(&mut self, delta: i64) {
        let count = self.last.checked_add(delta).filter(|count| *count >= 0);
        self.is_negative |= count.is_none();
        self.last = count.unwrap_or(0);
        self.integers.push(self.last as u64);
    }
}

/// What is wrong with a start that no table can hold.
#[cold]
pub(crate) fn invalid_start(start_ms: i64) -> Box<Bad> {
    Bad::new(Reason::InvalidStart, format!("the start {start_ms} ms is outside years 1 to 9999"))
}

/// The hint of a number of the enum `ResetHint`; a newer one says nothing that is known.
fn reset_hint(number: u64) -> ResetHint {
    u8::try_from(number).ok().and_then(ResetHint::from_u8).unwrap_or_default()
}

/// A signed number, whose sign stands in the lowest bit.
pub(crate) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests;
