use proptest::prelude::*;

use super::*;
use crate::histogram::FloatHistogram;
use crate::histogram::samples::{exponential, named};

fn widened_zero(histogram: &FloatHistogram, threshold: f64) -> (f64, f64) {
    let positive = Buckets { spans: &histogram.positive_spans, counts: &histogram.positive };
    let negative = Buckets { spans: &histogram.negative_spans, counts: &histogram.negative };
    widened(histogram.zero_count, positive, negative, histogram.schema, threshold)
}

#[test]
fn a_threshold_within_a_filled_bucket_moves_to_its_end() {
    let cases =
        [(0.5, 2.0, 0.5), (1.0, 5.0, 1.0), (1.5, 10.0, 2.0), (2.0, 10.0, 2.0), (3.0, 12.0, 4.0), (5.0, 17.0, 8.0)];
    for (threshold, count, end) in cases {
        assert_eq!(widened_zero(&named("basic"), threshold), (count, end), "{threshold}");
    }
}

#[test]
fn a_threshold_within_an_empty_bucket_stays() {
    let mut histogram = named("basic");
    histogram.positive[0] = 0.0;
    assert_eq!(widened_zero(&histogram, 0.75), (2.0, 0.75));
}

#[test]
fn what_the_other_side_needs_is_taken_in_too() {
    // The bucket of -4 to -2 moves the end to 4, and that the bucket of 2 to 4 in.
    let mut histogram = named("basic");
    histogram.positive_spans[1].offset = 0;
    assert_eq!(widened_zero(&histogram, 2.5), (17.0, 4.0));
}

proptest! {
    #[test]
    fn no_observation_is_lost_in_a_wider_zero_bucket(histogram in exponential(), wider in exponential()) {
        let mut sum = histogram.clone();
        let empty = FloatHistogram { zero_threshold: wider.zero_threshold, ..FloatHistogram::empty(4, Vec::new()) };
        sum.add(&empty).unwrap();
        prop_assert!(sum.zero_threshold >= wider.zero_threshold.max(histogram.zero_threshold));
        prop_assert_eq!(crate::histogram::samples::in_buckets(&sum), histogram.count);
    }
}
