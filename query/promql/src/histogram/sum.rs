//! Sums and means of many histograms, without the errors that rounding adds up to.

use super::amount::Amount;
use super::tally::Tally;
use super::{FloatHistogram, MixedBuckets, ResetHint};
use crate::note::{Note, Notes, Operation};
use crate::summation::Sum;

/// What the histograms of a sum or mean have said of resets, and whether their bounds were different.
#[derive(Debug, Clone, Default)]
struct Seen {
    reset: bool,
    no_reset: bool,
    bounds_reconciled: bool,
}

impl Seen {
    fn see(&mut self, hint: ResetHint) {
        self.reset |= hint == ResetHint::Reset;
        self.no_reset |= hint == ResetHint::NoReset;
    }

    fn note(&self, notes: &mut Notes) {
        if self.reset && self.no_reset {
            notes.add(Note::CounterResetCollision(Operation::Aggregation));
        }
        if self.bounds_reconciled {
            notes.add(Note::MismatchedCustomBuckets(Operation::Aggregation));
        }
    }
}

/// The sum of histograms.
#[derive(Debug, Clone)]
pub(crate) struct HistogramSum {
    sum: Tally<Sum>,
    seen: Seen,
}

impl HistogramSum {
    /// Starts with one histogram.
    pub(crate) fn new(first: FloatHistogram) -> Self {
        let mut seen = Seen::default();
        seen.see(first.reset_hint);
        HistogramSum { sum: Tally::new(first), seen }
    }

    /// Adds another one.
    ///
    /// # Errors
    /// One has custom buckets and the others exponential ones: there is no sum.
    pub(crate) fn add(&mut self, other: &FloatHistogram) -> Result<(), MixedBuckets> {
        self.seen.see(other.reset_hint);
        self.seen.bounds_reconciled |= self.sum.add(other, 1.0)?.bounds_reconciled;
        Ok(())
    }

    /// Says what there is to say of the histograms so far.
    pub(crate) fn note(&self, notes: &mut Notes) {
        self.seen.note(notes);
    }

    /// Says that the bounds of custom buckets were different.
    pub(crate) fn note_bounds(&self, notes: &mut Notes) {
        Seen { reset: false, ..self.seen.clone() }.note(notes);
    }

    /// The sum. It may have empty buckets; an aggregation compacts it, a function over time does not.
    pub(crate) fn into_sum(self) -> FloatHistogram {
        self.sum.into_histogram()
    }
}

/// The mean of histograms.
///
/// It is the sum, divided at the end, unless that is too great for a number: from there on each histogram moves the mean.
#[derive(Debug, Clone)]
pub(crate) struct HistogramMean {
    /// The sum, or the mean once the sum was too great.
    state: Tally<Sum>,
    is_mean: bool,
    members: f64,
    seen: Seen,
}

impl HistogramMean {
    /// Starts with one histogram.
    pub(crate) fn new(first: FloatHistogram) -> Self {
        let mut seen = Seen::default();
        seen.see(first.reset_hint);
        HistogramMean { state: Tally::new(first), is_mean: false, members: 1.0, seen }
    }

    /// Takes in another one.
    ///
    /// # Errors
    /// One has custom buckets and the others exponential ones: there is no mean.
    pub(crate) fn add(&mut self, other: &FloatHistogram) -> Result<(), MixedBuckets> {
        self.seen.see(other.reset_hint);
        self.members += 1.0;
        let members = self.members;
        if !self.is_mean {
            let mut sum = self.state.clone();
            self.seen.bounds_reconciled |= sum.add(other, 1.0)?.bounds_reconciled;
            if !sum.is_infinite() {
                self.state = sum;
                return Ok(());
            }
            self.is_mean = true;
            self.state.map(|number| number.over(members - 1.0));
        }
        let share = (members - 1.0) / members;
        self.state.map(|number| number.times(share));
        let mut part = other.clone();
        part.divide(members);
        self.seen.bounds_reconciled |= self.state.add(&part, 1.0)?.bounds_reconciled;
        Ok(())
    }

    /// Says what there is to say of the histograms so far.
    pub(crate) fn note(&self, notes: &mut Notes) {
        self.seen.note(notes);
    }

    /// Says that the bounds of custom buckets were different.
    pub(crate) fn note_bounds(&self, notes: &mut Notes) {
        Seen { reset: false, ..self.seen.clone() }.note(notes);
    }

    /// The mean. It may have empty buckets; an aggregation compacts it, a function over time does not.
    pub(crate) fn into_mean(mut self) -> FloatHistogram {
        if !self.is_mean {
            let members = self.members;
            self.state.map(|number| number.over(members));
        }
        self.state.into_histogram()
    }
}

#[cfg(test)]
mod tests;
