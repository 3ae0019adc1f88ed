use super::*;

#[test]
fn numbers_are_short() {
    let cases = [
        (1.0, "1"),
        (100_000.0, "100000"),
        (1_000_000.0, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (f64::INFINITY, "+Inf"),
    ];
    for (number, text) in cases {
        assert_eq!(shortest(number), text);
    }
}

#[test]
fn differences_have_two_digits() {
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
        assert_eq!(two_digits(number), text);
    }
}

#[test]
fn times_are_to_the_second() {
    assert_eq!(date_time(1_795_720_030_999), "2026-11-26T19:07:10Z");
    assert_eq!(date_time(0), "1970-01-01T00:00:00Z");
}
