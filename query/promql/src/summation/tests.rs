use proptest::prelude::*;

use super::{Mean, Sum};

fn sum(numbers: &[f64]) -> f64 {
    let mut sum = Sum::default();
    numbers.iter().for_each(|number| sum.add(*number));
    sum.total()
}

fn mean(numbers: &[f64]) -> f64 {
    let mut mean = Mean::default();
    numbers.iter().for_each(|number| mean.add(*number));
    mean.mean()
}

#[test]
fn sums_keep_what_rounding_takes() {
    assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
    assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
    assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
}

#[test]
fn means_do_not_overflow() {
    assert_eq!(mean(&[1e308, 1.5e308, -1e308, 1.2e308]), 6.75e307);
    assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(mean(&[]).is_nan());
}

proptest! {
    /// Whole numbers whose every sum is held without rounding, hidden behind a large one.
    #[test]
    fn a_large_number_hides_no_small_ones(numbers in prop::collection::vec(-1000_i32..1000, 1..100)) {
        let exact: i32 = numbers.iter().sum();
        let mut all: Vec<f64> = numbers.into_iter().map(f64::from).collect();
        all.insert(0, 1e18);
        all.push(-1e18);
        prop_assert_eq!(sum(&all), f64::from(exact));
    }
}
