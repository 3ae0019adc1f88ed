//! Times of documents: dates of RFC 3339 and shorter ones, or milliseconds since the Unix epoch.
//!
//! Source: the date formats `strict_date_optional_time` and `epoch_millis` of Elasticsearch

use model::time::{DAY_MS, Date, MS_NANOS};

/// Why a text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is of no form that is known.
    Form,
    /// No number of 64 bits has that many nanoseconds.
    Range,
}

impl Fault {
    /// What is expected instead.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Fault::Form => "expected a date of RFC 3339 or milliseconds since 1970",
            Fault::Range => "expected a time within the years 1678 to 2261",
        }
    }
}

/// Nanoseconds since the Unix epoch.
pub(super) fn parse(text: &str) -> Result<i64, Fault> {
    let bytes = text.as_bytes();
    match bytes {
        [_, _, _, _, b'-', ..] => date(bytes),
        [b'-', digits @ ..] => millis(digits).map(|nanos| -nanos),
        digits => millis(digits),
    }
}

/// Milliseconds, with digits behind the point if there are any.
fn millis(bytes: &[u8]) -> Result<i64, Fault> {
    let (whole, rest) = digits(bytes, usize::MAX).ok_or(Fault::Form)?;
    let fraction = match rest {
        [] => 0,
        [b'.', rest @ ..] => match fraction(rest, 6) {
            Some((fraction, [])) => fraction,
            _ => return Err(Fault::Form),
        },
        _ => return Err(Fault::Form),
    };
    let nanos = whole.and_then(|millis| millis.checked_mul(MS_NANOS));
    nanos.and_then(|nanos| nanos.checked_add(fraction)).ok_or(Fault::Range)
}

/// A date, with a time of day and an offset if there are any; without offset it is UTC.
fn date(bytes: &[u8]) -> Result<i64, Fault> {
    let (year, month, day, rest) = calendar_day(bytes).ok_or(Fault::Form)?;
    let date = Date::from_civil(year as i32, month as u32, day as u32).ok_or(Fault::Form)?;
    let (of_day, nanos, rest) = match rest {
        [] => (0, 0, rest),
        [b'T' | b't' | b' ', rest @ ..] => time_of_day(rest).ok_or(Fault::Form)?,
        _ => return Err(Fault::Form),
    };
    let offset = offset_minutes(rest).ok_or(Fault::Form)?;
    let seconds = i64::from(date.0) * (DAY_MS / 1000) + of_day - offset * 60;
    seconds.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanos)).ok_or(Fault::Range)
}

fn calendar_day(bytes: &[u8]) -> Option<(i64, i64, i64, &[u8])> {
    let (year, rest) = exactly(bytes, 4)?;
    let (month, rest) = exactly(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = exactly(rest.strip_prefix(b"-")?, 2)?;
    Some((year, month, day, rest))
}

/// Seconds and nanoseconds of `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`.
fn time_of_day(bytes: &[u8]) -> Option<(i64, i64, &[u8])> {
    let (hour, rest) = exactly(bytes, 2)?;
    let (minute, rest) = exactly(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = match rest {
        [b':', rest @ ..] => exactly(rest, 2)?,
        _ => (0, rest),
    };
    let (nanos, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest, 9)?,
        _ => (0, rest),
    };
    // A leap second is the first of the next minute.
    let is_time = hour <= 23 && minute <= 59 && second <= 60;
    is_time.then_some((hour * 3600 + minute * 60 + second, nanos, rest))
}

/// Minutes ahead of UTC, of all that is left.
fn offset_minutes(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = match bytes {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = exactly(rest, 2)?;
    let (minutes, rest) = match rest {
        [] => (0, rest),
        [b':', rest @ ..] => exactly(rest, 2)?,
        rest => exactly(rest, 2)?,
    };
    (rest.is_empty() && hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// The number of exactly so many digits.
fn exactly(bytes: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = digits(bytes, count)?;
    (bytes.len() - rest.len() == count).then_some((number?, rest))
}

/// The number of the digits at the start, at most so many of them; `None` if there is no digit, and a number of `None` if it is
/// too large.
fn digits(bytes: &[u8], most: usize) -> Option<(Option<i64>, &[u8])> {
    let count = bytes.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(count);
    let number =
        digits.iter().try_fold(0i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
    (count > 0).then_some((number, rest))
}

/// Digits behind a point as a number of `places` digits: those beyond are cut off.
fn fraction(bytes: &[u8], places: usize) -> Option<(i64, &[u8])> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (kept, rest) = (&bytes[..count.min(places)], &bytes[count..]);
    let number = kept.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    (count > 0).then_some((number * 10i64.pow((places - kept.len()) as u32), rest))
}

#[cfg(test)]
mod tests;
