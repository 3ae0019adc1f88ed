//! The buckets of a histogram one by one, with their bounds.

use model::histogram::{Span, indexed};

use super::bounds::upper_bound;
use super::{CUSTOM_BUCKETS, FloatHistogram};

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Its lower bound.
    pub lower: f64,
    /// Its upper bound.
    pub upper: f64,
    /// Whether the lower bound is in it.
    pub lower_inclusive: bool,
    /// Whether the upper bound is in it.
    pub upper_inclusive: bool,
    /// Observations in it.
    pub count: f64,
    /// Its index among the buckets of its sign; 0 for the zero bucket.
    pub index: i64,
}

impl Bucket {
    /// The number that stands for its bounds in answers: 0 if the upper one alone is in it, 1 if the lower one alone is,
    /// 2 if none is, 3 if both are.
    pub fn boundaries(&self) -> u8 {
        match (self.lower_inclusive, self.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        }
    }

    /// Whether zero is in it or at its bounds.
    pub(crate) fn touches_zero(&self) -> bool {
        self.lower <= 0.0 && self.upper >= 0.0
    }

    /// How much of its width is below a value within it: on a plain scale, or on that of the exponential buckets.
    pub(crate) fn fraction_below(&self, value: f64, scale: Scale) -> f64 {
        if scale == Scale::Linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let log = |bound: f64| super::bounds::log2(bound.abs());
        let (lower, upper, value_log) = (log(self.lower), log(self.upper), log(value));
        if value > 0.0 { (value_log - lower) / (upper - lower) } else { 1.0 - (value_log - upper) / (lower - upper) }
    }
}

/// How observations are thought to lie within a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Evenly: in custom buckets and in the zero bucket.
    Linear,
    /// So that buckets half as wide would be equally full.
    Exponential,
}

/// The bounds of a bucket of positive observations.
fn bounds(index: i64, schema: i8, custom_bounds: &[f64]) -> (f64, f64) {
    if schema != CUSTOM_BUCKETS {
        return (upper_bound(index - 1, schema), upper_bound(index, schema));
    }
    let bound = |index: i64| match usize::try_from(index) {
        Err(_) => f64::NEG_INFINITY,
        Ok(place) => custom_bounds.get(place).copied().unwrap_or(f64::INFINITY),
    };
    (bound(index - 1), bound(index))
}

fn positive(index: i64, count: f64, schema: i8, custom_bounds: &[f64]) -> Bucket {
    let (lower, upper) = bounds(index, schema, custom_bounds);
    if schema == CUSTOM_BUCKETS {
        Bucket { lower, upper, lower_inclusive: index == 0, upper_inclusive: true, count, index }
    } else {
        Bucket { lower, upper, lower_inclusive: lower < 0.0, upper_inclusive: upper > 0.0, count, index }
    }
}

fn negative(index: i64, count: f64, schema: i8) -> Bucket {
    let (near, far) = bounds(index, schema, &[]);
    let (lower, upper) = (-far, -near);
    Bucket { lower, upper, lower_inclusive: lower < 0.0, upper_inclusive: upper > 0.0, count, index }
}

/// The buckets of some spans from the last to the first.
fn indexed_from_end<'a>(spans: &'a [Span], counts: &'a [f64]) -> impl Iterator<Item = (i64, f64)> + 'a {
    let mut end: i64 = spans.iter().map(|span| i64::from(span.offset) + i64::from(span.length)).sum();
    let indices = spans.iter().rev().flat_map(move |span| {
        let last = end;
        end -= i64::from(span.length) + i64::from(span.offset);
        (last - i64::from(span.length)..last).rev()
    });
    indices.zip(counts.iter().rev().copied())
}

impl FloatHistogram {
    /// The buckets of positive observations, or all custom ones, from low to high.
    pub(crate) fn positive_buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        indexed(&self.positive_spans, &self.positive)
            .map(|(index, count)| positive(index, count, self.schema, &self.custom_bounds))
    }

    /// The buckets of negative observations, from the one next to zero to the lowest.
    pub(crate) fn negative_buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        indexed(&self.negative_spans, &self.negative).map(|(index, count)| negative(index, count, self.schema))
    }

    /// The zero bucket, which histograms with custom buckets lack.
    pub(crate) fn zero_bucket(&self) -> Bucket {
        let (lower, upper) = (-self.zero_threshold, self.zero_threshold);
        Bucket { lower, upper, lower_inclusive: true, upper_inclusive: true, count: self.zero_count, index: 0 }
    }

    /// All buckets from low to high; the zero bucket only if there is something in it. One that overlaps with the zero
    /// bucket ends where that begins.
    pub fn ascending(&self) -> impl Iterator<Item = Bucket> + '_ {
        let below = indexed_from_end(&self.negative_spans, &self.negative)
            .map(|(index, count)| negative(index, count, self.schema));
        below.chain(self.filled_zero_bucket()).chain(self.positive_buckets()).map(|bucket| self.without_zero(bucket))
    }

    /// All buckets from high to low, otherwise as [`FloatHistogram::ascending`].
    pub(crate) fn descending(&self) -> impl Iterator<Item = Bucket> + '_ {
        let above = indexed_from_end(&self.positive_spans, &self.positive)
            .map(|(index, count)| positive(index, count, self.schema, &self.custom_bounds));
        above.chain(self.filled_zero_bucket()).chain(self.negative_buckets()).map(|bucket| self.without_zero(bucket))
    }

    fn filled_zero_bucket(&self) -> Option<Bucket> {
        (self.zero_count > 0.0).then(|| self.zero_bucket())
    }

    fn without_zero(&self, mut bucket: Bucket) -> Bucket {
        if bucket.upper < 0.0 && bucket.upper > -self.zero_threshold {
            bucket.upper = -self.zero_threshold;
        } else if bucket.lower > 0.0 && bucket.lower < self.zero_threshold {
            bucket.lower = self.zero_threshold;
        }
        bucket
    }
}

#[cfg(test)]
mod tests;
