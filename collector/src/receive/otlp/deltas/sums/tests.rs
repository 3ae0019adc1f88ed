use model::histogram::ResetHint;
use proptest::prelude::*;

use super::*;

/// A histogram of these observations; those up to `zero_threshold` are in the zero bucket.
fn of(observations: &[f64], schema: i8, zero_threshold: f64) -> NativeHistogram {
    let index = |value: f64| (0..).map(|step| step - 400).find(|index| value <= upper_bound(schema, *index)).unwrap();
    let side = |sign: f64| {
        let mut indices: Vec<i64> =
            observations.iter().map(|value| value * sign).filter(|value| *value > zero_threshold).map(index).collect();
        indices.sort_unstable();
        let counts: Vec<u64> = indices.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect();
        indices.dedup();
        (spans_of(indices), counts)
    };
    let ((positive_spans, positive), (negative_spans, negative)) = (side(1.0), side(-1.0));
    let zero = observations.iter().filter(|value| value.abs() <= zero_threshold).count() as u64;
    let histogram = NativeHistogram {
        schema,
        reset_hint: ResetHint::Unknown,
        start_ms: None,
        sum: observations.iter().sum(),
        zero_threshold,
        custom_bounds: Vec::new(),
        positive_spans,
        negative_spans,
        counts: Counts::Integer(BucketCounts { count: observations.len() as u64, zero, positive, negative }),
    };
    histogram.validate().unwrap();
    histogram
}

fn whole() -> impl Strategy<Value = Vec<f64>> {
    // Whole eighths, so that sums are exact, away from the ends of buckets, where rounding may choose either.
    prop::collection::vec((-800i32..800).prop_map(|eighths| f64::from(eighths) / 8.0 + 1.0 / 64.0), 0..30)
}

proptest! {
    /// The sum of two histograms is the histogram of all observations, in the coarser schema.
    #[test]
    fn a_sum_is_the_histogram_of_both(a in whole(), b in whole(), schemas in (-4i8..=3, -4i8..=3)) {
        let sum = add(&of(&a, schemas.0, 1e-128), &of(&b, schemas.1, 1e-128)).unwrap();
        let both = [a, b].concat();
        prop_assert_eq!(sum, of(&both, schemas.0.min(schemas.1), 1e-128));
    }

    /// Of zero buckets the wider one counts, up to the end of a bucket that it reaches into; no observation is lost.
    #[test]
    fn zero_buckets_are_made_alike(a in whole(), b in whole(), thresholds in (0.1f64..50.0, 0.1f64..50.0)) {
        let sum = add(&of(&a, 1, thresholds.0), &of(&b, 1, thresholds.1)).unwrap();
        prop_assert!(sum.zero_threshold >= thresholds.0.max(thresholds.1));
        let wider = thresholds.0.max(thresholds.1);
        prop_assert!(sum.zero_threshold == wider || sum.zero_threshold <= wider * 1.5);
        let Counts::Integer(counts) = &sum.counts else { panic!("whole counts") };
        let both = [a, b].concat();
        prop_assert_eq!(counts.count, both.len() as u64);
        let near = both.iter().filter(|value| value.abs() <= sum.zero_threshold).count() as u64;
        prop_assert_eq!(counts.zero, near);
    }
}

#[test]
fn deltas_that_wander_do_not_widen_a_sum_without_end() {
    let at = |offset: i32| NativeHistogram {
        schema: 8,
        sum: 1.0,
        positive_spans: vec![model::histogram::Span { offset, length: 3000 }],
        counts: Counts::Integer(BucketCounts { count: 3000, positive: vec![1; 3000], ..BucketCounts::default() }),
        ..NativeHistogram::stale()
    };
    let mut sum = at(0);
    for step in 1..8 {
        sum = add(&sum, &at(step * 3000)).unwrap();
        assert!(sum.buckets() <= MAX_BUCKETS, "{} buckets", sum.buckets());
    }
    let Counts::Integer(counts) = &sum.counts else { panic!() };
    assert!(counts.count == 24_000 && sum.schema < 8, "{sum:?}");
}

#[test]
fn what_cannot_be_added_begins_anew() {
    let sum = |amount| Sum { time_ms: 10, start_ms: Some(1), amount };
    let added = |amount| Added { time_ms: 20, start_ms: 15, amount };
    let native = |histogram| Amount::Native(Box::new(histogram));
    let custom = |bound: f64| NativeHistogram {
        schema: CUSTOM_BUCKETS,
        custom_bounds: vec![bound],
        zero_threshold: 0.0,
        ..of(&[], 0, 0.0)
    };
    let cases = [
        (native(of(&[1.0], 0, 0.0)), Amount::Number(1.0)),
        (Amount::Number(1.0), native(of(&[1.0], 0, 0.0))),
        (native(custom(1.0)), native(custom(2.0))),
        (native(custom(1.0)), native(of(&[1.0], 0, 0.0))),
    ];
    for (before, amount) in cases {
        let after = Sum::after(Some(&sum(before)), added(amount.clone())).unwrap();
        assert_eq!((after.start_ms, after.time_ms), (Some(15), 20));
    }
}

#[test]
fn a_delta_that_is_not_after_the_last_one_is_no_delta() {
    let sum = Sum { time_ms: 10, start_ms: Some(1), amount: Amount::Number(5.0) };
    let added = |time_ms| Added { time_ms, start_ms: 9, amount: Amount::Number(2.0) };
    assert_eq!(Sum::after(Some(&sum), added(9)), None);
    assert_eq!(Sum::after(Some(&sum), added(10)), None);
    let after = Sum { time_ms: 11, start_ms: Some(1), amount: Amount::Number(7.0) };
    assert_eq!(Sum::after(Some(&sum), added(11)), Some(after));
}
