use proptest::prelude::*;

use super::*;
use crate::histogram::samples::custom_buckets;

#[test]
fn common_bounds_are_those_in_both() {
    assert_eq!(common_bounds(&[1.0, 2.5, 5.0, 10.0], &[1.0, 5.0, 7.0, 10.0]), [1.0, 5.0, 10.0]);
    assert_eq!(common_bounds(&[1.0], &[2.0]), Vec::<f64>::new());
    assert_eq!(common_bounds(&[], &[2.0]), Vec::<f64>::new());
}

#[test]
fn a_bucket_goes_to_the_one_that_ends_where_it_does_or_above() {
    let places: Vec<usize> = (0..4).map(|index| place_in(&[1.0, 5.0], &[0.5, 1.0, 2.0], index)).collect();
    assert_eq!(places, [0, 0, 1, 2]);
}

proptest! {
    #[test]
    fn a_sum_over_different_bounds_holds_all_observations(left in custom_buckets(), right in custom_buckets()) {
        let mut sum = left.clone();
        let combined = sum.add(&right).unwrap();
        prop_assert_eq!(combined.bounds_reconciled, left.custom_bounds != right.custom_bounds);
        prop_assert_eq!(sum.positive.iter().sum::<f64>(), left.count + right.count);
        prop_assert_eq!(sum.count, left.count + right.count);
        let mut other = right;
        other.add(&left).unwrap();
        sum.compact();
        other.compact();
        prop_assert!(sum.equals(&other));
    }
}
