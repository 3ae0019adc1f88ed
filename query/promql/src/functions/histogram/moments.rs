//! `histogram_count`, `histogram_sum`, `histogram_avg`, `histogram_stdvar` and `histogram_stddev`.

use crate::histogram::FloatHistogram;
use crate::histogram::buckets::Bucket;
use crate::summation::Sum;

/// All observations.
pub fn count(histogram: &FloatHistogram) -> f64 {
    histogram.count
}

/// The sum of all observations.
pub fn sum(histogram: &FloatHistogram) -> f64 {
    histogram.sum
}

/// The mean of all observations.
pub fn avg(histogram: &FloatHistogram) -> f64 {
    histogram.sum / histogram.count
}

/// The estimated variance of all observations.
pub fn stdvar(histogram: &FloatHistogram) -> f64 {
    let mean = avg(histogram);
    let has_custom_buckets = histogram.has_custom_buckets();
    let mut variance = Sum::default();
    for bucket in histogram.ascending().filter(|bucket| bucket.count != 0.0) {
        let distance = middle(&bucket, has_custom_buckets) - mean;
        variance.add(bucket.count * distance * distance);
    }
    variance.total() / histogram.count
}

/// The estimated standard deviation of all observations.
pub fn stddev(histogram: &FloatHistogram) -> f64 {
    stdvar(histogram).sqrt()
}

/// The observation that stands for all of a bucket.
fn middle(bucket: &Bucket, is_custom: bool) -> f64 {
    if is_custom {
        (bucket.upper + bucket.lower) / 2.0
    } else if bucket.touches_zero() {
        0.0
    } else if bucket.upper < 0.0 {
        -(bucket.upper * bucket.lower).sqrt()
    } else {
        (bucket.upper * bucket.lower).sqrt()
    }
}

#[cfg(test)]
mod tests;
