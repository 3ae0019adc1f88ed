use proptest::prelude::*;

use crate::histogram::samples::{any_buckets, named};
use crate::histogram::{FloatHistogram, ResetHint};

/// A histogram whose count has not fallen, however it was changed.
fn changed(name: &str, change: impl Fn(&mut FloatHistogram)) -> FloatHistogram {
    let mut histogram = named(name);
    histogram.count += 100.0;
    change(&mut histogram);
    histogram
}

#[test]
fn a_hint_decides() {
    let with = |hint, name| FloatHistogram { reset_hint: hint, ..named(name) };
    assert!(with(ResetHint::Reset, "basic").is_reset_since(&named("basic")));
    assert!(!with(ResetHint::NoReset, "none").is_reset_since(&named("basic")));
    assert!(with(ResetHint::Gauge, "none").is_reset_since(&named("basic")));
}

#[test]
fn a_count_that_falls_is_a_reset() {
    let is_reset = |change: fn(&mut FloatHistogram)| changed("basic", change).is_reset_since(&named("basic"));
    assert!(!is_reset(|_| {}));
    assert!(is_reset(|histogram| histogram.count = 16.0));
    assert!(is_reset(|histogram| histogram.zero_count = 1.0));
    assert!(is_reset(|histogram| histogram.positive[2] = 4.0));
    assert!(is_reset(|histogram| histogram.negative[0] = 0.0));
    assert!(is_reset(|histogram| histogram.positive_spans[1].offset = 2));
    assert!(!is_reset(|histogram| histogram.sum = -1000.0));
    // A bucket that is no longer there was one with something in it.
    assert!(is_reset(|histogram| {
        histogram.positive.pop();
        histogram.positive_spans.pop();
    }));
}

#[test]
fn a_bucket_of_nothing_may_go() {
    let mut compacted = named("fine");
    compacted.compact();
    assert!(!compacted.is_reset_since(&named("fine")));
    assert!(!named("fine").is_reset_since(&compacted));
}

#[test]
fn a_finer_histogram_is_a_reset_and_a_coarser_one_is_compared() {
    assert!(changed("basic", |histogram| histogram.schema = 1).is_reset_since(&named("basic")));
    assert!(changed("basic", |histogram| histogram.zero_threshold = 0.25).is_reset_since(&named("basic")));
    let mut coarser = named("fine");
    coarser.reduce_to(0);
    assert!(!coarser.is_reset_since(&named("fine")));
    coarser.positive[1] -= 1.0;
    coarser.count += 1.0;
    assert!(coarser.is_reset_since(&named("fine")));
}

#[test]
fn a_wider_zero_bucket_must_hold_what_it_has_taken_in() {
    let wider = |threshold, zero_count| {
        changed("basic", |histogram| {
            histogram.zero_threshold = threshold;
            histogram.zero_count = zero_count;
        })
    };
    assert!(!wider(1.0, 5.0).is_reset_since(&named("basic")));
    assert!(wider(1.0, 4.0).is_reset_since(&named("basic")));
    // Its end is within a bucket of before.
    assert!(wider(1.5, 50.0).is_reset_since(&named("basic")));
}

#[test]
fn custom_buckets_are_compared_within_common_bounds() {
    let other = |counts: [f64; 4]| changed("other", |histogram| histogram.positive = counts.to_vec());
    assert!(!other([2.0, 3.0, 4.0, 5.0]).is_reset_since(&named("custom")));
    assert!(other([1.0, 4.0, 4.0, 5.0]).is_reset_since(&named("custom")));
    assert!(other([2.0, 2.0, 4.0, 5.0]).is_reset_since(&named("custom")));
    assert!(other([2.0, 3.0, 3.0, 5.0]).is_reset_since(&named("custom")));
    assert!(changed("custom", |_| {}).is_reset_since(&named("basic")));
    assert!(changed("basic", |_| {}).is_reset_since(&named("custom")));
}

proptest! {
    #[test]
    fn a_counter_that_only_rises_is_never_reset(histogram in any_buckets(), gain in 0u32..5) {
        let mut later = histogram.clone();
        later.multiply(f64::from(1 + gain));
        prop_assert!(!later.is_reset_since(&histogram));
        prop_assert_eq!(histogram.is_reset_since(&later), gain > 0 && histogram.count > 0.0);
    }

    #[test]
    fn a_coarser_one_of_the_same_counts_is_not_reset(histogram in any_buckets(), schema in -4i8..5) {
        let mut coarser = histogram.clone();
        coarser.reduce_to(schema);
        prop_assert!(!coarser.is_reset_since(&histogram));
    }
}
