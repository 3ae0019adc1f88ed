//! Numbers as text, the ways Prometheus writes them.

/// As answers hold values: an exponent for what is closer to zero than `1e-6` and from `1e21` on.
pub fn answer_text(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        return special(number).unwrap_or_else(|| exponent_text(number));
    }
    plain_text(number)
}

/// Without an exponent, however long it becomes: the label values of `count_values`.
pub fn plain_text(number: f64) -> String {
    special(number).unwrap_or_else(|| format!("{number}"))
}

/// With an exponent where it is below -4 or above 5: notes, errors and labels
/// of quantiles.
pub fn short_text(number: f64) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    if number == 0.0 {
        return format!("{number}");
    }
    let scientific = format!("{number:e}");
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if (-4..6).contains(&exponent) { format!("{number}") } else { exponent_text(number) }
}

/// With six digits behind the point: errors of factors.
pub fn fixed_text(number: f64) -> String {
    special(number).unwrap_or_else(|| format!("{number:.6}"))
}

/// What is no finite number.
fn special(number: f64) -> Option<String> {
    let text = match number {
        _ if number.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => return None,
    };
    Some(text.to_owned())
}

/// With an exponent that has a sign and two digits at least.
fn exponent_text(number: f64) -> String {
    let text = format!("{number:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests;
