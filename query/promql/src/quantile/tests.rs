use proptest::prelude::*;

use super::{order, quantile};

#[test]
fn quantiles_at_the_edges() {
    let of = |asked, numbers: &[f64]| quantile(asked, &mut numbers.to_vec()).to_string();
    assert_eq!(of(0.5, &[]), "NaN");
    assert_eq!(of(f64::NAN, &[1.0]), "NaN");
    assert_eq!(of(-0.1, &[1.0]), "-inf");
    assert_eq!(of(1.1, &[1.0]), "inf");
    assert_eq!(of(0.5, &[3.0, 1.0]), "2");
    assert_eq!(of(1.0, &[3.0, 1.0]), "3");
    // What is no number is the least, and weighs in with a weight of zero too.
    assert_eq!(of(1.0, &[3.0, f64::NAN]), "3");
    assert_eq!(of(0.0, &[3.0, f64::INFINITY]), "NaN");
}

proptest! {
    #[test]
    fn a_quantile_needs_no_sorting(
        numbers in prop::collection::vec(prop_oneof![any::<f64>(), (-5_i8..5).prop_map(f64::from)], 1..60),
        asked in 0.0..=1.0_f64,
    ) {
        let mut sorted = numbers.clone();
        sorted.sort_by(order);
        let rank = asked * (sorted.len() - 1) as f64;
        let (low, high) = (rank.floor() as usize, (rank.floor() as usize + 1).min(sorted.len() - 1));
        let weight = rank - rank.floor();
        let expected = sorted[low] * (1.0 - weight) + sorted[high] * weight;
        let got = quantile(asked, &mut numbers.clone());
        prop_assert!(got == expected || (got.is_nan() && expected.is_nan()), "{got} {expected}");
    }
}
