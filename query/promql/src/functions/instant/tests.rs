use proptest::prelude::*;

use super::{instant_function, is_empty, scalar_function};
use crate::number::answer_text;

/// `function number scalars… = value`, as Prometheus 3.14 answers.
const CALLS: &str = "\
abs -2.5 = 2.5
acos 0.5 = 1.0471975511965976
acosh 2 = 1.3169578969248166
asin 0.5 = 0.5235987755982989
asinh 0.5 = 0.48121182505960347
atan 0.5 = 0.4636476090008061
atanh 0.5 = 0.5493061443340548
ceil -0.5 = -0
ceil 1.2 = 2
clamp 5 1 3 = 3
clamp NaN 1 3 = NaN
clamp NaN inf inf = +Inf
clamp_max 5 3 = 3
clamp_min NaN 3 = NaN
clamp_min -5 -inf = -5
cos 1 = 0.5403023058681398
cosh 1 = 1.5430806348152437
deg 3.141592653589793 = 180
exp 1 = 2.718281828459045
floor -0.5 = -1
ln 10 = 2.302585092994046
ln -1 = NaN
log10 0.001 = -3
log2 8 = 3
rad 180 = 3.141592653589793
round 2.5 = 3
round -2.5 = -2
round -0.4 = 0
round 1.23456 0.01 = 1.23
round 7 5 = 5
round 7 0 = NaN
sgn -3 = -1
sgn -0 = -0
sgn NaN = NaN
sin 1 = 0.8414709848078965
sinh 1 = 1.1752011936438014
sqrt 2 = 1.4142135623730951
sqrt -1 = NaN
tan 1 = 1.557407724654902
tanh 1 = 0.7615941559557649
";

#[test]
fn functions_give_what_prometheus_gives() {
    for line in CALLS.lines() {
        let (call, expected) = line.split_once(" = ").expect("call = value");
        let mut words = call.split(' ');
        let function = instant_function(words.next().expect("a function")).expect("a function of numbers");
        let numbers: Vec<f64> = words.map(|word| word.parse().expect("a number")).collect();
        let got = function(numbers[0], &numbers[1..]);
        let wanted: f64 = expected.trim_start_matches('+').parse().expect("a number");
        // Libraries of mathematics differ in the last digit.
        let is_near = (got - wanted).abs() <= 1e-15 * wanted.abs();
        assert!(answer_text(got) == expected || is_near, "{line}: {got}");
    }
}

/// Seconds with year, month, days of month, week and year, days in the month, hour and minute.
const DATES: &[(f64, [f64; 8])] = &[
    (0.0, [1970., 1., 1., 4., 1., 31., 0., 0.]),
    (951_868_799.0, [2000., 2., 29., 2., 60., 29., 23., 59.]),
    (951_868_800.0, [2000., 3., 1., 3., 61., 31., 0., 0.]),
    (-1.0, [1969., 12., 31., 3., 365., 31., 23., 59.]),
    (-62_135_596_800.0, [1., 1., 1., 1., 1., 31., 0., 0.]),
    (253_402_300_800.0, [10_000., 1., 1., 6., 1., 31., 0., 0.]),
    (1.9, [1970., 1., 1., 4., 1., 31., 0., 0.]),
    (-1.9, [1969., 12., 31., 3., 365., 31., 23., 59.]),
    (1_709_164_800.0, [2024., 2., 29., 4., 60., 29., 0., 0.]),
    (-2_208_988_800.0, [1900., 1., 1., 1., 1., 31., 0., 0.]),
    (4_107_542_399.0, [2100., 2., 28., 0., 59., 28., 23., 59.]),
    (1e18, [31_688_740_476., 10., 23., 5., 297., 31., 1., 46.]),
    (-1e18, [-31_688_736_537., 3., 10., 2., 69., 31., 22., 13.]),
    (f64::NAN, [292_277_026_596., 12., 4., 0., 339., 31., 15., 30.]),
    (f64::NEG_INFINITY, [292_277_026_596., 12., 4., 0., 339., 31., 15., 30.]),
    (9e18, [285_198_648_531., 4., 21., 6., 111., 30., 16., 0.]),
];

#[test]
fn dates_are_those_of_prometheus() {
    let functions = ["year", "month", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute"];
    for (seconds, expected) in DATES {
        let got = functions.map(|name| instant_function(name).expect("a function of numbers")(*seconds, &[]));
        assert_eq!(got, *expected, "{seconds}");
    }
}

#[test]
fn scalars_have_a_greater_and_a_lesser_one() {
    let of = |name, a: f64, b: f64| answer_text(scalar_function(name).expect("a function of scalars")(a, b));
    assert_eq!(of("max_of", f64::NAN, f64::INFINITY), "+Inf");
    assert_eq!(of("max_of", f64::NAN, 1.0), "NaN");
    assert_eq!(of("max_of", -0.0, 0.0), "0");
    assert_eq!(of("min_of", f64::NAN, f64::NEG_INFINITY), "-Inf");
    assert_eq!(of("min_of", 0.0, -0.0), "-0");
    assert!(scalar_function("max").is_none());
}

#[test]
fn clamping_between_bounds_the_wrong_way_round_gives_nothing() {
    assert!(is_empty("clamp", &[2.0, 1.0]));
    assert!(!is_empty("clamp", &[1.0, 1.0]));
    assert!(!is_empty("clamp", &[f64::NAN, 1.0]));
    assert!(!is_empty("clamp_min", &[2.0]));
}

proptest! {
    /// The next day is the next one of its month, or the first of the next month.
    #[test]
    fn days_follow_each_other(day in -1_000_000_000_i64..1_000_000_000) {
        let of = |name, day: i64| instant_function(name).expect("a function of numbers")(day as f64 * 86_400.0, &[]);
        let (today, tomorrow) = (of("day_of_month", day), of("day_of_month", day + 1));
        if today == of("days_in_month", day) {
            prop_assert_eq!((tomorrow, of("month", day + 1)), (1.0, of("month", day) % 12.0 + 1.0));
        } else {
            prop_assert_eq!((tomorrow, of("month", day + 1)), (today + 1.0, of("month", day)));
        }
        if today == 1.0 && of("month", day) == 1.0 {
            prop_assert_eq!(of("year", day), of("year", day - 1) + 1.0);
            prop_assert_eq!(of("day_of_year", day), 1.0);
        }
        prop_assert_eq!((of("day_of_week", day) + 1.0) % 7.0, of("day_of_week", day + 1));
    }
}
