//! Sums, differences, products and quotients.

use super::tally::Tally;
use super::{FloatHistogram, ResetHint};

/// What there is to say of two histograms that were added or subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Combined {
    /// One says that it was reset, the other that it was not.
    pub(crate) resets_collide: bool,
    /// Both have custom buckets, of different bounds.
    pub(crate) bounds_reconciled: bool,
}

/// One of two histograms has custom buckets and the other exponential ones: nothing can be calculated of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MixedBuckets;

impl FloatHistogram {
    /// Adds another histogram. The result may have empty buckets.
    ///
    /// Both are brought to the coarser schema, to the wider zero bucket, and to the custom bounds that both have.
    ///
    /// # Errors
    /// One of them has custom buckets and the other exponential ones; nothing has changed then.
    pub(crate) fn add(&mut self, other: &FloatHistogram) -> Result<Combined, MixedBuckets> {
        self.combine(other, 1.0)
    }

    /// Subtracts another histogram, otherwise as [`FloatHistogram::add`], also in what becomes of the hint of resets: the
    /// operator `-` has to set it.
    ///
    /// # Errors
    /// As [`FloatHistogram::add`].
    pub(crate) fn subtract(&mut self, other: &FloatHistogram) -> Result<Combined, MixedBuckets> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &FloatHistogram, sign: f64) -> Result<Combined, MixedBuckets> {
        let ours = std::mem::replace(self, FloatHistogram::empty(self.schema, Vec::new()));
        let mut tally = Tally::<f64>::new(ours);
        let combined = tally.add(other, sign);
        *self = tally.into_histogram();
        combined
    }

    /// Multiplies all counts and the sum.
    pub(crate) fn multiply(&mut self, factor: f64) {
        self.change_numbers(|number| number * factor);
        if factor < 0.0 {
            self.reset_hint = ResetHint::Gauge;
        }
    }

    /// Divides all counts and the sum. Division by zero leaves no bucket.
    pub(crate) fn divide(&mut self, divisor: f64) {
        if divisor == 0.0 {
            self.positive_spans.clear();
            self.negative_spans.clear();
            self.positive.clear();
            self.negative.clear();
        }
        self.change_numbers(|number| number / divisor);
        if divisor < 0.0 {
            self.reset_hint = ResetHint::Gauge;
        }
    }

    /// Turns the sign of all counts and of the sum.
    pub(crate) fn negate(&mut self) {
        self.multiply(-1.0);
    }

    fn change_numbers(&mut self, change: impl Fn(f64) -> f64) {
        for number in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            *number = change(*number);
        }
        for count in self.positive.iter_mut().chain(&mut self.negative) {
            *count = change(*count);
        }
    }
}

#[cfg(test)]
mod tests;
