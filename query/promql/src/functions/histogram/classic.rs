//! `histogram_quantile` and `histogram_fraction` of classic histograms: series that differ in their label `le`.

use super::fraction::at_most;
use crate::note::{MonotonicityRepair, Note, Notes};

/// A bucket of a classic histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicBucket {
    /// What the label `le` says.
    pub upper: f64,
    /// Observations up to and with it: those of the buckets below are among them.
    pub count: f64,
}

/// Counts that differ by less than this part of their sum are the same, but for rounding.
const TOLERANCE: f64 = 1e-12;

/// Reads the label `le`, as Go reads numbers.
///
/// Returns nothing, and says so, if it is missing or no number.
pub fn bucket_bound(label: &str, metric: &str, notes: &mut Notes) -> Option<f64> {
    let bound = go_number(label);
    if bound.is_none() {
        notes.add(Note::BadBucketLabel { metric: metric.to_owned(), label: label.to_owned() });
    }
    bound
}

fn go_number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // What is too great for a number is none, and what is no number has no sign.
    let is_infinity = digits.starts_with(['i', 'I']);
    let is_read = number.is_finite() || (number.is_infinite() && is_infinity) || (number.is_nan() && digits == text);
    is_read.then_some(number)
}

/// The estimated observation below which a share of all observations is. Leaves the buckets in order, and repaired.
///
/// Observations are thought to lie evenly in a bucket, the lowest of which begins at 0 if it ends above that. In the
/// highest bucket it is the bound of the one before. Without a bucket of `+Inf`, without another one or without
/// observations there is no quantile. Buckets that hold less than one below them are raised, which is said in the notes.
///
/// `metric` is the name of the metric, empty if it has none, `time_ms` the time of the answer.
pub fn bucket_quantile(
    share: f64,
    buckets: &mut Vec<ClassicBucket>,
    metric: &str,
    time_ms: i64,
    notes: &mut Notes,
) -> f64 {
    if share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    if !sort(buckets) {
        return f64::NAN;
    }
    if let Some(repair) = raise(buckets, time_ms) {
        notes.add(Note::HistogramQuantileForcedMonotonicity { metric: metric.to_owned(), repair });
    }
    let [.., second, highest] = buckets[..] else { return f64::NAN };
    if highest.count == 0.0 {
        return f64::NAN;
    }
    let mut rank = share * highest.count;
    let place = first_reaching(&buckets[..buckets.len() - 1], rank);
    if place == buckets.len() - 1 {
        return second.upper;
    }
    let ClassicBucket { upper, mut count } = buckets[place];
    if place == 0 && upper <= 0.0 {
        return upper;
    }
    let mut lower = 0.0;
    if place > 0 {
        let before = buckets[place - 1];
        lower = before.upper;
        count -= before.count;
        rank -= before.count;
    }
    lower + (upper - lower) * (rank / count)
}

/// The estimated share of observations between two values. Leaves the buckets in order.
pub fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<ClassicBucket>) -> f64 {
    if !sort(buckets) {
        return f64::NAN;
    }
    let (Some(lowest), Some(highest)) = (buckets.first(), buckets.last()) else { return f64::NAN };
    let count = highest.count;
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let mut start = if lowest.upper <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let (mut lower_rank, mut upper_rank, mut rank) = (None, None, 0.0);
    for bucket in buckets.iter() {
        let rank_of = |value: f64| {
            if start >= value {
                return Some(rank);
            }
            if !(start < value && bucket.upper > value) {
                return None;
            }
            if start == f64::NEG_INFINITY {
                return Some(bucket.count);
            }
            Some(rank + (bucket.count - rank) * (value - start) / (bucket.upper - start))
        };
        lower_rank = lower_rank.or_else(|| rank_of(lower));
        upper_rank = upper_rank.or_else(|| rank_of(upper));
        if lower_rank.is_some() && upper_rank.is_some() {
            break;
        }
        rank = bucket.count;
        start = bucket.upper;
    }
    (at_most(upper_rank, count) - at_most(lower_rank, count)) / count
}

/// Sorts buckets by their bounds and makes those of the same bound one. Returns whether the highest is `+Inf`.
fn sort(buckets: &mut Vec<ClassicBucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|highest| highest.upper != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|bucket, before| {
        let is_same = bucket.upper == before.upper;
        if is_same {
            before.count += bucket.count;
        }
        is_same
    });
    true
}

/// Raises buckets that hold less than one below them, and evens out what differs by rounding alone, of which nothing
/// is said.
fn raise(buckets: &mut [ClassicBucket], time_ms: i64) -> Option<MonotonicityRepair> {
    let (first, rest) = buckets.split_first_mut()?;
    let mut most_so_far = first.count;
    let mut repair: Option<MonotonicityRepair> = None;
    for bucket in rest {
        let count = bucket.count;
        if count == most_so_far {
            continue;
        }
        if is_almost(most_so_far, count) {
            bucket.count = most_so_far;
        } else if count < most_so_far {
            bucket.count = most_so_far;
            let repair = repair.get_or_insert(MonotonicityRepair {
                lowest_bound: bucket.upper,
                highest_bound: bucket.upper,
                most: 0.0,
                first_ms: time_ms,
                last_ms: time_ms,
                histograms: 1,
            });
            repair.highest_bound = bucket.upper;
            repair.most = repair.most.max(most_so_far - count);
        } else {
            most_so_far = count;
        }
    }
    repair
}

/// Whether two numbers are the same but for rounding.
fn is_almost(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// The first bucket that reaches a rank, halving the rest again and again: where counts are no numbers, where one looks
/// first decides.
fn first_reaching(buckets: &[ClassicBucket], rank: f64) -> usize {
    let (mut start, mut end) = (0, buckets.len());
    while start < end {
        let middle = (start + end) / 2;
        if buckets[middle].count >= rank {
            end = middle;
        } else {
            start = middle + 1;
        }
    }
    start
}

#[cfg(test)]
mod tests;
