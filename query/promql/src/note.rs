//! What an answer says beside its values: warnings and infos.

use std::collections::BTreeSet;
use std::fmt;

use crate::labels::Quoted;

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A part of the answer is missing or may be wrong.
    Warning,
    /// Something looks unusual.
    Info,
}

/// The notes of one function or operator, each once. Who calls it knows where in the expression it stands.
#[derive(Debug, Clone, Default)]
pub struct Notes(BTreeSet<Note>);

impl Notes {
    /// Adds a note.
    pub fn add(&mut self, note: Note) {
        self.0.insert(note);
    }

    /// The notes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One warning or info. Its text is that of Prometheus, without the position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// An aggregation of numbers, named here, passed over a histogram.
    HistogramIgnoredInAggregation(&'static str),
    /// A function of numbers passed over the histograms of a metric.
    HistogramIgnoredInMixedRange(String),
    /// A quantile is not between 0 and 1.
    InvalidQuantile(String),
    /// A ratio is not between -1 and 1, and what was taken instead.
    InvalidRatio(String, i8),
    /// A metric has numbers and histograms where only one of them can be.
    MixedFloatsHistograms(String),
    /// A group has numbers and histograms.
    MixedFloatsHistogramsAggregation,
    /// A metric is taken for a counter and has not the name of one.
    PossibleNonCounter(String),
    /// An order was asked for where answers are always ordered by labels.
    SortInRangeQuery,
}

impl Note {
    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Note::HistogramIgnoredInAggregation(_) => Level::Info,
            Note::HistogramIgnoredInMixedRange(_) => Level::Info,
            Note::InvalidQuantile(_) => Level::Warning,
            Note::InvalidRatio(..) => Level::Warning,
            Note::MixedFloatsHistograms(_) => Level::Warning,
            Note::MixedFloatsHistogramsAggregation => Level::Warning,
            Note::PossibleNonCounter(_) => Level::Info,
            Note::SortInRangeQuery => Level::Warning,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level() {
            Level::Warning => "PromQL warning: ",
            Level::Info => "PromQL info: ",
        })?;
        match self {
            Note::HistogramIgnoredInAggregation(aggregation) => {
                write!(f, "ignored histogram in {aggregation} aggregation")
            }
            Note::HistogramIgnoredInMixedRange(metric) => write!(
                f,
                "ignored histograms in a range containing both floats and histograms for metric name {}",
                Quoted(metric)
            ),
            Note::InvalidQuantile(value) => write!(f, "quantile value should be between 0 and 1, got {value}"),
            Note::InvalidRatio(value, capped) => {
                write!(f, "ratio value should be between -1 and 1, got {value}, capping to {capped}")
            }
            Note::MixedFloatsHistograms(metric) => {
                write!(f, "encountered a mix of histograms and floats for metric name {}", Quoted(metric))
            }
            Note::MixedFloatsHistogramsAggregation => {
                f.write_str("encountered a mix of histograms and floats for aggregation")
            }
            Note::PossibleNonCounter(metric) => write!(
                f,
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                Quoted(metric)
            ),
            Note::SortInRangeQuery => {
                f.write_str("sort is ineffective for range queries since results are always ordered by labels")
            }
        }
    }
}

#[cfg(test)]
mod tests;
