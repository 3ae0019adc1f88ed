use super::*;

#[test]
fn texts_are_escaped_like_go_has_it() {
    for (text, quoted) in [
        ("", r#""""#),
        ("a\"b'c`d", r#""a\"b'c`d""#),
        ("\x07\x08\x0c\n\r\t\x0b\\", r#""\a\b\f\n\r\t\v\\""#),
        ("\0\x1f\x7f", r#""\x00\x1f\x7f""#),
        ("é漢😀", r#""é漢😀""#),
        ("e\u{301}\u{301}", "\"e\u{301}\u{301}\""),
        ("\u{80}\u{a0}\u{200b}\u{feff}", r#""\u0080\u00a0\u200b\ufeff""#),
        ("\u{e0001}", r#""\U000e0001""#),
    ] {
        assert_eq!(Quoted(text).to_string(), quoted, "{text:?}");
    }
    assert_eq!(QuotedChar('\'').to_string(), r"'\''");
    assert_eq!(QuotedChar('"').to_string(), "'\"'");
}

#[test]
fn numbers_have_no_exponent() {
    for (number, text) in [
        (0.1, "0.1"),
        (-0.0, "-0"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(Plain(number).to_string(), text);
    }
}

#[test]
fn some_numbers_have_one() {
    for (number, text) in [
        (0.0, "0"),
        (-0.5, "-0.5"),
        (123456.5, "123456.5"),
        (1e6, "1e+06"),
        (-1234567.5, "-1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e300, "1e+300"),
        (f64::INFINITY, "+Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(General(number).to_string(), text);
    }
}

#[test]
fn durations_are_whole_milliseconds_or_numbers() {
    for (seconds, text) in [
        (0.0, "0s"),
        (0.001, "1ms"),
        (1.001, "1s1ms"),
        (-5400.0, "-1h30m"),
        (9e9, "104166d16h"),
        (0.0001, "0.0001"),
        (-1.0005, "-1.0005"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(Seconds(seconds).to_string(), text);
    }
}
