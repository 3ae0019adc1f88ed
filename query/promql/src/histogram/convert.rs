//! From histograms as they are kept, and back.

use model::NativeHistogram;
use model::histogram::{BucketCounts, Counts};

use super::{FloatHistogram, ResetHint};

impl From<&NativeHistogram> for FloatHistogram {
    /// Whole observations become numbers. What a stale histogram says beside its sum means nothing.
    ///
    /// Of what its sender says of resets only that it is a gauge remains: Prometheus compares the counts in any case, since
    /// the sample that the sender had before may not be the one that is here.
    fn from(native: &NativeHistogram) -> Self {
        let counts = match &native.counts {
            Counts::Float(counts) => counts.clone(),
            Counts::Integer(counts) => BucketCounts {
                count: counts.count as f64,
                zero: counts.zero as f64,
                positive: counts.positive.iter().map(|count| *count as f64).collect(),
                negative: counts.negative.iter().map(|count| *count as f64).collect(),
            },
        };
        FloatHistogram {
            schema: native.schema,
            reset_hint: if native.reset_hint == ResetHint::Gauge { ResetHint::Gauge } else { ResetHint::Unknown },
            count: counts.count,
            sum: native.sum,
            zero_threshold: native.zero_threshold,
            zero_count: counts.zero,
            custom_bounds: native.custom_bounds.clone(),
            positive_spans: native.positive_spans.clone(),
            negative_spans: native.negative_spans.clone(),
            positive: counts.positive,
            negative: counts.negative,
        }
    }
}

impl From<FloatHistogram> for NativeHistogram {
    /// Its counts stay numbers, of which some may be negative: not every result is a sound histogram.
    fn from(histogram: FloatHistogram) -> Self {
        NativeHistogram {
            schema: histogram.schema,
            reset_hint: histogram.reset_hint,
            start_ms: None,
            sum: histogram.sum,
            zero_threshold: histogram.zero_threshold,
            custom_bounds: histogram.custom_bounds,
            positive_spans: histogram.positive_spans,
            negative_spans: histogram.negative_spans,
            counts: Counts::Float(BucketCounts {
                count: histogram.count,
                zero: histogram.zero_count,
                positive: histogram.positive,
                negative: histogram.negative,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
