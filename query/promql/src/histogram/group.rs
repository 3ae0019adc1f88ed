//! `sum` and `avg` of the histograms that a group of series has at one time.

use super::{FloatHistogram, HistogramMean, HistogramSum, MixedBuckets};
use crate::note::{Note, Notes};

/// The samples of a group, taken in one by one in the order of their series; of numbers only that they are there.
#[derive(Debug, Clone)]
pub struct HistogramGroup {
    aggregation: Aggregation,
    state: State,
    has_numbers: bool,
    has_histograms: bool,
}

#[derive(Debug, Clone, Copy)]
enum Aggregation {
    Sum,
    Mean,
}

#[derive(Debug, Clone)]
enum State {
    Empty,
    Sum(Box<HistogramSum>),
    Mean(Box<HistogramMean>),
    /// The first sample was a number: Prometheus does not look at histograms behind it.
    Number,
    /// There were custom and exponential buckets: nothing behind them counts.
    Mixed,
}

impl HistogramGroup {
    /// A group whose histograms are added.
    pub fn sum() -> Self {
        Self::new(Aggregation::Sum)
    }

    /// A group whose mean is sought.
    pub fn mean() -> Self {
        Self::new(Aggregation::Mean)
    }

    fn new(aggregation: Aggregation) -> Self {
        HistogramGroup { aggregation, state: State::Empty, has_numbers: false, has_histograms: false }
    }

    /// Takes in the histogram of a series. `metric` is its name, empty if it has none.
    pub fn add(&mut self, histogram: &FloatHistogram, metric: &str, notes: &mut Notes) {
        self.has_histograms = true;
        let result = match (&mut self.state, self.aggregation) {
            (State::Mixed | State::Number, _) => return,
            (State::Empty, Aggregation::Sum) => {
                self.state = State::Sum(Box::new(HistogramSum::new(histogram.clone())));
                return;
            }
            (State::Empty, Aggregation::Mean) => {
                self.state = State::Mean(Box::new(HistogramMean::new(histogram.clone())));
                return;
            }
            (State::Sum(sum), _) => sum.add(histogram),
            (State::Mean(mean), _) => mean.add(histogram),
        };
        if let Err(MixedBuckets) = result {
            self.note_bounds(notes);
            notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
            self.state = State::Mixed;
        }
    }

    /// Takes note of the number of a series.
    pub fn add_number(&mut self) {
        match self.state {
            State::Mixed => {}
            State::Empty => {
                self.state = State::Number;
                self.has_numbers = true;
            }
            State::Number | State::Sum(_) | State::Mean(_) => self.has_numbers = true,
        }
    }

    /// Whether there were histograms. Then the group has no value but that of [`HistogramGroup::finish`], if that is one.
    pub fn has_histograms(&self) -> bool {
        self.has_histograms
    }

    /// The sum or mean. A group that has numbers too has neither, nor has one of custom and exponential buckets.
    pub fn finish(self, notes: &mut Notes) -> Option<FloatHistogram> {
        if self.has_numbers {
            self.note_bounds(notes);
            if self.has_histograms {
                notes.add(Note::MixedFloatsHistogramsAggregation);
            }
            return None;
        }
        let mut result = match self.state {
            State::Empty | State::Number | State::Mixed => return None,
            State::Sum(sum) => {
                sum.note(notes);
                sum.into_sum()
            }
            State::Mean(mean) => {
                mean.note(notes);
                mean.into_mean()
            }
        };
        result.compact();
        Some(result)
    }

    /// Says that the bounds of custom buckets were different, the one thing that is said without a result too.
    fn note_bounds(&self, notes: &mut Notes) {
        match &self.state {
            State::Empty | State::Number | State::Mixed => {}
            State::Sum(sum) => sum.note_bounds(notes),
            State::Mean(mean) => mean.note_bounds(notes),
        }
    }
}

#[cfg(test)]
mod tests;
