//! `histogram_fraction` of native histograms.

use super::quantile::cut_zero_bucket;
use crate::histogram::FloatHistogram;
use crate::histogram::buckets::{Bucket, Scale};
use crate::note::{Note, Notes};

/// The estimated share of observations between two values: the inverse of a quantile.
///
/// `metric` is the name of the metric, empty if it has none.
pub fn fraction(lower: f64, upper: f64, histogram: &FloatHistogram, metric: &str, notes: &mut Notes) -> f64 {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (mut lower_rank, mut upper_rank) = (None, None);
    let (mut rank, mut count) = (0.0, 0.0);
    let mut buckets = histogram.ascending();
    for mut bucket in buckets.by_ref() {
        count += bucket.count;
        let touches_zero = bucket.touches_zero();
        if touches_zero {
            cut_zero_bucket(histogram, &mut bucket);
        }
        let scale = if histogram.has_custom_buckets() || touches_zero { Scale::Linear } else { Scale::Exponential };
        lower_rank = lower_rank.or_else(|| rank_in(&bucket, lower, rank, scale));
        upper_rank = upper_rank.or_else(|| rank_in(&bucket, upper, rank, scale));
        if lower_rank.is_some() && upper_rank.is_some() {
            break;
        }
        rank += bucket.count;
    }
    if histogram.sum.is_nan() {
        // Observations that are no number are counted and in no bucket.
        count = buckets.fold(count, |count, bucket| count + bucket.count);
        if count < histogram.count {
            notes.add(Note::NativeHistogramFractionNaNs(metric.to_owned()));
        }
    } else {
        count = histogram.count;
    }
    (at_most(upper_rank, count) - at_most(lower_rank, count)) / histogram.count
}

/// How many observations are below a value, if that is known once a bucket and those before it were seen.
fn rank_in(bucket: &Bucket, value: f64, rank: f64, scale: Scale) -> Option<f64> {
    if bucket.lower >= value {
        return Some(rank);
    }
    if !(bucket.lower < value && bucket.upper > value) {
        return None;
    }
    if scale == Scale::Linear && bucket.lower == f64::NEG_INFINITY {
        return Some(bucket.count);
    }
    Some(rank + bucket.count * bucket.fraction_below(value, scale))
}

/// A rank, which may be unknown or, for rounding, too high.
pub(super) fn at_most(rank: Option<f64>, count: f64) -> f64 {
    match rank {
        Some(rank) if rank > count => count,
        Some(rank) => rank,
        None => count,
    }
}

#[cfg(test)]
mod tests;
