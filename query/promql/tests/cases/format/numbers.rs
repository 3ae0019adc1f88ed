//! Numbers and durations as a file of cases writes them.

/// Two numbers count as the same if they differ by no more than this part of the larger one.
const TOLERANCE: f64 = 1e-9;

/// Reads a number: `NaN`, `Inf`, or decimal.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("'{text}' is not a number"))
}

/// Writes a number in the shortest form that reads back as the same.
pub(crate) fn number_text(value: f64) -> String {
    let size = value.abs();
    if value.is_infinite() {
        return if value > 0.0 { "Inf".into() } else { "-Inf".into() };
    }
    if size != 0.0 && !(1e-4..1e16).contains(&size) && !value.is_nan() {
        return format!("{value:e}");
    }
    format!("{value}")
}

/// Whether a number is the one that was expected. NaN is NaN whatever its bits; the sign of zero counts.
pub(crate) fn is_same(expected: f64, actual: f64) -> bool {
    if expected.is_nan() || actual.is_nan() {
        return expected.is_nan() && actual.is_nan();
    }
    if expected == actual {
        return expected != 0.0 || expected.is_sign_negative() == actual.is_sign_negative();
    }
    expected.is_finite()
        && actual.is_finite()
        && (expected - actual).abs() <= TOLERANCE * expected.abs().max(actual.abs())
}

const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration such as `0`, `90s`, `1m30s` or `-5m`, in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("'{text}' is not a duration such as 0, 90s, 1m30s or -5m");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    let mut total_ms = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (_, unit_ms) = UNITS.iter().find(|(unit, _)| *unit == &after[..letters]).ok_or_else(wrong)?;
        total_ms = count.checked_mul(*unit_ms).and_then(|ms| ms.checked_add(total_ms)).ok_or_else(wrong)?;
        rest = &after[letters..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sign * total_ms) }
}

/// Writes a duration as [`duration_ms`] reads it.
pub(crate) fn duration_text(duration_ms: i64) -> String {
    if duration_ms == 0 {
        return "0".into();
    }
    let mut text = String::from(if duration_ms < 0 { "-" } else { "" });
    let mut rest = duration_ms.abs();
    for (unit, unit_ms) in UNITS {
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    text
}
