//! Sample values and timestamps as text, in place.

use model::time::{MAX_TIME_MS, MIN_TIME_MS, in_range};

use super::series::shown;
use super::spans::word;
use crate::error::{Fault, quoted};

/// The NaN that Prometheus stores for every NaN that it reads from text.
///
/// Source: `NormalNaN` in Prometheus' `model/value/value.go`.
const NORMAL_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// Reads the value that starts at `at` and returns it with its end.
///
/// Accepted is what Go's `strconv.ParseFloat` takes without `_`, `p` and `P`, which Prometheus refuses: decimal numbers,
/// `inf` and `infinity` in any case with or without sign, `nan` in any case without one. A number beyond the range of a
/// double is an error, not an infinity.
#[inline]
pub(crate) fn value(text: &[u8], at: usize) -> Result<(f64, usize), Box<Fault>> {
    match short_decimal(text, at) {
        Some(read) => Ok(read),
        None => any_number(text, at, "value"),
    }
}

/// Reads a timestamp in seconds that starts at `start` and returns it in milliseconds with its end.
///
/// As Prometheus does, it multiplies the double that is nearest to what is written, and cuts the rest off towards zero:
/// `1.001` is 1,000 ms, since that double times 1,000 is below 1,001.
#[inline]
pub(crate) fn time_s(text: &[u8], start: usize) -> Result<(i64, usize), Box<Fault>> {
    let (seconds, end) = match short_decimal(text, start) {
        Some(read) => read,
        None => any_number(text, start, "timestamp in seconds")?,
    };
    let time_ms = seconds_to_ms(seconds);
    if seconds.is_nan() || !in_range(time_ms) {
        let given = quoted(&text[start..end]);
        let (min, max) = (MIN_TIME_MS as f64 / 1000.0, MAX_TIME_MS as f64 / 1000.0);
        let what = format!("the timestamp {given} is outside {min} to {max} (years 1 to 9999, in seconds)");
        return Err(Fault::invalid(start, what));
    }
    Ok((time_ms, end))
}

/// Seconds as Prometheus turns them into milliseconds; infinities become the ends of the range of integers.
pub(crate) fn seconds_to_ms(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

/// Reads a timestamp in milliseconds that starts at `at` and returns it with its end.
pub(crate) fn time_ms(text: &[u8], start: usize) -> Result<(i64, usize), Box<Fault>> {
    let negative = text.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let (magnitude, at) = digits(text, first, 0);
    if at == first {
        let what = format!("expected a timestamp in milliseconds or the end of the line, got {}", shown(text.get(at)));
        return Err(Fault::invalid(at, what));
    }
    // 18 digits fit; more are leading zeros, or out of range whatever they are.
    let magnitude = if at - first <= 18 { magnitude as i64 } else { many_digits(&text[first..at]) };
    let time_ms = if negative { -magnitude } else { magnitude };
    if !in_range(time_ms) {
        let given = quoted(&text[start..at]);
        let what = format!("the timestamp {given} is outside {MIN_TIME_MS} to {MAX_TIME_MS} (years 1 to 9999, in ms)");
        return Err(Fault::invalid(start, what));
    }
    Ok((time_ms, at))
}

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Reads a decimal whose digits and power of ten are both exact doubles, so that one operation rounds it correctly.
///
/// Source: W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990, the fast path.
#[inline]
fn short_decimal(text: &[u8], start: usize) -> Option<(f64, usize)> {
    let mut at = start;
    let negative = text.get(at) == Some(&b'-');
    if negative || text.get(at) == Some(&b'+') {
        at += 1;
    }
    let (mut mantissa, end) = digits(text, at, 0);
    let (mut count, mut fraction) = (end - at, 0);
    at = end;
    if text.get(at) == Some(&b'.') {
        (mantissa, at) = digits(text, at + 1, mantissa);
        fraction = at - end - 1;
        count += fraction;
    }
    // 19 digits cannot have wrapped.
    if count == 0 || count > 19 || mantissa > 1 << 53 {
        return None;
    }
    let mut power = -(fraction as i32);
    if let Some(b'e' | b'E') = text.get(at) {
        let (exponent, end) = short_exponent(text, at + 1)?;
        power += exponent;
        at = end;
    }
    if !ends_token(text.get(at)) {
        return None;
    }
    let exact = *EXACT_POWERS.get(power.unsigned_abs() as usize)?;
    let magnitude = if power < 0 { mantissa as f64 / exact } else { mantissa as f64 * exact };
    Some((if negative { -magnitude } else { magnitude }, at))
}

/// Reads an exponent of at most three digits.
fn short_exponent(text: &[u8], mut at: usize) -> Option<(i32, usize)> {
    let negative = text.get(at) == Some(&b'-');
    if negative || text.get(at) == Some(&b'+') {
        at += 1;
    }
    let (first, mut exponent) = (at, 0i32);
    while let Some(digit) = digit(text, at).filter(|_| at - first < 3) {
        exponent = exponent * 10 + digit as i32;
        at += 1;
    }
    (at > first).then_some((if negative { -exponent } else { exponent }, at))
}

/// The rest: long numbers, infinities, NaN, and everything that is no number; `what` was looked for.
#[cold]
fn any_number(text: &[u8], at: usize, what: &str) -> Result<(f64, usize), Box<Fault>> {
    let rest = text.get(at..).unwrap_or_default();
    let token = rest.split(|b| matches!(b, b' ' | b'\t' | b'\n')).next().unwrap_or_default();
    let end = at + token.len();
    if token.is_empty() {
        return Err(Fault::invalid(at, format!("expected a {what}, got {}", shown(text.get(at)))));
    }
    if token.eq_ignore_ascii_case(b"nan") {
        return Ok((f64::from_bits(NORMAL_NAN_BITS), end));
    }
    let (negative, unsigned) = match token {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        unsigned => (false, unsigned),
    };
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Ok((if negative { f64::NEG_INFINITY } else { f64::INFINITY }, end));
    }
    let decimal = token.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = std::str::from_utf8(token).ok().filter(|_| decimal).and_then(|token| token.parse::<f64>().ok());
    match number {
        Some(number) if number.is_finite() => Ok((number, end)),
        Some(_) => {
            let what = format!("the {what} {} is beyond the range of a double", quoted(token));
            Err(Fault::invalid(at, what))
        }
        None if token.ends_with(b"\r") => {
            let what = "the line ends in a carriage return: lines must end in a line feed only";
            Err(Fault::invalid(end - 1, what))
        }
        None => Err(Fault::invalid(at, format!("expected a {what}, got {}", quoted(token)))),
    }
}

/// Reads digits from `at` on behind those that `number` holds already; wraps beyond 64 bits. Returns where they end.
#[inline]
fn digits(text: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    while let Some(eight) = word(text, at).and_then(eight_digits) {
        number = number.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    while let Some(digit) = digit(text, at) {
        number = number.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    (number, at)
}

/// The number of eight digits, if the word is nothing else: pairs, then fours, then all at once.
///
/// Source: D. Lemire, "Quickly parsing eight digits", 2018.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // 0x30 to 0x3f have the high half 3; adding 6 carries 0x3a to 0x3f out of it.
    if word & HIGH != ZEROS || word.wrapping_add(0x0606_0606_0606_0606) & HIGH != ZEROS {
        return None;
    }
    let ones = word - ZEROS;
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

/// The number of many digits, as far as it fits.
#[cold]
fn many_digits(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |number: i64, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')))
}

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

#[inline]
fn ends_token(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\t' | b'\n'))
}
