//! Quantiles of the histograms of `samples`, and what Prometheus gives for them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, named};
use crate::number::answer_text;

/// The histogram, the share, the quantile, and what the note says, if there is one.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("basic", "0", "-4", ""),
    ("basic", "0.05", "-2.9793549262454047", ""),
    ("basic", "0.3", "0.5116869459983874", ""),
    ("basic", "0.5", "1.0905077326652577", ""),
    ("basic", "0.77", "4.6524801661914035", ""),
    ("basic", "1", "8", ""),
    ("basic", "-0.1", "-Inf", ""),
    ("basic", "1.1", "+Inf", ""),
    ("basic", "NaN", "NaN", ""),
    ("fine", "0", "-2.82842712474619", ""),
    ("fine", "0.05", "-2.677401190575596", ""),
    ("fine", "0.3", "0.7513203061298593", ""),
    ("fine", "0.5", "1.8741676341102997", ""),
    ("fine", "0.77", "2.1636055449668192", ""),
    ("fine", "1", "2.378414230005442", ""),
    ("wide", "0", "0", ""),
    ("wide", "0.05", "0.45000000000000007", ""),
    ("wide", "0.3", "2.6999999999999997", ""),
    ("wide", "0.5", "3.3019272488946267", ""),
    ("wide", "0.77", "3.8568648249965993", ""),
    ("wide", "1", "8", ""),
    ("positive", "0", "0", ""),
    ("positive", "0.05", "0.0625", ""),
    ("positive", "0.3", "0.9576032806985736", ""),
    ("positive", "0.5", "1.6817928305074288", ""),
    ("positive", "0.77", "1.7623494261933863", ""),
    ("positive", "1", "1.8340080864093422", ""),
    ("negative", "0", "-16", ""),
    ("negative", "0.05", "-13.299806338284604", ""),
    ("negative", "0.3", "-5.278031643091579", ""),
    ("negative", "0.5", "-2.82842712474619", ""),
    ("negative", "0.77", "-1.3379275547861118", ""),
    ("negative", "1", "0", ""),
    ("nan", "0", "4", "skewed"),
    ("nan", "0.05", "4.59479341998814", "skewed"),
    ("nan", "0.3", "4.59479341998814", "skewed"),
    ("nan", "0.5", "4.59479341998814", "skewed"),
    ("nan", "0.77", "NaN", "result is NaN"),
    ("nan", "1", "NaN", "result is NaN"),
    ("custom", "0", "0", ""),
    ("custom", "0.05", "0.25", ""),
    ("custom", "0.3", "3.333333333333333", ""),
    ("custom", "0.5", "5", ""),
    ("custom", "0.77", "8.375", ""),
    ("custom", "1", "10", ""),
    ("other", "0", "0", ""),
    ("other", "0.05", "0.6000000000000001", ""),
    ("other", "0.3", "7.449999999999999", ""),
    ("other", "0.5", "9.25", ""),
    ("other", "0.77", "10", ""),
    ("other", "1", "10", ""),
    ("below", "0", "-2", ""),
    ("below", "0.05", "-2", ""),
    ("below", "0.3", "-2", ""),
    ("below", "0.5", "-1.0625", ""),
    ("below", "0.77", "0.45625000000000027", ""),
    ("below", "1", "0.5", ""),
    ("none", "0", "NaN", ""),
    ("none", "0.05", "NaN", ""),
    ("none", "0.3", "NaN", ""),
    ("none", "0.5", "NaN", ""),
    ("none", "0.77", "NaN", ""),
    ("none", "1", "NaN", ""),
    ("none", "-0.1", "-Inf", ""),
    ("none", "1.1", "+Inf", ""),
    ("none", "NaN", "NaN", ""),
];

#[test]
fn quantiles_are_those_of_prometheus() {
    for (name, share, expected, said) in CASES {
        let mut notes = Notes::default();
        let got = quantile(share.parse().unwrap(), &named(name), "latency", &mut notes);
        assert_alike(&answer_text(got), expected, &format!("quantile {share} of {name}"));
        let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
        assert_eq!(notes.len(), usize::from(!said.is_empty()), "quantile {share} of {name}");
        assert!(notes.iter().all(|note| note.contains(said) && note.ends_with(r#" for metric name "latency""#)));
    }
}

#[test]
fn a_label_of_a_quantile_has_a_point() {
    let cases = [(0.5, "0.5"), (1.0, "1.0"), (0.0, "0.0"), (-1.0, "-1.0"), (1e-7, "1e-07"), (3e6, "3e+06")];
    for (share, label) in cases {
        assert_eq!(quantile_label(share), label);
    }
    assert_eq!(quantile_label(f64::NAN), "NaN");
    assert_eq!(quantile_label(f64::NEG_INFINITY), "-Inf");
}

proptest! {
    #[test]
    fn quantiles_ascend(histogram in any_buckets(), mut shares in prop::collection::vec(0.0f64..=1.0, 2..10)) {
        shares.sort_by(f64::total_cmp);
        let mut notes = Notes::default();
        let quantiles: Vec<f64> =
            shares.iter().map(|share| quantile(*share, &histogram, "", &mut notes)).collect();
        prop_assert!(notes.is_empty());
        if histogram.count == 0.0 {
            prop_assert!(quantiles.iter().all(|quantile| quantile.is_nan()));
            return Ok(());
        }
        let has_bounds = histogram.ascending().any(|bucket| bucket.lower.is_finite() || bucket.upper.is_finite());
        for pair in quantiles.windows(2) {
            // One is found from below, the other from above.
            let slack = 1e-9 * pair[0].abs();
            prop_assert!(pair[0] <= pair[1] + slack || !has_bounds, "{quantiles:?} at {shares:?}");
        }
    }

    #[test]
    fn a_quantile_is_within_a_filled_bucket(histogram in any_buckets(), share in 0.0f64..=1.0) {
        let got = quantile(share, &histogram, "", &mut Notes::default());
        let mut filled = histogram.ascending().filter(|bucket| bucket.count > 0.0);
        let is_within = filled.any(|bucket| {
            let slack = 1e-9 * got.abs();
            bucket.lower <= got + slack && got <= bucket.upper + slack
        });
        prop_assert!(is_within || histogram.count == 0.0, "{got} is in no bucket");
    }
}
