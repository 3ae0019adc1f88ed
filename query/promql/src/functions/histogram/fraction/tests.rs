//! Fractions of the histograms of `samples`, and what Prometheus gives for them.

use proptest::prelude::*;

use super::*;
use crate::functions::histogram::quantile::quantile;
use crate::histogram::samples::{assert_alike, exponential, named};
use crate::number::answer_text;

/// The histogram, both values, the share between them, and whether it is said that some observations are no number.
const CASES: &[(&str, &str, &str, &str, bool)] = &[
    ("basic", "-Inf", "+Inf", "1", false),
    ("basic", "-Inf", "0", "0.23529411764705882", false),
    ("basic", "0", "0.3", "0.0352941176470588", false),
    ("basic", "-3", "3", "0.6570544118495478", false),
    ("basic", "1", "2", "0.23529411764705882", false),
    ("basic", "2.2", "7", "0.2374573300169424", false),
    ("basic", "5", "1", "0", false),
    ("basic", "NaN", "1", "NaN", false),
    ("basic", "0", "+Inf", "0.7647058823529411", false),
    ("fine", "-Inf", "+Inf", "1", false),
    ("fine", "-Inf", "0", "0.18421052631578946", false),
    ("fine", "0", "0.3", "0.02631578947368421", false),
    ("fine", "-3", "3", "1", false),
    ("fine", "1", "2", "0.21052631578947367", false),
    ("fine", "2.2", "7", "0.18946774947379347", false),
    ("fine", "0", "+Inf", "0.8157894736842105", false),
    ("wide", "-Inf", "+Inf", "1", false),
    ("wide", "-Inf", "0", "0", false),
    ("wide", "0", "0.3", "0.03333333333333333", false),
    ("wide", "-3", "3", "0.3333333333333333", false),
    ("wide", "1", "2", "0.1111111111111111", false),
    ("wide", "2.2", "7", "0.6913405295747569", false),
    ("wide", "0", "+Inf", "1", false),
    ("positive", "-Inf", "+Inf", "1", false),
    ("positive", "-Inf", "0", "0", false),
    ("positive", "0", "0.3", "0.2", false),
    ("positive", "-3", "3", "1", false),
    ("positive", "1", "2", "0.6", false),
    ("positive", "2.2", "7", "0", false),
    ("positive", "0", "+Inf", "1", false),
    ("negative", "-Inf", "+Inf", "1", false),
    ("negative", "-Inf", "0", "1", false),
    ("negative", "0", "0.3", "0", false),
    ("negative", "-3", "3", "0.521240625180289", false),
    ("negative", "1", "2", "0", false),
    ("negative", "2.2", "7", "0", false),
    ("negative", "0", "+Inf", "0", false),
    ("nan", "-Inf", "+Inf", "0.7", true),
    ("nan", "-Inf", "0", "0", true),
    ("nan", "0", "0.3", "0.06", true),
    ("nan", "-3", "3", "0.45", true),
    ("nan", "1", "2", "0.2", true),
    ("nan", "2.2", "7", "0.20183873051440102", true),
    ("nan", "5", "1", "0", false),
    ("nan", "NaN", "1", "NaN", false),
    ("nan", "0", "+Inf", "0.7", true),
    ("custom", "-Inf", "+Inf", "1", false),
    ("custom", "-Inf", "0", "0", false),
    ("custom", "0", "0.3", "0.06", false),
    ("custom", "-3", "3", "0.26", false),
    ("custom", "1", "2", "0", false),
    ("custom", "2.2", "7", "0.45999999999999996", false),
    ("custom", "5", "1", "0", false),
    ("custom", "NaN", "1", "NaN", false),
    ("custom", "0", "+Inf", "1", false),
    ("other", "-Inf", "+Inf", "1", false),
    ("other", "-Inf", "0", "0", false),
    ("other", "0", "0.3", "0.024999999999999998", false),
    ("other", "-3", "3", "0.16666666666666666", false),
    ("other", "1", "2", "0.041666666666666664", false),
    ("other", "2.2", "7", "0.11666666666666665", false),
    ("other", "0", "+Inf", "1", false),
    ("below", "-Inf", "+Inf", "1", false),
    ("below", "-Inf", "0", "0.3333333333333333", false),
    ("below", "0", "0.3", "0.2666666666666667", false),
    ("below", "-3", "3", "0.4444444444444444", false),
    ("below", "1", "2", "0", false),
    ("below", "2.2", "7", "0", false),
    ("below", "0", "+Inf", "0.6666666666666666", false),
    ("none", "-Inf", "+Inf", "NaN", false),
    ("none", "-Inf", "0", "NaN", false),
    ("none", "0", "0.3", "NaN", false),
    ("none", "-3", "3", "NaN", false),
    ("none", "1", "2", "NaN", false),
    ("none", "2.2", "7", "NaN", false),
    ("none", "0", "+Inf", "NaN", false),
];

#[test]
fn fractions_are_those_of_prometheus() {
    for (name, lower, upper, expected, is_noted) in CASES {
        let mut notes = Notes::default();
        let got = fraction(lower.parse().unwrap(), upper.parse().unwrap(), &named(name), "latency", &mut notes);
        assert_alike(&answer_text(got), expected, &format!("{name} from {lower} to {upper}"));
        let note = Note::NativeHistogramFractionNaNs("latency".to_owned());
        assert_eq!(notes.iter().collect::<Vec<_>>(), if *is_noted { vec![&note] } else { vec![] }, "{name}");
    }
}

proptest! {
    #[test]
    fn a_fraction_is_the_inverse_of_a_quantile(histogram in exponential(), share in 0.0f64..=1.0) {
        let at = quantile(share, &histogram, "", &mut Notes::default());
        let got = fraction(f64::NEG_INFINITY, at, &histogram, "", &mut Notes::default());
        let is_wide_enough = histogram.zero_threshold > 1e-6 || histogram.zero_count == 0.0;
        if histogram.count > 0.0 && is_wide_enough && histogram.zero_threshold < 0.1 {
            prop_assert!((got - share).abs() < 1e-6, "{share} is at {at}, below which is {got}");
        }
    }

    #[test]
    fn neighbouring_fractions_add_up(histogram in exponential(), mut values in prop::array::uniform3(-100.0f64..100.0)) {
        values.sort_by(f64::total_cmp);
        let [low, middle, high] = values;
        let between = |lower, upper| fraction(lower, upper, &histogram, "", &mut Notes::default());
        if histogram.count > 0.0 {
            let sum = between(low, middle) + between(middle, high);
            prop_assert!((between(low, high) - sum).abs() < 1e-12);
        }
    }
}
