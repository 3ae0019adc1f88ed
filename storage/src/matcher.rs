//! What a query wants of the series: matchers on name, cluster and labels, and a range of time.

use std::ops::RangeInclusive;

use regex::Regex;

/// How the value of a label must be. A label that a series lacks has the empty value, as in PromQL.
#[derive(Debug, Clone)]
pub enum Condition {
    /// It is one of these values.
    In(Vec<String>),
    /// It is none of these values.
    NotIn(Vec<String>),
    /// The expression matches it. Whether the expression is anchored is its own affair.
    Matches(Regex),
    /// The expression does not match it.
    MatchesNot(Regex),
}

impl Condition {
    /// Whether a value fulfils the condition.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Condition::In(values) => values.iter().any(|v| v == value),
            Condition::NotIn(values) => values.iter().all(|v| v != value),
            Condition::Matches(regex) => regex.is_match(value),
            Condition::MatchesNot(regex) => !regex.is_match(value),
        }
    }
}

/// A condition on one label. `__name__` and `cluster` are labels here.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label's name.
    pub label: String,
    /// What its value must be.
    pub condition: Condition,
}

/// All of the matchers, within a range of time.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Conditions that a series must all fulfil.
    pub matchers: Vec<Matcher>,
    /// Milliseconds since the Unix epoch, both ends included.
    pub time_ms: RangeInclusive<i64>,
}

impl Selection {
    /// Every series at any time.
    pub fn all() -> Self {
        Selection { matchers: Vec::new(), time_ms: model::time::MIN_TIME_MS..=model::time::MAX_TIME_MS }
    }
}
