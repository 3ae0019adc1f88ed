//! Aggregations: one value of all series of a group, or some of its series.
//!
//! A [`Fold`] takes series row by row as they come and is done after the last one. What needs all series of a step together
//! is a function of that step: [`quantile`], [`selection`]; [`count_values`] is in between.

mod count;
pub mod count_values;
mod deviation;
mod extreme;
mod mean;
mod parameter;
pub mod quantile;
pub mod selection;
mod sum;

pub use parameter::Parameter;

use crate::note::{Note, Notes};
use crate::presence::Presence;

/// What a group comes to, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// A value a step; anything where there is none.
    pub values: Vec<f64>,
    /// Which steps have a value.
    pub present: Presence,
}

/// An aggregation that takes one series after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `group`
    Group,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `stddev`
    Stddev,
    /// `stdvar`
    Stdvar,
    /// `sum`
    Sum,
}

impl Operator {
    /// The operator of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Operator::Avg,
            Operator::Count,
            Operator::Group,
            Operator::Max,
            Operator::Min,
            Operator::Stddev,
            Operator::Stdvar,
            Operator::Sum,
        ];
        all.into_iter().find(|operator| operator.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Avg => "avg",
            Operator::Count => "count",
            Operator::Group => "group",
            Operator::Max => "max",
            Operator::Min => "min",
            Operator::Stddev => "stddev",
            Operator::Stdvar => "stdvar",
            Operator::Sum => "sum",
        }
    }
}

/// One group of an aggregation while its series come in, step beside step.
#[derive(Debug, Clone)]
pub struct Fold {
    operator: Operator,
    state: State,
    /// The steps at which a histogram came in.
    histograms: Presence,
}

#[derive(Debug, Clone)]
enum State {
    Sums(sum::Sums),
    Means(mean::Means),
    Extremes(extreme::Extremes),
    Counts(count::Counts),
    Deviations(deviation::Deviations),
}

impl Fold {
    /// A group of nothing yet.
    pub fn new(operator: Operator, steps: usize) -> Self {
        let state = match operator {
            Operator::Sum => State::Sums(sum::Sums::new(steps)),
            Operator::Avg => State::Means(mean::Means::new(steps)),
            Operator::Max | Operator::Min => State::Extremes(extreme::Extremes::new(steps)),
            Operator::Count | Operator::Group => State::Counts(count::Counts::new(steps)),
            Operator::Stddev | Operator::Stdvar => State::Deviations(deviation::Deviations::new(steps)),
        };
        Fold { operator, state, histograms: Presence::none(steps) }
    }

    /// Takes the numbers of a series.
    pub fn fold(&mut self, values: &[f64], present: &Presence) {
        match &mut self.state {
            State::Sums(sums) => sums.fold(values, present),
            State::Means(means) => means.fold(values, present),
            State::Extremes(extremes) if self.operator == Operator::Max => {
                extremes.fold(values, present, |value, max| value > max);
            }
            State::Extremes(extremes) => extremes.fold(values, present, |value, min| value < min),
            State::Counts(counts) => counts.fold(present),
            State::Deviations(deviations) => deviations.fold(values, present),
        }
    }

    /// Takes note of the steps at which a series has a histogram. `sum` and `avg` of the histograms themselves are
    /// calculated elsewhere; a step that [`Answer::mixed`] names has none.
    pub fn fold_histograms(&mut self, present: &Presence, notes: &mut Notes) {
        if present.is_empty() {
            return;
        }
        match &mut self.state {
            State::Sums(_) | State::Means(_) => self.histograms.union_with(present),
            State::Counts(counts) => counts.fold(present),
            State::Extremes(_) | State::Deviations(_) => {
                notes.add(Note::HistogramIgnoredInAggregation(self.operator.name()));
            }
        }
    }

    /// The values of the group.
    pub fn finish(self, notes: &mut Notes) -> Answer {
        let mut row = match self.state {
            State::Sums(sums) => sums.finish(),
            State::Means(means) => means.finish(),
            State::Extremes(extremes) => extremes.finish(),
            State::Counts(counts) => counts.finish(self.operator == Operator::Group),
            State::Deviations(deviations) => deviations.finish(self.operator == Operator::Stddev),
        };
        let mut mixed = self.histograms;
        mixed.intersect_with(&row.present);
        if !mixed.is_empty() {
            notes.add(Note::MixedFloatsHistogramsAggregation);
            row.present.subtract(&mixed);
        }
        Answer { row, mixed }
    }
}

/// What a [`Fold`] gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The values where the group had numbers only.
    pub row: Row,
    /// The steps at which it had numbers and histograms, and so has no value at all.
    pub mixed: Presence,
}

#[cfg(test)]
mod tests;
