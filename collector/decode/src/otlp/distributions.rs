//! Points that are a distribution: histograms with bounds, as classic or native ones, and exponential histograms.
//!
//! ```text
//! HistogramDataPoint { start = 2, time = 3, count = 4, sum = 5, bucket_counts = 6: fixed64, explicit_bounds = 7: double,
//!                      exemplars = 8, attributes = 9, flags = 10 }
//! ExponentialHistogramDataPoint { attributes = 1, start = 2, time = 3, count = 4, sum = 5, scale = 6: sint32,
//!                                 zero_count = 7: fixed64, positive = 8, negative = 9, flags = 10, exemplars = 11,
//!                                 zero_threshold = 14: double }
//! Buckets { offset = 1: sint32, bucket_counts = 2: uint64 }
//! ```

use std::fmt::Write;
use std::ops::Range;

use model::NativeHistogram;
use model::batch::Histogram;
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, Counts, MAX_SCHEMA, MIN_SCHEMA, ResetHint, Span, spans_of};

use super::{Before, Decoder, Fault, When};
use crate::protobuf::wire::{Fields, Value};

/// The zero threshold of a histogram whose sender tells none; the one Prometheus takes.
const DEFAULT_ZERO_THRESHOLD: f64 = 1e-128;

/// The buckets of the histogram at hand. Kept and reused.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    counts: Vec<u64>,
    bounds: Vec<f64>,
    /// The series of each bound, for exemplars.
    series: Vec<u32>,
    bound: String,
}

/// The fields of a point that are the same for both kinds of histogram.
#[derive(Debug, Default)]
struct Totals {
    start: u64,
    time: u64,
    flags: u64,
    count: u64,
    sum: Option<f64>,
    has_exemplars: bool,
}

impl Totals {
    fn when(&self) -> Result<When, Fault> {
        When::new(self.start, self.time, self.flags)
    }
}

impl Decoder<'_> {
    /// Takes the `HistogramDataPoint` at `range` as a classic histogram.
    pub(super) fn histogram_point(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let before = self.before();
        let totals = self.bounded(range.clone())?;
        let when = totals.when()?;
        self.check_finite(totals.sum, &when)?;
        let kind = self.metric.kind;
        let text = self.text.len();
        let labels = self.first_series("_count")?;
        let series = self.end_series(text, kind)?;
        self.sample(series, &when, when.value(totals.count as f64));
        if let Some(sum) = totals.sum {
            let text = self.text.len();
            self.further_series("_sum", &labels, None);
            let series = self.end_series(text, kind)?;
            self.sample(series, &when, when.value(sum));
        }
        let mut buckets = std::mem::take(&mut self.buckets);
        let written = self.classic_buckets(&mut buckets, &totals, &labels, &when);
        let taken = written.and_then(|()| match totals.has_exemplars {
            true => self.exemplars(range, 8, when.time_ms, |value| {
                let place = buckets.bounds.partition_point(|bound| *bound < value);
                buckets.series[place.min(buckets.series.len() - 1)]
            }),
            false => Ok(()),
        });
        self.buckets = buckets;
        taken?;
        self.end_point(before, &when)
    }

    /// Writes the series `_bucket`; each counts what is at or below its bound.
    fn classic_buckets(
        &mut self,
        buckets: &mut Buckets,
        totals: &Totals,
        labels: &Range<usize>,
        when: &When,
    ) -> Result<(), Fault> {
        buckets.series.clear();
        let mut total = 0u64;
        for (place, bound) in buckets.bounds.iter().enumerate() {
            let count = buckets.counts.get(place).copied().unwrap_or(0);
            total = total.checked_add(count).ok_or_else(too_many)?;
            buckets.bound.clear();
            // Writing to a string cannot fail.
            let _ = write!(buckets.bound, "{bound}");
            let series = self.bucket(labels, &buckets.bound, when, total)?;
            buckets.series.push(series);
        }
        let series = self.bucket(labels, "+Inf", when, totals.count)?;
        buckets.series.push(series);
        Ok(())
    }

    fn bucket(&mut self, labels: &Range<usize>, le: &str, when: &When, count: u64) -> Result<u32, Fault> {
        let text = self.text.len();
        self.further_series("_bucket", labels, Some(("le", le)));
        let series = self.end_series(text, self.metric.kind)?;
        self.sample(series, when, when.value(count as f64));
        Ok(series)
    }

    /// Takes the `HistogramDataPoint` at `range` as a native histogram with its own bounds.
    pub(super) fn custom_point(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let before = self.before();
        let totals = self.bounded(range.clone())?;
        if self.buckets.counts.is_empty() {
            // A bucket without bounds holds all.
            self.buckets.counts.push(totals.count);
        }
        let filled = self.buckets.counts.iter().zip(0..).filter(|(count, _)| **count > 0);
        let (positive, indices): (Vec<u64>, Vec<i64>) = filled.map(|(count, index)| (*count, index)).unzip();
        let value = NativeHistogram {
            schema: CUSTOM_BUCKETS,
            reset_hint: ResetHint::Unknown,
            start_ms: None,
            sum: totals.sum.unwrap_or(0.0),
            zero_threshold: 0.0,
            custom_bounds: self.buckets.bounds.clone(),
            positive_spans: spans_of(indices),
            negative_spans: Vec::new(),
            counts: Counts::Integer(BucketCounts { count: totals.count, zero: 0, positive, negative: Vec::new() }),
        };
        self.native(before, range, 8, &totals, value)
    }

    /// Takes the `ExponentialHistogramDataPoint` at `range`.
    pub(super) fn exponential_point(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let before = self.before();
        self.count_rows(1)?;
        self.labels.begin_point();
        let mut totals = Totals::default();
        let (mut scale, mut zero, mut zero_threshold, mut sides) = (0, 0, 0.0, [0..0, 0..0]);
        let mut fields = Fields::new(self.body, range.clone());
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Bytes(range)) => self.attribute(range)?,
                (2, Value::Fixed64(nanos)) => totals.start = nanos,
                (3, Value::Fixed64(nanos)) => totals.time = nanos,
                (4, Value::Fixed64(number)) => totals.count = number,
                (5, Value::Fixed64(bits)) => totals.sum = Some(f64::from_bits(bits)),
                (6, Value::Varint(number)) => scale = zigzag(number),
                (7, Value::Fixed64(number)) => zero = number,
                (8, Value::Bytes(range)) => sides[0] = range,
                (9, Value::Bytes(range)) => sides[1] = range,
                (10, Value::Varint(bits)) => totals.flags = bits,
                (11, Value::Bytes(_)) => totals.has_exemplars = true,
                (14, Value::Fixed64(bits)) => zero_threshold = f64::from_bits(bits),
                (1..=11 | 14, _) => return Err(Fault::wrong_type("ExponentialHistogramDataPoint", number)),
                _ => {}
            }
        }
        let schema = match i8::try_from(scale) {
            Ok(schema) if schema >= MIN_SCHEMA => schema,
            _ => {
                return Err(Fault::Refused(format!(
                    "an exponential histogram has the scale {scale}, it must be {MIN_SCHEMA} to 127"
                )));
            }
        };
        let [positive, negative] = sides;
        let (positive_spans, positive) = self.exponential_buckets(positive)?;
        let (negative_spans, negative) = self.exponential_buckets(negative)?;
        let mut value = NativeHistogram {
            schema,
            reset_hint: ResetHint::Unknown,
            start_ms: None,
            sum: totals.sum.unwrap_or(0.0),
            zero_threshold: if zero_threshold == 0.0 { DEFAULT_ZERO_THRESHOLD } else { zero_threshold },
            custom_bounds: Vec::new(),
            positive_spans,
            negative_spans,
            counts: Counts::Integer(BucketCounts { count: totals.count, zero, positive, negative }),
        };
        value.reduce_to(MAX_SCHEMA);
        self.native(before, range, 11, &totals, value)
    }

    /// The buckets of the `Buckets` at `range` that are not empty.
    fn exponential_buckets(&mut self, range: Range<usize>) -> Result<(Vec<Span>, Vec<u64>), Fault> {
        let (mut offset, mut place, mut filled) = (0i64, 0i64, Vec::new());
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Varint(number)) => offset = zigzag(number),
                (2, Value::Varint(count)) => {
                    self.count_rows(1)?;
                    filled.push((place, count));
                    place += 1;
                }
                (2, Value::Bytes(packed)) => {
                    // Each bucket has a byte or more.
                    self.count_rows(packed.len().min(self.limits.max_rows))?;
                    let mut packed = Fields::new(self.body, packed);
                    while let Some(count) = packed.next_varint()? {
                        if count > 0 {
                            filled.push((place, count));
                        }
                        place += 1;
                    }
                }
                (1 | 2, _) => return Err(Fault::wrong_type("Buckets", number)),
                _ => {}
            }
        }
        filled.retain(|(_, count)| *count > 0);
        // A bucket is named by its lower end there and by its upper end here.
        let indices = || filled.iter().map(|(place, _)| offset.saturating_add(place + 1));
        if indices().any(|index| i32::try_from(index).is_err()) {
            return Err(Fault::Refused(format!(
                "an exponential histogram has buckets at the offset {offset}, too far out"
            )));
        }
        Ok((spans_of(indices()), filled.iter().map(|(_, count)| *count).collect()))
    }

    /// Adds a native histogram as the row of a point.
    fn native(
        &mut self,
        before: Before,
        range: Range<usize>,
        exemplars: u64,
        totals: &Totals,
        mut value: NativeHistogram,
    ) -> Result<(), Fault> {
        let when = totals.when()?;
        self.check_finite(totals.sum, &when)?;
        if when.is_stale {
            value = NativeHistogram::stale();
        } else {
            value.validate().map_err(|error| Fault::Refused(error.message().to_owned()))?;
            value.start_ms = (when.has_start() && !self.metric.is_delta).then_some(when.start_ms);
        }
        let text = self.text.len();
        self.first_series("")?;
        let series = self.end_series(text, self.metric.kind)?;
        self.batch.histograms.push(Histogram { series, time_ms: when.time_ms, value });
        if totals.has_exemplars {
            self.exemplars(range, exemplars, when.time_ms, |_| series)?;
        }
        self.end_point(before, &when)
    }

    /// Reads the `HistogramDataPoint` at `range`; its buckets are in `self.buckets`.
    fn bounded(&mut self, range: Range<usize>) -> Result<Totals, Fault> {
        self.labels.begin_point();
        self.buckets.counts.clear();
        self.buckets.bounds.clear();
        let mut totals = Totals::default();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (9, Value::Bytes(range)) => self.attribute(range)?,
                (2, Value::Fixed64(nanos)) => totals.start = nanos,
                (3, Value::Fixed64(nanos)) => totals.time = nanos,
                (4, Value::Fixed64(number)) => totals.count = number,
                (5, Value::Fixed64(bits)) => totals.sum = Some(f64::from_bits(bits)),
                (6, Value::Bytes(range)) => self.buckets.counts.extend(doubles(self.body, range)?),
                (6, Value::Fixed64(count)) => self.buckets.counts.push(count),
                (7, Value::Bytes(range)) => {
                    self.buckets.bounds.extend(doubles(self.body, range)?.map(f64::from_bits));
                }
                (7, Value::Fixed64(bits)) => self.buckets.bounds.push(f64::from_bits(bits)),
                (8, Value::Bytes(_)) => totals.has_exemplars = true,
                (10, Value::Varint(bits)) => totals.flags = bits,
                (2..=10, _) => return Err(Fault::wrong_type("HistogramDataPoint", number)),
                _ => {}
            }
        }
        self.count_rows(3 + self.buckets.bounds.len().max(self.buckets.counts.len()))?;
        self.check_buckets()?;
        Ok(totals)
    }

    /// The bounds must ascend, and there must be one bucket more than bounds, or none.
    fn check_buckets(&mut self) -> Result<(), Fault> {
        let Buckets { counts, bounds, .. } = &mut self.buckets;
        // Some senders write out the bound that every histogram has.
        if bounds.last() == Some(&f64::INFINITY) {
            bounds.pop();
            let beyond = if counts.len() == bounds.len() + 2 { counts.pop().unwrap_or(0) } else { 0 };
            if let Some(last) = counts.last_mut() {
                *last = last.checked_add(beyond).ok_or_else(too_many)?;
            }
        }
        if !bounds.windows(2).all(|pair| pair[0] < pair[1]) || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(Fault::Refused("the bounds of a histogram do not ascend".to_owned()));
        }
        if counts.is_empty() && bounds.is_empty() || counts.len() == bounds.len() + 1 {
            return Ok(());
        }
        let (counts, bounds) = (counts.len(), bounds.len());
        Err(Fault::Refused(format!(
            "a histogram has {counts} buckets and {bounds} bounds, it must have one more bucket"
        )))
    }
}

#[cold]
fn too_many() -> Fault {
    Fault::Refused("the buckets of a histogram count more than 2^64 observations".to_owned())
}

fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// The bits of packed numbers of eight bytes.
fn doubles(body: &[u8], range: Range<usize>) -> Result<impl Iterator<Item = u64> + use<'_>, Fault> {
    let (numbers, rest) = body[range].as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Fault::Fatal(crate::Error::invalid("packed numbers of a histogram end inside a number")));
    }
    Ok(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)))
}
