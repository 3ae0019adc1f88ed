//! `histogram_quantile` and `histogram_quantiles` of native histograms.

use crate::histogram::FloatHistogram;
use crate::histogram::bounds::log2;
use crate::histogram::buckets::Bucket;
use crate::note::{Note, Notes};
use crate::number::short_text;

/// The estimated observation below which a share of all observations is.
///
/// Within a bucket of an exponential schema observations are thought to lie so that finer buckets would be equally full;
/// within the zero bucket and custom ones evenly. The zero bucket is thought to have nothing on the side of zero on which
/// the histogram has no bucket. A share of less than 0 is at negative infinity, one of more than 1 at infinity.
///
/// `metric` is the name of the metric, empty if it has none.
pub fn quantile(share: f64, histogram: &FloatHistogram, metric: &str, notes: &mut Notes) -> f64 {
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    if histogram.count == 0.0 || share.is_nan() {
        return f64::NAN;
    }
    let has_nan = histogram.sum.is_nan();
    // From the nearer end: there the fewest counts are added. Observations that are no number are counted and in no bucket,
    // as if they were above all, so that only the lower end is one to start from.
    if has_nan || share < 0.5 {
        let rank = share * histogram.count;
        search(histogram, histogram.ascending(), rank, |before, _| rank - before, metric, notes)
    } else {
        let rank = (1.0 - share) * histogram.count;
        search(histogram, histogram.descending(), rank, |_, with| with - rank, metric, notes)
    }
}

/// Finds the bucket in which a rank is, and the place in it. `rank_within` gives the rank within the bucket, from its lower
/// end, given how many observations there are before the bucket and with it.
fn search(
    histogram: &FloatHistogram,
    mut buckets: impl Iterator<Item = Bucket>,
    rank: f64,
    rank_within: impl Fn(f64, f64) -> f64,
    metric: &str,
    notes: &mut Notes,
) -> f64 {
    const NONE: Bucket =
        Bucket { lower: 0.0, upper: 0.0, lower_inclusive: false, upper_inclusive: false, count: 0.0, index: 0 };
    let (mut count, mut bucket) = (0.0, NONE);
    for next in buckets.by_ref() {
        bucket = next;
        count += bucket.count;
        if bucket.count != 0.0 && count >= rank {
            break;
        }
    }
    if histogram.has_custom_buckets() {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return bucket.upper;
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return bucket.lower;
        }
    } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
        cut_zero_bucket(histogram, &mut bucket);
    }
    // Rounding may have made it more.
    count = if count > histogram.count { histogram.count } else { count };
    let has_nan = histogram.sum.is_nan();
    if count < rank {
        if !has_nan {
            return bucket.upper;
        }
        notes.add(Note::NativeHistogramQuantileNaNResult(metric.to_owned()));
        return f64::NAN;
    }
    let rank = rank_within(count - bucket.count, count);
    if has_nan {
        // Prometheus 3.14 looks for more observations here, and goes on with the bucket at which it ends.
        for next in buckets {
            bucket = next;
            count += bucket.count;
        }
        if count < histogram.count {
            notes.add(Note::NativeHistogramQuantileNaNSkew(metric.to_owned()));
        }
    }
    within(&bucket, rank / bucket.count, histogram.has_custom_buckets())
}

/// Leaves of the zero bucket the side of zero on which the histogram has buckets, if there is one alone.
pub(super) fn cut_zero_bucket(histogram: &FloatHistogram, bucket: &mut Bucket) {
    match (histogram.negative.is_empty(), histogram.positive.is_empty()) {
        (true, false) => bucket.lower = 0.0,
        (false, true) => bucket.upper = 0.0,
        _ => {}
    }
}

/// The observation at a fraction of a bucket.
fn within(bucket: &Bucket, fraction: f64, is_custom: bool) -> f64 {
    if is_custom || bucket.touches_zero() {
        return bucket.lower + (bucket.upper - bucket.lower) * fraction;
    }
    let (lower, upper) = (log2(bucket.lower.abs()), log2(bucket.upper.abs()));
    if bucket.lower > 0.0 {
        (lower + (upper - lower) * fraction).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - fraction)).exp2()
    }
}

/// The value of the label by which `histogram_quantiles` tells its quantiles apart.
pub fn quantile_label(share: f64) -> String {
    let mut text = short_text(share);
    if share.is_finite() && !text.contains(['e', '.']) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests;
