//! How Prometheus writes the numbers that are labels: `le` and `quantile`.

/// A number as the value of a label, as Prometheus 3 has it whatever the form of a page: always with a point or an
/// exponent, in as few digits as read back to the same number.
///
/// Source: the specification of OpenMetrics 1.0, "Canonical Numbers"; from 10^6 on, and below 10^-4, with an exponent of
/// at least two digits.
pub(super) fn label_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // The fewest digits, with their exponent.
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests;
