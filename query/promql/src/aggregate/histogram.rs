//! Sums and means of the native histograms of a group.

use std::collections::BTreeMap;

use crate::histogram::{FloatHistogram, HistogramMean, HistogramSum, MixedBuckets};
use crate::note::{Note, Notes};
use crate::presence::Presence;

/// What the histograms of a group come to so far, of the steps that have any.
#[derive(Debug, Clone)]
pub(super) struct Histograms {
    steps: BTreeMap<usize, Step>,
    is_mean: bool,
}

/// The histograms of one step.
#[derive(Debug, Clone)]
enum Step {
    Sum(Box<HistogramSum>),
    Mean(Box<HistogramMean>),
    /// Numbers came before: there is no value, whatever else comes.
    BehindNumbers,
    /// Some have custom buckets and some exponential ones. Prometheus looks at nothing behind them, at numbers neither.
    Incompatible,
}

impl Histograms {
    pub(super) fn new(is_mean: bool) -> Self {
        Histograms { steps: BTreeMap::new(), is_mean }
    }

    /// Takes a histogram of a step. `has_numbers` says that the group has a number there already.
    pub(super) fn add(
        &mut self,
        step: usize,
        histogram: &FloatHistogram,
        has_numbers: bool,
        metric: &str,
        notes: &mut Notes,
    ) {
        let Some(state) = self.steps.get_mut(&step) else {
            let state = match self.is_mean {
                _ if has_numbers => Step::BehindNumbers,
                false => Step::Sum(Box::new(HistogramSum::new(histogram.clone()))),
                true => Step::Mean(Box::new(HistogramMean::new(histogram.clone()))),
            };
            self.steps.insert(step, state);
            return;
        };
        if state.add(histogram) == Err(MixedBuckets) {
            state.note_bounds(notes);
            notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
            *state = if has_numbers { Step::BehindNumbers } else { Step::Incompatible };
        }
    }

    /// The histograms by their steps. Where the group has numbers too it has no value: `numbers` loses those steps.
    pub(super) fn finish(self, numbers: &mut Presence, notes: &mut Notes) -> Vec<(usize, FloatHistogram)> {
        let mut finished = Vec::with_capacity(self.steps.len());
        for (step, state) in self.steps {
            if numbers.has(step) {
                numbers.remove(step);
                if !matches!(state, Step::Incompatible) {
                    state.note_bounds(notes);
                    notes.add(Note::MixedFloatsHistogramsAggregation);
                }
            } else if let Some(mut histogram) = state.finish(notes) {
                histogram.compact();
                finished.push((step, histogram));
            }
        }
        finished
    }
}

impl Step {
    fn add(&mut self, histogram: &FloatHistogram) -> Result<(), MixedBuckets> {
        match self {
            Step::Sum(sum) => sum.add(histogram),
            Step::Mean(mean) => mean.add(histogram),
            Step::BehindNumbers | Step::Incompatible => Ok(()),
        }
    }

    /// Says of histograms that come to nothing what Prometheus says of them nevertheless.
    fn note_bounds(&self, notes: &mut Notes) {
        match self {
            Step::Sum(sum) => sum.note_bounds(notes),
            Step::Mean(mean) => mean.note_bounds(notes),
            Step::BehindNumbers | Step::Incompatible => {}
        }
    }

    fn finish(self, notes: &mut Notes) -> Option<FloatHistogram> {
        match self {
            Step::Sum(sum) => {
                sum.note(notes);
                Some(sum.into_sum())
            }
            Step::Mean(mean) => {
                mean.note(notes);
                Some(mean.into_mean())
            }
            Step::BehindNumbers | Step::Incompatible => None,
        }
    }
}

#[cfg(test)]
mod tests;
