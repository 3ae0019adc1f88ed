//! Aggregations: one value of all series of a group, or some of its series.
//!
//! A [`Fold`] takes series row by row as they come and is done after the last one. What needs all series of a step together
//! is a function of that step: [`quantile`], [`selection`]; [`count_values`] is in between.

mod count;
pub mod count_values;
mod deviation;
mod extreme;
mod histogram;
mod mean;
mod parameter;
pub mod quantile;
pub mod selection;
mod sum;

pub use parameter::Parameter;

use histogram::Histograms;

use crate::ast::AggregateOp;
use crate::histogram::FloatHistogram;
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
    /// The operator of an expression, if it is one of these.
    pub fn of(op: AggregateOp) -> Option<Self> {
        Some(match op {
            AggregateOp::Avg => Operator::Avg,
            AggregateOp::Count => Operator::Count,
            AggregateOp::Group => Operator::Group,
            AggregateOp::Max => Operator::Max,
            AggregateOp::Min => Operator::Min,
            AggregateOp::Stddev => Operator::Stddev,
            AggregateOp::Stdvar => Operator::Stdvar,
            AggregateOp::Sum => Operator::Sum,
            _ => return None,
        })
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
}

#[derive(Debug, Clone)]
enum State {
    Sums(sum::Sums, Histograms),
    Means(mean::Means, Histograms),
    Extremes(extreme::Extremes),
    Counts(count::Counts),
    Deviations(deviation::Deviations),
}

impl Fold {
    /// A group of nothing yet.
    pub fn new(operator: Operator, steps: usize) -> Self {
        let state = match operator {
            Operator::Sum => State::Sums(sum::Sums::new(steps), Histograms::new(false)),
            Operator::Avg => State::Means(mean::Means::new(steps), Histograms::new(true)),
            Operator::Max | Operator::Min => State::Extremes(extreme::Extremes::new(steps)),
            Operator::Count | Operator::Group => State::Counts(count::Counts::new(steps)),
            Operator::Stddev | Operator::Stdvar => State::Deviations(deviation::Deviations::new(steps)),
        };
        Fold { operator, state }
    }

    /// Takes the numbers of a series.
    pub fn fold(&mut self, values: &[f64], present: &Presence) {
        match &mut self.state {
            State::Sums(sums, _) => sums.fold(values, present),
            State::Means(means, _) => means.fold(values, present),
            State::Extremes(extremes) if self.operator == Operator::Max => {
                extremes.fold(values, present, |value, max| value > max);
            }
            State::Extremes(extremes) => extremes.fold(values, present, |value, min| value < min),
            State::Counts(counts) => counts.fold(present),
            State::Deviations(deviations) => deviations.fold(values, present),
        }
    }

    /// Takes the histograms of a series with their steps, in order of these. `metric` is its name, for notes.
    pub fn fold_histograms(&mut self, histograms: &[(usize, FloatHistogram)], metric: &str, notes: &mut Notes) {
        match &mut self.state {
            State::Sums(sums, all) => {
                for (step, histogram) in histograms {
                    all.add(*step, histogram, sums.present().has(*step), metric, notes);
                }
            }
            State::Means(means, all) => {
                for (step, histogram) in histograms {
                    all.add(*step, histogram, means.present().has(*step), metric, notes);
                }
            }
            State::Counts(counts) => histograms.iter().for_each(|(step, _)| counts.add(*step)),
            State::Extremes(_) | State::Deviations(_) if histograms.is_empty() => {}
            State::Extremes(_) | State::Deviations(_) => {
                notes.add(Note::HistogramIgnoredInAggregation(self.operator.name()));
            }
        }
    }

    /// The values of the group.
    pub fn finish(self, notes: &mut Notes) -> Answer {
        let (mut row, histograms) = match self.state {
            State::Sums(sums, histograms) => (sums.finish(), Some(histograms)),
            State::Means(means, histograms) => (means.finish(), Some(histograms)),
            State::Extremes(extremes) => (extremes.finish(), None),
            State::Counts(counts) => (counts.finish(self.operator == Operator::Group), None),
            State::Deviations(deviations) => (deviations.finish(self.operator == Operator::Stddev), None),
        };
        let histograms = histograms.map(|all| all.finish(&mut row.present, notes)).unwrap_or_default();
        Answer { row, histograms }
    }
}

/// What a [`Fold`] gives. A step at which a group had numbers and histograms has no value at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The numbers.
    pub row: Row,
    /// The histograms with their steps, in order of these.
    pub histograms: Vec<(usize, FloatHistogram)>,
}

#[cfg(test)]
mod tests;
