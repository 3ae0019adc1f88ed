use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, named};

fn shown(buckets: impl Iterator<Item = Bucket>) -> Vec<(u8, f64, f64, f64)> {
    buckets.map(|bucket| (bucket.boundaries(), bucket.lower, bucket.upper, bucket.count)).collect()
}

#[test]
fn exponential_buckets_hold_the_bound_that_is_farther_from_zero() {
    let expected = [
        (1, -4.0, -2.0, 2.0),
        (1, -2.0, -1.0, 1.0),
        (3, -0.5, 0.5, 2.0),
        (0, 0.5, 1.0, 3.0),
        (0, 1.0, 2.0, 4.0),
        (0, 4.0, 8.0, 5.0),
    ];
    assert_eq!(shown(named("basic").ascending()), expected);
}

#[test]
fn custom_buckets_hold_their_upper_bound_and_the_lowest_one_both() {
    let expected = [(3, f64::NEG_INFINITY, -2.0, 3.0), (0, -2.0, 0.5, 4.0), (0, 0.5, f64::INFINITY, 2.0)];
    assert_eq!(shown(named("below").ascending()), expected);
}

#[test]
fn a_bucket_that_the_zero_bucket_overlaps_begins_where_that_ends() {
    let mut histogram = named("basic");
    histogram.zero_threshold = 0.75;
    let expected = [(3, -0.75, 0.75, 2.0), (0, 0.75, 1.0, 3.0)];
    assert_eq!(shown(histogram.ascending())[2..4], expected);
    assert_eq!(shown(histogram.descending())[2..4], [expected[1], expected[0]]);
}

#[test]
fn an_empty_zero_bucket_is_not_among_them() {
    assert_eq!(named("none").ascending().count(), 0);
}

#[test]
fn indices_are_those_of_the_spans() {
    let indices: Vec<i64> = named("fine").positive_buckets().map(|bucket| bucket.index).collect();
    assert_eq!(indices, [-3, -2, -1, 4, 5]);
}

proptest! {
    #[test]
    fn descending_is_ascending_turned_round(histogram in any_buckets()) {
        let mut descending: Vec<Bucket> = histogram.descending().collect();
        descending.reverse();
        prop_assert_eq!(descending, histogram.ascending().collect::<Vec<_>>());
    }

    #[test]
    fn buckets_ascend_and_hold_all_observations(histogram in any_buckets()) {
        let mut outside_zero = histogram.clone();
        outside_zero.zero_count = 0.0;
        outside_zero.zero_threshold = 0.0;
        let buckets: Vec<Bucket> = outside_zero.ascending().collect();
        prop_assert!(buckets.windows(2).all(|pair| pair[0].upper <= pair[1].lower));
        let sum: f64 = buckets.iter().map(|bucket| bucket.count).sum();
        prop_assert_eq!(sum + histogram.zero_count, histogram.count);
    }
}
