//! What an answer says beside its values: warnings and infos.

mod monotonicity;

use std::collections::BTreeSet;

pub use monotonicity::MonotonicityRepair;

use crate::quote::Quoted;

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
    /// Adds a note. One that differs from one before only in how much was repaired becomes one with that.
    pub fn add(&mut self, mut note: Note) {
        let same = self.0.iter().find(|before| note.is_about_the_same(before)).cloned();
        if let Some(before) = same {
            self.0.remove(&before);
            note.absorb(&before);
        }
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

/// What was done with two or more histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// They were added.
    Addition,
    /// They were aggregated, over series or over time.
    Aggregation,
    /// They were subtracted.
    Subtraction,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Operation::Addition => "addition",
            Operation::Aggregation => "aggregation",
            Operation::Subtraction => "subtraction",
        }
    }
}

/// One warning or info. Its text is that of Prometheus, without the position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// The label `le` of a bucket of a metric is missing or no number.
    BadBucketLabel {
        /// The metric, if it has a name.
        metric: String,
        /// What the label says.
        label: String,
    },
    /// One histogram says that it was reset, another that it was not.
    CounterResetCollision(Operation),
    /// An aggregation leaves histograms out.
    HistogramIgnoredInAggregation(&'static str),
    /// A function leaves out the histograms of a metric, which has numbers too.
    HistogramIgnoredInMixedRange(String),
    /// The buckets of a classic histogram did not ascend.
    HistogramQuantileForcedMonotonicity {
        /// The metric, if it has a name.
        metric: String,
        /// What was done about it.
        repair: MonotonicityRepair,
    },
    /// An operator has histograms with custom and with exponential buckets.
    IncompatibleBucketLayout(&'static str),
    /// An operator has operands that it means nothing for.
    IncompatibleTypes {
        /// What is on the left: `float` or `histogram`.
        left: &'static str,
        /// The operator.
        operator: &'static str,
        /// What is on the right.
        right: &'static str,
    },
    /// A quantile is not between 0 and 1.
    InvalidQuantile(String),
    /// A ratio is not between -1 and 1, and what was taken instead.
    InvalidRatio(String, i8),
    /// Custom buckets of different bounds were brought to those that all have.
    MismatchedCustomBuckets(Operation),
    /// A metric, if it has a name, has classic and native histograms with the same labels.
    MixedClassicNativeHistograms(String),
    /// A metric has histograms with custom and with exponential buckets.
    MixedExponentialCustomHistograms(String),
    /// A metric has numbers and histograms.
    MixedFloatsHistograms(String),
    /// An aggregation has numbers and histograms.
    MixedFloatsHistogramsAggregation,
    /// A fraction is that of a histogram which has observations that are no number.
    NativeHistogramFractionNaNs(String),
    /// The histograms of a metric are gauges, and the function is for counters.
    NativeHistogramNotCounter(String),
    /// The histograms of a metric are counters, and the function is for gauges.
    NativeHistogramNotGauge(String),
    /// A quantile is among the observations that are no number.
    NativeHistogramQuantileNaNResult(String),
    /// A quantile is that of a histogram which has observations that are no number.
    NativeHistogramQuantileNaNSkew(String),
    /// A metric is taken for a counter and has not the name of one.
    PossibleNonCounter(String),
    /// An order was asked for where answers are always ordered by labels.
    SortInRangeQuery,
}

impl Note {
    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Note::BadBucketLabel { .. } => Level::Warning,
            Note::CounterResetCollision(_) => Level::Warning,
            Note::HistogramIgnoredInAggregation(_) => Level::Info,
            Note::HistogramIgnoredInMixedRange(_) => Level::Info,
            Note::HistogramQuantileForcedMonotonicity { .. } => Level::Info,
            Note::IncompatibleBucketLayout(_) => Level::Warning,
            Note::IncompatibleTypes { .. } => Level::Info,
            Note::InvalidQuantile(_) => Level::Warning,
            Note::InvalidRatio(..) => Level::Warning,
            Note::MismatchedCustomBuckets(_) => Level::Info,
            Note::MixedClassicNativeHistograms(_) => Level::Warning,
            Note::MixedExponentialCustomHistograms(_) => Level::Warning,
            Note::MixedFloatsHistograms(_) => Level::Warning,
            Note::MixedFloatsHistogramsAggregation => Level::Warning,
            Note::NativeHistogramFractionNaNs(_) => Level::Info,
            Note::NativeHistogramNotCounter(_) => Level::Warning,
            Note::NativeHistogramNotGauge(_) => Level::Warning,
            Note::NativeHistogramQuantileNaNResult(_) => Level::Info,
            Note::NativeHistogramQuantileNaNSkew(_) => Level::Info,
            Note::PossibleNonCounter(_) => Level::Info,
            Note::SortInRangeQuery => Level::Warning,
        }
    }

    /// Whether another note says the same, be it of another repair.
    pub fn is_about_the_same(&self, other: &Note) -> bool {
        match (self, other) {
            (
                Note::HistogramQuantileForcedMonotonicity { metric: ours, .. },
                Note::HistogramQuantileForcedMonotonicity { metric: theirs, .. },
            ) => ours == theirs,
            _ => self == other,
        }
    }

    /// Takes in what another note about the same says more.
    pub fn absorb(&mut self, other: &Note) {
        if let (
            Note::HistogramQuantileForcedMonotonicity { repair: ours, .. },
            Note::HistogramQuantileForcedMonotonicity { repair: theirs, .. },
        ) = (self, other)
        {
            ours.absorb(theirs);
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.level() {
            Level::Warning => write!(f, "PromQL warning: ")?,
            Level::Info => write!(f, "PromQL info: ")?,
        }
        match self {
            Note::BadBucketLabel { metric, label } => {
                let label = Quoted(label);
                write!(f, r#"bucket label "le" is missing or has a malformed value of {label}{}"#, OfMetric(metric))
            }
            Note::CounterResetCollision(operation) => {
                write!(f, "conflicting counter resets during histogram {}", operation.as_str())
            }
            Note::HistogramIgnoredInAggregation(name) => write!(f, "ignored histogram in {name} aggregation"),
            Note::HistogramIgnoredInMixedRange(metric) => {
                let text = "ignored histograms in a range containing both floats and histograms for metric name";
                write!(f, "{text} {}", Quoted(metric))
            }
            Note::HistogramQuantileForcedMonotonicity { metric, repair } => {
                let text = "input to histogram_quantile needed to be fixed for monotonicity (see \
                            https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
                write!(f, "{text}{}, {repair}", OfMetric(metric))
            }
            Note::IncompatibleBucketLayout(operator) => {
                write!(f, "incompatible bucket layout encountered for binary operator {operator}")
            }
            Note::IncompatibleTypes { left, operator, right } => {
                let text = "incompatible sample types encountered for binary operator";
                write!(f, "{text} {}: {left} {operator} {right}", Quoted(operator))
            }
            Note::InvalidQuantile(value) => write!(f, "quantile value should be between 0 and 1, got {value}"),
            Note::InvalidRatio(value, capped) => {
                write!(f, "ratio value should be between -1 and 1, got {value}, capping to {capped}")
            }
            Note::MismatchedCustomBuckets(operation) => {
                write!(f, "mismatched custom buckets were reconciled during {}", operation.as_str())
            }
            Note::MixedClassicNativeHistograms(metric) => {
                write!(f, "vector contains a mix of classic and native histograms{}", OfMetric(metric))
            }
            Note::MixedExponentialCustomHistograms(metric) => {
                let text = "vector contains a mix of histograms with exponential and custom buckets schemas";
                write!(f, "{text} for metric name {}", Quoted(metric))
            }
            Note::MixedFloatsHistograms(metric) => {
                write!(f, "encountered a mix of histograms and floats for metric name {}", Quoted(metric))
            }
            Note::MixedFloatsHistogramsAggregation => {
                write!(f, "encountered a mix of histograms and floats for aggregation")
            }
            Note::NativeHistogramFractionNaNs(metric) => {
                let text = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
                write!(f, "{text}{}", OfMetric(metric))
            }
            Note::NativeHistogramNotCounter(metric) => {
                write!(f, "this native histogram metric is not a counter: {}", Quoted(metric))
            }
            Note::NativeHistogramNotGauge(metric) => {
                write!(f, "this native histogram metric is not a gauge: {}", Quoted(metric))
            }
            Note::NativeHistogramQuantileNaNResult(metric) => {
                let text = "input to histogram_quantile has NaN observations, result is NaN";
                write!(f, "{text}{}", OfMetric(metric))
            }
            Note::NativeHistogramQuantileNaNSkew(metric) => {
                let text = "input to histogram_quantile has NaN observations, result is skewed higher";
                write!(f, "{text}{}", OfMetric(metric))
            }
            Note::PossibleNonCounter(metric) => {
                let text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
                write!(f, "{text} {}", Quoted(metric))
            }
            Note::SortInRangeQuery => {
                write!(f, "sort is ineffective for range queries since results are always ordered by labels")
            }
        }
    }
}

/// The name of a metric behind a text, unless it has none.
struct OfMetric<'a>(&'a str);

impl std::fmt::Display for OfMetric<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " for metric name {}", Quoted(self.0)) }
    }
}

#[cfg(test)]
mod tests;
