//! Numbers as text, the ways Prometheus writes them.

use std::fmt::Write;

/// Appends a number as [`answer_text`] has it.
pub fn push_answer_text(into: &mut String, number: f64) {
    let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
    if is_whole && (number != 0.0 || number.is_sign_positive()) {
        // Counts for the most part, which have but one text.
        push_whole(into, number as i64);
    } else if (1e-6..1e21).contains(&number.abs()) && !may_tie(number) {
        // As without an exponent. A String takes all that is written.
        let _ = write!(into, "{number}");
    } else {
        into.push_str(&answer_text(number));
    }
}

/// Appends a whole number: an answer may hold millions of them.
pub fn push_whole(into: &mut String, number: i64) {
    into.push_str(itoa::Buffer::new().format(number));
}

/// As answers hold values: an exponent for what is closer to zero than `1e-6` and from `1e21` on.
pub fn answer_text(number: f64) -> String {
    let size = number.abs();
    let has_exponent = size != 0.0 && !(1e-6..1e21).contains(&size);
    special(number).unwrap_or_else(|| if has_exponent { with_exponent(number) } else { without_exponent(number) })
}

/// Without an exponent, however long it becomes: the label values of `count_values`.
pub(crate) fn plain_text(number: f64) -> String {
    special(number).unwrap_or_else(|| without_exponent(number))
}

/// With an exponent where it is below -4 or above 5: notes, errors and labels of quantiles.
pub(crate) fn short_text(number: f64) -> String {
    let (_, exponent) = parts(number);
    let has_exponent = !(-4..6).contains(&exponent);
    special(number).unwrap_or_else(|| if has_exponent { with_exponent(number) } else { without_exponent(number) })
}

/// Rounded to two digits, with an exponent where it is below -4 or above 1: by how much buckets were raised.
pub(crate) fn two_digit_text(number: f64) -> String {
    special(number).unwrap_or_else(|| {
        let text = format!("{number:.1e}").replacen(".0e", "e", 1);
        let (digits, exponent) = split(&text);
        if (-4..2).contains(&exponent) {
            without_exponent(text.parse().unwrap_or(number))
        } else {
            exponential(digits, exponent)
        }
    })
}

/// With six digits behind the point: errors of factors and of times.
pub(crate) fn fixed_text(number: f64) -> String {
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

/// The least digits that read back as the same number, as in `1.25e-7`: those before the letter, and what follows it.
fn parts(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (digits, exponent) = split(&text);
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    if count >= TIE_DIGITS && may_tie(number) {
        let even = format!("{number:.*e}", count - 1);
        if even.parse() == Ok(number) {
            let (digits, exponent) = split(&even);
            return (digits.to_owned(), exponent);
        }
    }
    (digits.to_owned(), exponent)
}

/// The digits before the letter of a text like `1.25e-7`, and the exponent behind it.
fn split(text: &str) -> (&str, i32) {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (digits, exponent.parse().unwrap_or(0))
}

/// From so many digits on, two texts can be as short and as near to the number. Go takes the even one, the standard library
/// of Rust the greater one.
const TIE_DIGITS: usize = 15;
/// A number that is odd / 2^k has all the digits of odd * 5^k. A tie is one digit longer than the longest text, 17 digits; with
/// a greater k than this there are more.
const MAX_TIE_BITS: i32 = 25;

/// Whether two texts may be as near to a number, which is finite.
fn may_tie(number: f64) -> bool {
    let (bits, implicit) = (number.to_bits(), 1_u64 << 52);
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let mantissa = bits & (implicit - 1) | if exponent == 0 { 0 } else { implicit };
    // Behind the point in binary.
    1075 - exponent.max(1) - mantissa.trailing_zeros() as i32 <= MAX_TIE_BITS
}

fn with_exponent(number: f64) -> String {
    let (digits, exponent) = parts(number);
    exponential(&digits, exponent)
}

/// Digits with an exponent that has a sign and two digits at least.
fn exponential(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn without_exponent(number: f64) -> String {
    let text = format!("{number}");
    if text.len() < TIE_DIGITS || !may_tie(number) {
        return text;
    }
    let (digits, exponent) = parts(number);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let Ok(before_point) = usize::try_from(exponent + 1) else {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    };
    match digits.len() {
        count if count <= before_point => format!("{sign}{digits}{}", "0".repeat(before_point - count)),
        _ if before_point == 0 => format!("{sign}0.{digits}"),
        _ => format!("{sign}{}.{}", &digits[..before_point], &digits[before_point..]),
    }
}

#[cfg(test)]
mod tests;
