//! How the buckets of a classic histogram were repaired.

use std::cmp::Ordering;
use std::fmt;

use model::time::Date;

use crate::number::{short_text, two_digit_text};

/// What was done to the buckets of classic histograms that did not ascend, at one or more times.
#[derive(Debug, Clone, Copy)]
pub struct MonotonicityRepair {
    /// The lowest bound of a bucket that was raised.
    pub lowest_bound: f64,
    /// The highest one.
    pub highest_bound: f64,
    /// By how much a bucket was raised at most.
    pub most: f64,
    /// The first time, in milliseconds.
    pub first_ms: i64,
    /// The last time, in milliseconds.
    pub last_ms: i64,
    /// How many histograms had to be repaired.
    pub histograms: u64,
}

impl MonotonicityRepair {
    /// Takes in another repair.
    pub(super) fn absorb(&mut self, other: &MonotonicityRepair) {
        self.lowest_bound = self.lowest_bound.min(other.lowest_bound);
        self.highest_bound = self.highest_bound.max(other.highest_bound);
        self.most = self.most.max(other.most);
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.histograms += other.histograms;
    }
}

impl Ord for MonotonicityRepair {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |repair: &Self| (repair.first_ms, repair.last_ms, repair.histograms);
        numbers(self)
            .cmp(&numbers(other))
            .then(self.lowest_bound.total_cmp(&other.lowest_bound))
            .then(self.highest_bound.total_cmp(&other.highest_bound))
            .then(self.most.total_cmp(&other.most))
    }
}

impl PartialOrd for MonotonicityRepair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for MonotonicityRepair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for MonotonicityRepair {}

impl fmt::Display for MonotonicityRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lowest, highest) = (short_text(self.lowest_bound), short_text(self.highest_bound));
        write!(f, "from buckets {lowest} to {highest}, with a max diff of {}", two_digit_text(self.most))?;
        let (first, last) = (date_time(self.first_ms), date_time(self.last_ms));
        write!(f, ", over {} samples from {first} to {last}", self.histograms)
    }
}

/// A time to the second, as RFC 3339 has it.
fn date_time(time_ms: i64) -> String {
    let date = Date::of_ms(time_ms);
    let second = (time_ms - date.start_ms()) / 1000;
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests;
