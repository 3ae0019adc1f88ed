//! A histogram as text, the label that `count_values` tells histograms apart by.

use std::fmt;

use super::FloatHistogram;
use super::buckets::Bucket;
use crate::number::short_text;

impl fmt::Display for FloatHistogram {
    /// Writes count, sum and the buckets that are not empty from low to high, each with its whole width.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", short_text(self.count), short_text(self.sum))?;
        let below: Vec<Bucket> = self.negative_buckets().collect();
        let zero = (self.zero_count != 0.0).then(|| self.zero_bucket());
        let all = below.into_iter().rev().chain(zero).chain(self.positive_buckets());
        for bucket in all.filter(|bucket| bucket.count != 0.0) {
            let open = if bucket.lower_inclusive { '[' } else { '(' };
            let close = if bucket.upper_inclusive { ']' } else { ')' };
            let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(short_text);
            write!(f, ", {open}{lower},{upper}{close}:{count}")?;
        }
        write!(f, "}}")
    }
}

#[cfg(test)]
mod tests;
