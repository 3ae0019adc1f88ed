use proptest::prelude::*;

use super::{answer_text, parts, plain_text, push_answer_text, short_text, split};

/// A number and its texts: in an answer, as a label, in a note. All are what Prometheus 3.14 shows.
const TEXTS: &[(f64, &str, &str, &str)] = &[
    (0.0, "0", "0", "0"),
    (-0.0, "-0", "-0", "-0"),
    (1.0, "1", "1", "1"),
    (-2.5, "-2.5", "-2.5", "-2.5"),
    (100_000.0, "100000", "100000", "100000"),
    (1_000_000.0, "1000000", "1000000", "1e+06"),
    (1_234_567.5, "1234567.5", "1234567.5", "1.2345675e+06"),
    (0.0001, "0.0001", "0.0001", "0.0001"),
    (0.00001, "0.00001", "0.00001", "1e-05"),
    (0.000001, "0.000001", "0.000001", "1e-06"),
    (0.0000001, "1e-07", "0.0000001", "1e-07"),
    (1e20, "100000000000000000000", "100000000000000000000", "1e+20"),
    (1e21, "1e+21", "1000000000000000000000", "1e+21"),
    (1.5e-10, "1.5e-10", "0.00000000015", "1.5e-10"),
    ((1e16 - 2.0) / 60.0, "166666666666666.62", "166666666666666.62", "1.6666666666666662e+14"),
    (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
    (f64::NAN, "NaN", "NaN", "NaN"),
    (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
    (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf"),
];

#[test]
fn texts_are_those_of_prometheus() {
    for (number, answer, plain, short) in TEXTS {
        assert_eq!(answer_text(*number), *answer);
        assert_eq!(plain_text(*number), *plain);
        assert_eq!(short_text(*number), *short);
    }
    assert_eq!(plain_text(-1e100), format!("-1{}", "0".repeat(100)));
}

#[test]
fn rounded_numbers_have_two_digit_text() {
    let cases = [
        (1.0, "1"),
        (2.56, "2.6"),
        (99.4, "99"),
        (99.6, "1e+02"),
        (123_456.0, "1.2e+05"),
        (0.000_123_4, "0.00012"),
        (0.000_01, "1e-05"),
        (f64::INFINITY, "+Inf"),
    ];
    for (number, text) in cases {
        assert_eq!(super::two_digit_text(number), text);
    }
}

proptest! {
    #[test]
    fn every_text_reads_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        for text in [answer_text(number), plain_text(number), short_text(number)] {
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits), "{}", text);
        }
    }
}

#[test]
fn whole_numbers_have_the_same_text_either_way() {
    for number in [0.0, -0.0, 1.0, -7.0, 999_999_999_999_999.0, 1e15, -1e15, 1e21, 0.5, f64::NAN, f64::NEG_INFINITY] {
        let mut text = String::from("x");
        push_answer_text(&mut text, number);
        assert_eq!(text[1..], answer_text(number));
    }
}

/// A number, many of them with few digits behind the point in binary: only these can lie in the middle of two texts.
fn number() -> impl Strategy<Value = f64> {
    let dyadic = (any::<i64>(), 0_u32..64, 0_i32..60);
    prop_oneof![
        any::<f64>().prop_filter("no text of its own", |number| number.is_finite()),
        dyadic.prop_map(|(whole, shift, bits)| (whole >> shift) as f64 / 2_f64.powi(bits)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]
    #[test]
    fn of_two_texts_that_are_as_near_the_even_one_is_taken(number in number()) {
        let shortest = format!("{number:e}");
        let digits = shortest.split('e').next().unwrap().bytes().filter(u8::is_ascii_digit).count();
        let even = format!("{number:.*e}", digits - 1);
        let (digits, exponent) = split(if even.parse() == Ok(number) { &even } else { &shortest });
        prop_assert_eq!(parts(number), (digits.to_owned(), exponent));
        let mut pushed = String::new();
        push_answer_text(&mut pushed, number);
        prop_assert_eq!(&pushed, &answer_text(number));
        prop_assert_eq!(pushed.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
        let plain = plain_text(number);
        let (digits, exponent) = split(&plain);
        prop_assert_eq!(exponent, 0, "an exponent in {}", digits);
    }
}
