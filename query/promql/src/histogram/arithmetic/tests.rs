//! What sums and differences are is compared with Prometheus in `binary`.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, exponential, named, text};

#[test]
fn custom_and_exponential_buckets_do_not_mix() {
    let mut histogram = named("basic");
    assert_eq!(histogram.add(&named("custom")), Err(MixedBuckets));
    assert_eq!(histogram.subtract(&named("custom")), Err(MixedBuckets));
    assert_eq!(histogram, named("basic"));
}

#[test]
fn hints_that_contradict_each_other_are_told() {
    let mut histogram = FloatHistogram { reset_hint: ResetHint::Reset, ..named("basic") };
    let other = FloatHistogram { reset_hint: ResetHint::NoReset, ..named("fine") };
    assert!(histogram.add(&other).unwrap().resets_collide);
    assert_eq!(histogram.reset_hint, ResetHint::Unknown);
    assert!(!histogram.add(&other).unwrap().resets_collide);
}

#[test]
fn a_negative_factor_makes_a_gauge() {
    let mut histogram = named("basic");
    histogram.multiply(2.0);
    histogram.divide(3.0);
    assert_eq!(histogram.reset_hint, ResetHint::Unknown);
    histogram.divide(-1.0);
    assert_eq!(histogram.reset_hint, ResetHint::Gauge);
}

#[test]
fn division_by_zero_leaves_no_bucket() {
    let mut histogram = named("fine");
    histogram.divide(0.0);
    assert_eq!(text(&histogram), "count +Inf sum +Inf [-0.001,0.001]=+Inf");
    assert!(histogram.positive_spans.is_empty() && histogram.negative_spans.is_empty());
}

proptest! {
    #[test]
    fn what_is_added_can_be_taken_away(left in any_buckets(), right in any_buckets()) {
        let (mut there_and_back, mut like_both) = (left.clone(), left.clone());
        if there_and_back.add(&right).is_err() {
            prop_assert!(left.has_custom_buckets() != right.has_custom_buckets());
            return Ok(());
        }
        there_and_back.subtract(&right).unwrap();
        // Schema, zero bucket and bounds have become those that both can have.
        let (mut same_layout, mut nothing) = (there_and_back.clone(), there_and_back.clone());
        nothing.multiply(0.0);
        like_both.add(&nothing).unwrap();
        same_layout.compact();
        like_both.compact();
        prop_assert_eq!(text(&same_layout), text(&like_both));
        prop_assert_eq!(there_and_back.schema, like_both.schema);
    }

    #[test]
    fn the_difference_of_a_histogram_and_itself_is_empty(histogram in any_buckets()) {
        let mut difference = histogram.clone();
        difference.subtract(&histogram).unwrap();
        difference.compact();
        prop_assert_eq!(text(&difference), "count 0 sum 0");
    }

    #[test]
    fn twice_a_histogram_is_its_sum_with_itself(histogram in any_buckets()) {
        let (mut sum, mut twice) = (histogram.clone(), histogram.clone());
        sum.add(&histogram).unwrap();
        twice.multiply(2.0);
        sum.compact();
        twice.compact();
        prop_assert_eq!(text(&sum), text(&twice));
    }

    #[test]
    fn scaling_is_linear(histogram in any_buckets(), factor in -8i32..8) {
        let factor = f64::from(factor);
        let mut scaled = histogram.clone();
        scaled.multiply(factor);
        prop_assert_eq!((scaled.count, scaled.sum), (histogram.count * factor, histogram.sum * factor));
        if factor != 0.0 {
            scaled.divide(factor);
            assert_alike(&text(&scaled), &text(&histogram), "there and back");
        }
    }

    #[test]
    fn a_sum_has_the_coarser_schema_and_the_wider_zero_bucket(left in exponential(), right in exponential()) {
        let mut sum = left.clone();
        sum.add(&right).unwrap();
        prop_assert_eq!(sum.schema, left.schema.min(right.schema));
        prop_assert!(sum.zero_threshold >= left.zero_threshold.max(right.zero_threshold));
        prop_assert_eq!(sum.count, left.count + right.count);
    }
}
