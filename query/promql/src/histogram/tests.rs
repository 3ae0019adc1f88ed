use super::*;

#[test]
fn an_empty_histogram_has_no_observation() {
    let empty = FloatHistogram::empty(3, Vec::new());
    assert_eq!((empty.count, empty.sum, empty.ascending().count()), (0.0, 0.0, 0));
    assert!(!empty.has_custom_buckets());
    assert!(FloatHistogram::empty(CUSTOM_BUCKETS, vec![1.0]).has_custom_buckets());
}
