use proptest::prelude::*;

use crate::histogram::samples::{any_buckets, named};
use crate::histogram::{BucketSpan, FloatHistogram};

fn spans(histogram: &FloatHistogram) -> Vec<(i32, u32)> {
    histogram.positive_spans.iter().map(|span| (span.offset, span.length)).collect()
}

#[test]
fn empty_buckets_go_wherever_they_are() {
    let mut histogram = named("fine");
    histogram.positive = vec![0.0, 3.0, 0.0, 0.0, 8.0];
    histogram.compact();
    assert_eq!(spans(&histogram), [(-2, 1), (6, 1)]);
    assert_eq!(histogram.positive, [3.0, 8.0]);
    histogram.positive = vec![0.0, -0.0];
    histogram.compact();
    assert!(histogram.positive_spans.is_empty() && histogram.positive.is_empty());
    assert_eq!(histogram.negative, [3.0]);
}

#[test]
fn spans_that_touch_become_one_and_those_of_nothing_go() {
    let mut histogram = named("fine");
    histogram.positive = vec![1.0, 2.0, 3.0];
    histogram.positive_spans =
        [(-3, 1), (0, 1), (4, 0), (2, 1)].map(|(offset, length)| BucketSpan { offset, length }).to_vec();
    histogram.compact();
    assert_eq!(spans(&histogram), [(-3, 2), (6, 1)]);
    assert_eq!(histogram.positive, [1.0, 2.0, 3.0]);
}

proptest! {
    #[test]
    fn what_is_in_buckets_stays_where_it_is(histogram in any_buckets()) {
        let mut compacted = histogram.clone();
        compacted.compact();
        prop_assert!(compacted.positive.iter().chain(&compacted.negative).all(|count| *count != 0.0));
        let filled: Vec<_> = histogram.ascending().filter(|bucket| bucket.count != 0.0).collect();
        prop_assert_eq!(compacted.ascending().collect::<Vec<_>>(), filled);
        let once = compacted.clone();
        compacted.compact();
        prop_assert_eq!(once, compacted);
    }
}
