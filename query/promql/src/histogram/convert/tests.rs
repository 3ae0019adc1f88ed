use model::NativeHistogram;
use model::histogram::{BucketCounts, Counts, ResetHint, Span};
use proptest::prelude::*;

use crate::histogram::FloatHistogram;
use crate::histogram::samples::any_buckets;

#[test]
fn whole_observations_become_numbers() {
    let native = NativeHistogram {
        schema: 3,
        reset_hint: ResetHint::Reset,
        start_ms: Some(7),
        sum: 2.5,
        zero_threshold: 0.25,
        custom_bounds: Vec::new(),
        positive_spans: vec![Span { offset: -2, length: 2 }],
        negative_spans: vec![Span { offset: 4, length: 1 }],
        counts: Counts::Integer(BucketCounts { count: 10, zero: 1, positive: vec![2, 3], negative: vec![4] }),
    };
    let histogram = FloatHistogram::from(&native);
    assert_eq!((histogram.count, histogram.zero_count), (10.0, 1.0));
    assert_eq!((&histogram.positive[..], &histogram.negative[..]), (&[2.0, 3.0][..], &[4.0][..]));
    assert_eq!(histogram.reset_hint, ResetHint::Unknown);
    assert_eq!(histogram.positive_spans, native.positive_spans);
}

proptest! {
    #[test]
    fn there_and_back_is_no_change(mut histogram in any_buckets(), is_gauge: bool) {
        histogram.reset_hint = if is_gauge { ResetHint::Gauge } else { ResetHint::Unknown };
        let native = NativeHistogram::from(histogram.clone());
        prop_assert!(native.validate().is_ok());
        prop_assert_eq!(FloatHistogram::from(&native), histogram);
    }

    #[test]
    fn a_coarser_schema_is_the_same_before_and_after(histogram in any_buckets(), schema in -4i8..4) {
        let mut native = NativeHistogram::from(histogram.clone());
        native.reduce_to(schema);
        let mut reduced = histogram;
        reduced.reduce_to(schema);
        prop_assert_eq!(FloatHistogram::from(&native), reduced);
    }
}
