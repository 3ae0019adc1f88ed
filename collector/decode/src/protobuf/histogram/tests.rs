use model::batch::STALE_NAN_BITS;

use super::*;

fn integer(schema: i32, spans: &[(i32, u32)], deltas: &[i64]) -> Parts {
    let mut parts = Parts { schema, ..Parts::default() };
    parts.positive.spans = spans.iter().map(|&(offset, length)| Span { offset, length }).collect();
    deltas.iter().for_each(|delta| parts.positive.push(*delta));
    parts.count = parts.positive.integers.iter().sum();
    parts
}

#[test]
fn deltas_become_counts() {
    let histogram = integer(3, &[(-2, 2), (1, 3)], &[5, -2, 0, 4, -7]).finish().unwrap();
    let Counts::Integer(counts) = &histogram.counts else { panic!("{histogram:?}") };
    assert_eq!((counts.count, &counts.positive[..]), (18, &[5, 3, 3, 7, 0][..]));
    for deltas in [&[1, -2][..], &[i64::MAX, 1], &[i64::MIN, 0]] {
        let bad = integer(3, &[(0, 2)], deltas).finish().unwrap_err();
        assert!(bad.reason == Reason::InvalidHistogram && bad.what.contains("less than nothing"), "{bad}");
    }
}

#[test]
fn what_is_finer_than_the_tables_hold_is_made_coarser() {
    // Buckets 1 and 2 of schema 9 are bucket 1 of schema 8, 3 is in 2.
    let histogram = integer(9, &[(1, 3)], &[1, 1, 1]).finish().unwrap();
    let Counts::Integer(counts) = &histogram.counts else { panic!("{histogram:?}") };
    assert_eq!((histogram.schema, &counts.positive[..]), (8, &[3, 3][..]));
    assert_eq!(histogram.positive_spans, [Span { offset: 1, length: 2 }]);
    assert_eq!(integer(52, &[(1, 1)], &[1]).finish().unwrap().schema, 8);
    // What contradicts itself is not repaired by that.
    assert!(integer(9, &[(1, 2)], &[1]).finish().is_err());
    for schema in [53, -5, 127, 128, i32::MAX, i32::MIN] {
        assert!(integer(schema, &[(1, 1)], &[1]).finish().unwrap_err().what.contains("schema"), "{schema}");
    }
}

#[test]
fn a_stale_sum_is_all_that_a_stale_histogram_says() {
    let parts = Parts { sum: f64::from_bits(STALE_NAN_BITS), schema: 99, count: 7, start_ms: 5, ..Parts::default() };
    let histogram = parts.finish().unwrap();
    assert!(histogram.is_stale() && histogram.buckets() == 0 && histogram.start_ms == Some(5));
}

#[test]
fn signs_are_in_the_lowest_bit() {
    let numbers = [0, 1, 2, 3, u64::MAX - 1, u64::MAX].map(zigzag);
    assert_eq!(numbers, [0, -1, 1, -2, i64::MAX, i64::MIN]);
}
