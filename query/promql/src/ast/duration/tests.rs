use super::*;
use crate::ast::Expr;
use crate::parse;

fn range(text: &str) -> DurationExpr {
    match parse(&format!("a[{text}]")) {
        Ok(Expr::Matrix(matrix)) => matrix.range,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn durations_are_calculated_in_seconds() {
    for (text, ms) in [
        ("5m", 300_000),
        ("1s1ms", 1001),
        ("0.0015", 1),
        ("1.9999999999", 2000),
        ("292y", 9_208_512_000_000),
        ("5m + 1.5", 301_500),
        ("2 * step()", 30_000),
        ("range() / step()", 240_000),
        ("-range() + 2h", 3_600_000),
        ("min_of(step(), range()) + max_of(1m, 2m)", 135_000),
        ("7 % 4 ^ 0.5", 1000),
        ("-(-(1m))", 60_000),
        ("2 ^ -1", 500),
        ("1 / 3", 333),
    ] {
        assert_eq!(range(text).resolve(15_000, 3_600_000), Ok(ms), "{text}");
        assert_eq!(range(text).resolve_positive(15_000, 3_600_000), Ok(ms), "{text}");
    }
    // 240 steps of a query are 240 as a number, and so 4 minutes.
    assert_eq!(range("range() / step()").resolve(60_000, 600_000), Ok(10_000));
}

#[test]
fn some_cannot_be_calculated() {
    for (text, message, part) in [
        ("1m / step()", "division by zero", "1m / step()"),
        ("5 + 1m % (0)", "modulo by zero", "1m % (0)"),
        ("(0 - 1) ^ 0.5", "duration is NaN or infinite", "(0 - 1) ^ 0.5"),
        ("min_of(5, (0 - 1) ^ 0.5)", "duration is NaN or infinite", "min_of(5, (0 - 1) ^ 0.5)"),
        ("9 ^ 999", "duration is NaN or infinite", "9 ^ 999"),
        ("9 ^ 99", "duration is out of range", "9 ^ 99"),
    ] {
        let error = range(text).resolve(0, 0).unwrap_err();
        let whole = format!("a[{text}]");
        let found = &whole[error.span.start as usize..error.span.end as usize];
        assert_eq!((error.message, found), (message, part), "{text}");
    }
    for text in ["step()", "1m - 60", "-step() - 1", "max_of(step(), range())"] {
        assert!(range(text).resolve(0, 0).is_ok(), "{text}");
        let error = range(text).resolve_positive(0, 0).unwrap_err();
        assert_eq!(error.to_string(), "duration must be greater than 0", "{text}");
    }
    // No whole millisecond, but above zero.
    assert_eq!(range("0.0001").resolve_positive(0, 0), Ok(0));
}
