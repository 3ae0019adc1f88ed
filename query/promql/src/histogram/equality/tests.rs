use proptest::prelude::*;

use crate::histogram::samples::{any_buckets, named};
use crate::histogram::{BucketSpan, FloatHistogram, ResetHint};

#[test]
fn every_number_counts_bit_for_bit() {
    let changes: [fn(&mut FloatHistogram); 7] = [
        |histogram| histogram.count += 1.0,
        |histogram| histogram.sum = -histogram.sum,
        |histogram| histogram.zero_threshold *= 2.0,
        |histogram| histogram.zero_count = 0.0,
        |histogram| histogram.schema += 1,
        |histogram| histogram.positive[1] += 1.0,
        |histogram| histogram.negative_spans[0].offset += 1,
    ];
    for change in changes {
        let mut changed = named("basic");
        change(&mut changed);
        assert!(!changed.equals(&named("basic")) && !named("basic").equals(&changed));
    }
    assert!(named("nan").equals(&named("nan")));
    assert!(!named("custom").equals(&named("other")));
}

#[test]
fn hints_of_resets_do_not_count_nor_spans_of_nothing() {
    let mut same = named("basic");
    same.reset_hint = ResetHint::Gauge;
    same.positive_spans =
        [(-1, 0), (1, 2), (0, 0), (1, 1), (5, 0)].map(|(offset, length)| BucketSpan { offset, length }).to_vec();
    assert!(same.equals(&named("basic")));
}

#[test]
fn an_empty_bucket_counts() {
    let mut compacted = named("fine");
    compacted.compact();
    assert!(!compacted.equals(&named("fine")));
}

proptest! {
    #[test]
    fn equality_is_symmetric(left in any_buckets(), right in any_buckets()) {
        prop_assert!(left.equals(&left));
        prop_assert_eq!(left.equals(&right), right.equals(&left));
    }
}
