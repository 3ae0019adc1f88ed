//! Histograms of a page: native ones, classic ones, and those that are both.
//!
//! ```text
//! Histogram { sample_count = 1, sample_sum = 2: double, bucket = 3: Bucket, sample_count_float = 4: double,
//!             schema = 5: sint32, zero_threshold = 6: double, zero_count = 7, zero_count_float = 8: double,
//!             negative_span = 9: BucketSpan, negative_delta = 10: sint64, negative_count = 11: double,
//!             positive_span = 12: BucketSpan, positive_delta = 13: sint64, positive_count = 14: double,
//!             start_timestamp = 15: Timestamp, exemplars = 16: Exemplar }
//! Bucket { cumulative_count = 1, upper_bound = 2: double, exemplar = 3: Exemplar, cumulative_count_float = 4: double }
//! ```

use std::ops::Range;

use model::batch::Histogram;
use model::histogram::ResetHint;

use super::number::label_text;
use super::{Decoder, Family, Form};
use crate::Error;
use crate::protobuf::histogram::{HISTOGRAM_ROWS, Parts, zigzag};
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::wrong_type;

/// A histogram before it is made one of the two forms.
#[derive(Debug, Default)]
struct Both {
    parts: Parts,
    has_spans: bool,
    has_buckets: bool,
    /// Whether it has exemplars that belong to no bucket.
    has_exemplars: bool,
    start_ms: Option<i64>,
}

impl Both {
    /// Whether it is native, if there are no observations yet: then it has a span of no length.
    fn is_native(&self) -> bool {
        self.has_spans || self.parts.zero_threshold > 0.0 || self.parts.zero > 0
    }

    fn count(&self) -> f64 {
        number_of(self.parts.count, self.parts.count_float)
    }
}

/// A number that is written in one of two ways.
fn number_of(integer: u64, float: f64) -> f64 {
    if float == 0.0 { integer as f64 } else { float }
}

/// A bucket of a classic histogram.
#[derive(Debug, Default)]
struct Bucket {
    count: u64,
    count_float: f64,
    upper_bound: f64,
    exemplar: Option<Range<usize>>,
}

impl Decoder<'_> {
    /// Takes a `Histogram`.
    pub(super) fn histogram(&mut self, family: Family<'_>, range: Range<usize>, time_ms: i64) -> Result<(), Error> {
        let both = self.both(range.clone())?;
        if !self.wanted.native || !both.is_native() {
            return self.classic(family, range, time_ms, &both);
        }
        if self.wanted.classic_too && both.has_buckets {
            self.classic(family, range.clone(), time_ms, &both)?;
        }
        self.native(family, range, time_ms, both)
    }

    fn both(&mut self, range: Range<usize>) -> Result<Both, Error> {
        let mut both = Both::default();
        let parts = &mut both.parts;
        let draft = &mut self.draft;
        let mut start = None;
        let mut fields = Fields::new(draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(count)) => parts.count = count,
                (2, Value::Fixed64(bits)) => parts.sum = f64::from_bits(bits),
                (3, Value::Bytes(_)) => both.has_buckets = true,
                (4, Value::Fixed64(bits)) => parts.count_float = f64::from_bits(bits),
                (15, Value::Bytes(range)) => start = Some(range),
                (16, Value::Bytes(_)) => both.has_exemplars = true,
                (1..=4 | 15 | 16, _) => return Err(wrong_type("Histogram", number)),
                // What only native histograms have.
                (5..=14, _) if !self.wanted.native => {}
                (5, Value::Varint(schema)) => parts.schema = zigzag(schema) as i32,
                (6, Value::Fixed64(bits)) => parts.zero_threshold = f64::from_bits(bits),
                (7, Value::Varint(count)) => parts.zero = count,
                (8, Value::Fixed64(bits)) => parts.zero_float = f64::from_bits(bits),
                (9 | 12, Value::Bytes(range)) => {
                    both.has_spans = true;
                    draft.span(range, if number == 9 { &mut parts.negative } else { &mut parts.positive })?;
                }
                (10, value) => draft.deltas(value, &mut parts.negative, "Histogram", number)?,
                (11, value) => draft.counts(value, &mut parts.negative, "Histogram", number)?,
                (13, value) => draft.deltas(value, &mut parts.positive, "Histogram", number)?,
                (14, value) => draft.counts(value, &mut parts.positive, "Histogram", number)?,
                (5..=14, _) => return Err(wrong_type("Histogram", number)),
                _ => {}
            }
        }
        both.start_ms = start.map(|range| self.start(range)).transpose()?.flatten();
        Ok(both)
    }

    fn native(
        &mut self,
        family: Family<'_>,
        range: Range<usize>,
        time_ms: i64,
        Both { mut parts, has_exemplars, start_ms, .. }: Both,
    ) -> Result<(), Error> {
        parts.is_float = parts.count_float > 0.0 || parts.zero_float > 0.0;
        parts.start_ms = start_ms.unwrap_or(0);
        if family.form == Form::GaugeHistogram {
            parts.reset_hint = ResetHint::Gauge;
        }
        parts.drop_empty_spans();
        let value = parts.finish().map_err(|bad| Error::from(*bad.of_series(family.name)))?;
        self.draft.count_rows(HISTOGRAM_ROWS)?;
        let series = self.push_series(family, "", None)?;
        self.draft.batch.histograms.push(Histogram { series, time_ms, value });
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                // Those without a time are left out: nobody could tell which is new.
                (16, Value::Bytes(range)) => self.exemplar(series, range, None)?,
                (3, Value::Bytes(range)) if !has_exemplars => {
                    if let Some(range) = self.bucket(range)?.exemplar {
                        self.exemplar(series, range, None)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn classic(&mut self, family: Family<'_>, range: Range<usize>, time_ms: i64, both: &Both) -> Result<(), Error> {
        let start_ms = both.start_ms;
        self.sample(family, "_count", None, time_ms, both.count(), start_ms)?;
        self.sample(family, "_sum", None, time_ms, both.parts.sum, start_ms)?;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            let (3, Value::Bytes(range)) = (number, value) else { continue };
            let bucket = self.bucket(range)?;
            let bound = label_text(bucket.upper_bound);
            let count = number_of(bucket.count, bucket.count_float);
            let series = self.sample(family, "_bucket", Some(("le", &bound)), time_ms, count, start_ms)?;
            if let Some(range) = bucket.exemplar {
                self.exemplar(series, range, Some(time_ms))?;
            }
            if bucket.upper_bound == f64::INFINITY {
                return Ok(());
            }
        }
        // The last bucket may be left out, since its count is known.
        self.sample(family, "_bucket", Some(("le", "+Inf")), time_ms, both.count(), start_ms)?;
        Ok(())
    }

    fn bucket(&self, range: Range<usize>) -> Result<Bucket, Error> {
        let mut bucket = Bucket::default();
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(count)) => bucket.count = count,
                (2, Value::Fixed64(bits)) => bucket.upper_bound = f64::from_bits(bits),
                (3, Value::Bytes(range)) => bucket.exemplar = Some(range),
                (4, Value::Fixed64(bits)) => bucket.count_float = f64::from_bits(bits),
                (1..=4, _) => return Err(wrong_type("Bucket", number)),
                _ => {}
            }
        }
        Ok(bucket)
    }
}
