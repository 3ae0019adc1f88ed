//! Moments of the histograms of `samples`, and what Prometheus gives for them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, named};
use crate::number::answer_text;

/// The histogram; its count, sum, mean, variance and standard deviation.
const CASES: &[(&str, [&str; 5])] = &[
    ("basic", ["17", "30", "1.7647058823529411", "8.124627398896518", "2.8503732034413525"]),
    ("fine", ["19", "17.5", "0.9210526315789473", "2.848871053661307", "1.6878599034461679"]),
    ("wide", ["12", "44", "3.6666666666666665", "6.063112572448419", "2.462338841924161"]),
    ("positive", ["10", "12.25", "1.225", "0.4588058266210914", "0.6773520699171822"]),
    ("negative", ["8", "-33", "-4.125", "10.015625", "3.164747225293041"]),
    ("nan", ["20", "NaN", "NaN", "NaN", "NaN"]),
    ("custom", ["10", "50", "5", "+Inf", "+Inf"]),
    ("other", ["12", "70", "5.833333333333333", "+Inf", "+Inf"]),
    ("below", ["9", "-1", "-0.1111111111111111", "+Inf", "+Inf"]),
    ("none", ["0", "0", "NaN", "NaN", "NaN"]),
];

#[test]
fn moments_are_those_of_prometheus() {
    for (name, expected) in CASES {
        for (function, expected) in [count, sum, avg, stdvar, stddev].into_iter().zip(expected) {
            assert_alike(&answer_text(function(&named(name))), expected, name);
        }
    }
}

proptest! {
    #[test]
    fn a_variance_does_not_change_with_the_scale_of_counts(histogram in any_buckets(), factor in 1u32..5) {
        let mut scaled = histogram.clone();
        scaled.multiply(f64::from(1 << factor));
        let (before, after) = (stdvar(&histogram), stdvar(&scaled));
        prop_assert!(before == after || (before.is_nan() && after.is_nan()), "{before} became {after}");
    }
}
