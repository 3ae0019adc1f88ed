//! What is trimmed is compared with Prometheus in `binary`.

use proptest::prelude::*;

use super::*;
use crate::histogram::BucketSpan;
use crate::histogram::samples::{any_buckets, exponential, named, text};

fn trimmed(histogram: &FloatHistogram, value: f64, keep: Keep) -> FloatHistogram {
    let mut result = histogram.clone();
    result.trim(value, keep);
    result
}

#[test]
fn what_is_not_trimmed_keeps_its_sum() {
    assert_eq!(trimmed(&named("basic"), 8.0, Keep::Below), named("basic"));
    assert_eq!(trimmed(&named("basic"), -4.0, Keep::Above), named("basic"));
    assert_eq!(trimmed(&named("fine"), 100.0, Keep::Below), named("fine"));
}

#[test]
fn buckets_of_infinity_stay_or_go_as_a_whole() {
    let mut histogram = FloatHistogram::empty(0, Vec::new());
    histogram.positive_spans = vec![BucketSpan { offset: 1025, length: 1 }];
    histogram.positive = vec![4.0];
    histogram.count = 4.0;
    assert_eq!(trimmed(&histogram, f64::MAX, Keep::Below).count, 0.0);
    assert_eq!(trimmed(&histogram, 5.0, Keep::Above).count, 4.0);
    std::mem::swap(&mut histogram.positive_spans, &mut histogram.negative_spans);
    std::mem::swap(&mut histogram.positive, &mut histogram.negative);
    assert_eq!(trimmed(&histogram, -5.0, Keep::Below).count, 4.0);
    assert_eq!(trimmed(&histogram, -f64::MAX, Keep::Above).count, 0.0);
}

proptest! {
    #[test]
    fn what_is_below_and_what_is_above_are_all(histogram in exponential(), value in -300.0f64..300.0) {
        let (below, above) = (trimmed(&histogram, value, Keep::Below), trimmed(&histogram, value, Keep::Above));
        prop_assert!((below.count + above.count - histogram.count).abs() <= 1e-9 * histogram.count);
        let has_no_negative_count = |part: &FloatHistogram| part.ascending().all(|bucket| bucket.count >= 0.0);
        prop_assert!(has_no_negative_count(&below) && has_no_negative_count(&above));
    }

    #[test]
    fn nothing_is_beyond_the_value(histogram in any_buckets(), value in -12.0f64..12.0) {
        let below = trimmed(&histogram, value, Keep::Below);
        prop_assert!(below.ascending().all(|bucket| bucket.lower < value || bucket.count == 0.0));
        let above = trimmed(&histogram, value, Keep::Above);
        prop_assert!(above.ascending().all(|bucket| bucket.upper > value || bucket.count == 0.0));
    }

    #[test]
    fn trimming_at_infinity_changes_nothing(histogram in any_buckets()) {
        let whole = trimmed(&histogram, f64::INFINITY, Keep::Below);
        prop_assert_eq!(text(&whole), text(&histogram));
        prop_assert_eq!(text(&trimmed(&histogram, f64::NEG_INFINITY, Keep::Above)), text(&histogram));
    }
}
