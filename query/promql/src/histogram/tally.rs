//! A histogram that others are added to, its numbers with or without what is lost in rounding.

use super::amount::Amount;
use super::arithmetic::{Combined, MixedBuckets};
use super::bounds::upper_bound;
use super::custom::common_bounds;
use super::side::{Buckets, Side};
use super::zero::widened;
use super::{CUSTOM_BUCKETS, FloatHistogram, ResetHint};
use crate::summation::Sum;

/// The parts of a [`FloatHistogram`], each number of a kind that others are added to.
#[derive(Debug, Clone)]
pub(super) struct Tally<T> {
    schema: i8,
    reset_hint: ResetHint,
    count: T,
    sum: T,
    zero_threshold: f64,
    zero: T,
    custom_bounds: Vec<f64>,
    positive: Side<T>,
    negative: Side<T>,
}

impl<T: Amount> Tally<T> {
    /// Starts with one histogram.
    pub(super) fn new(first: FloatHistogram) -> Self {
        Tally {
            schema: first.schema,
            reset_hint: first.reset_hint,
            count: first.count.into(),
            sum: first.sum.into(),
            zero_threshold: first.zero_threshold,
            zero: first.zero_count.into(),
            custom_bounds: first.custom_bounds,
            positive: Side::new(first.positive_spans, first.positive),
            negative: Side::new(first.negative_spans, first.negative),
        }
    }

    /// Adds another histogram `sign` times, which is 1 or -1.
    ///
    /// Both are brought to the coarser schema, to the wider zero bucket, and to the custom bounds that both have.
    ///
    /// # Errors
    /// One of them has custom buckets and the other exponential ones; nothing has changed then.
    pub(super) fn add(&mut self, other: &FloatHistogram, sign: f64) -> Result<Combined, MixedBuckets> {
        if (self.schema == CUSTOM_BUCKETS) != other.has_custom_buckets() {
            return Err(MixedBuckets);
        }
        let mut combined = Combined { resets_collide: self.combine_hint(other.reset_hint), bounds_reconciled: false };
        if self.schema == CUSTOM_BUCKETS {
            self.add_scalars(other, sign);
            combined.bounds_reconciled = self.add_custom_buckets(other, sign);
        } else {
            let zero = self.reconcile_zero(other);
            self.zero = self.zero.plus(zero.times(sign));
            self.add_scalars(other, sign);
            self.add_exponential_buckets(other, sign);
        }
        Ok(combined)
    }

    fn add_scalars(&mut self, other: &FloatHistogram, sign: f64) {
        self.count = self.count.plus(T::from(sign * other.count));
        self.sum = self.sum.plus(T::from(sign * other.sum));
    }

    /// The hint of a sum says what those of its parts agree on. Returns whether they contradict each other.
    fn combine_hint(&mut self, other: ResetHint) -> bool {
        let ours = self.reset_hint;
        self.reset_hint = match (ours, other) {
            (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => ResetHint::Gauge,
            _ if ours == other => ours,
            _ => ResetHint::Unknown,
        };
        matches!((ours, other), (ResetHint::Reset, ResetHint::NoReset) | (ResetHint::NoReset, ResetHint::Reset))
    }

    /// Widens the zero bucket until it ends where that of the other one would, and returns what is in that then.
    fn reconcile_zero(&mut self, other: &FloatHistogram) -> T {
        let mut their_zero = T::from(other.zero_count);
        let mut their_threshold = other.zero_threshold;
        loop {
            if self.zero_threshold > their_threshold {
                let (positive, negative) = (Buckets::positive(other), Buckets::negative(other));
                let threshold = self.zero_threshold;
                (their_zero, their_threshold) =
                    widened(T::from(other.zero_count), positive, negative, other.schema, threshold);
            } else if their_threshold > self.zero_threshold {
                let (positive, negative) = (self.positive.view(), self.negative.view());
                (self.zero, self.zero_threshold) = widened(self.zero, positive, negative, self.schema, their_threshold);
                self.positive.drop_within(self.zero_threshold, self.schema);
                self.negative.drop_within(self.zero_threshold, self.schema);
            } else {
                return their_zero;
            }
        }
    }

    fn add_exponential_buckets(&mut self, other: &FloatHistogram, sign: f64) {
        if other.schema < self.schema {
            let steps = u32::from(self.schema.abs_diff(other.schema));
            self.positive.reduce(steps);
            self.negative.reduce(steps);
            self.schema = other.schema;
        }
        let steps = u32::from(other.schema.abs_diff(self.schema));
        let (schema, threshold) = (self.schema, self.zero_threshold);
        let in_zero = |index: i64| upper_bound(index, schema) <= threshold;
        for (ours, theirs) in
            [(&mut self.positive, Buckets::positive(other)), (&mut self.negative, Buckets::negative(other))]
        {
            if steps == 0 {
                ours.add(theirs, sign, in_zero);
            } else {
                let mut reduced = Side::<T>::new(theirs.spans.to_vec(), theirs.counts.to_vec());
                reduced.reduce(steps);
                ours.add(reduced.view(), sign, in_zero);
            }
        }
    }

    /// Returns whether the bounds were different.
    fn add_custom_buckets(&mut self, other: &FloatHistogram, sign: f64) -> bool {
        if self.custom_bounds == other.custom_bounds {
            self.positive.add(Buckets::positive(other), sign, |_| false);
            return false;
        }
        let common = common_bounds(&self.custom_bounds, &other.custom_bounds);
        self.positive.add_custom(&self.custom_bounds, Buckets::positive(other), &other.custom_bounds, sign, &common);
        self.custom_bounds = common;
        true
    }

    /// Does something to each number.
    pub(super) fn map(&mut self, change: impl Fn(T) -> T) {
        self.count = change(self.count);
        self.sum = change(self.sum);
        self.zero = change(self.zero);
        for count in self.positive.counts.iter_mut().chain(&mut self.negative.counts) {
            *count = change(*count);
        }
    }

    /// Whether a number is infinite, as sums become that are too great.
    pub(super) fn is_infinite(&self) -> bool {
        let buckets = self.positive.counts.iter().chain(&self.negative.counts);
        buckets.chain([&self.count, &self.sum, &self.zero]).any(|number| number.value().is_infinite())
    }

    fn finish(self, number: impl Fn(T) -> f64) -> FloatHistogram {
        FloatHistogram {
            schema: self.schema,
            reset_hint: self.reset_hint,
            count: number(self.count),
            sum: number(self.sum),
            zero_threshold: self.zero_threshold,
            zero_count: number(self.zero),
            custom_bounds: self.custom_bounds,
            positive_spans: self.positive.spans,
            negative_spans: self.negative.spans,
            positive: self.positive.counts.into_iter().map(&number).collect(),
            negative: self.negative.counts.into_iter().map(&number).collect(),
        }
    }
}

impl Tally<f64> {
    /// The histogram.
    pub(super) fn into_histogram(self) -> FloatHistogram {
        self.finish(|number| number)
    }
}

impl Tally<Sum> {
    /// The histogram, what was lost in rounding added again.
    pub(super) fn into_histogram(self) -> FloatHistogram {
        self.finish(Sum::total)
    }
}
