//! Durations as Prometheus writes them: `15s`, `1h30m`, `1d`. For configuration fields: `#[serde(with = "duration")]`.
//!
//! Source of the grammar: `ParseDuration` in Prometheus' `common/model/time.go`: whole numbers, each unit at most once,
//! the largest first; a bare `0`. A week is 7 days, a year 365.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

use crate::Error;

/// The units, the largest first, with their length in milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration.
///
/// # Errors
/// `Invalid` if the text is not of the grammar or longer than 2^63 milliseconds.
pub fn parse(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::invalid(format!("{text:?} is not a duration, write it like 15s, 1m or 1h30m"));
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(wrong());
    }
    let (mut rest, mut total_ms, mut next_unit) = (text, 0u64, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let at = UNITS[next_unit..].iter().position(|(name, _)| *name == unit).ok_or_else(wrong)? + next_unit;
        let part_ms = number.checked_mul(UNITS[at].1);
        total_ms =
            part_ms.and_then(|ms| total_ms.checked_add(ms)).filter(|ms| *ms <= i64::MAX as u64).ok_or_else(wrong)?;
        next_unit = at + 1;
        rest = after;
    }
    Ok(Duration::from_millis(total_ms))
}

/// Writes a duration so that [`parse`] reads the same milliseconds back: `1h30m`, `0s` for none.
pub fn format(duration: Duration) -> String {
    let mut rest_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, length_ms) in UNITS {
        let exact_only = matches!(name, "y" | "w");
        if rest_ms >= length_ms && (!exact_only || rest_ms.is_multiple_of(length_ms)) {
            text.push_str(&format!("{}{name}", rest_ms / length_ms));
            rest_ms %= length_ms;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For `#[serde(with = "duration")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For `#[serde(with = "duration")]`.
///
/// # Errors
/// Those of the deserializer, and the text of [`parse`]'s.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

/// For `#[serde(with = "duration::option")]`: a duration that may be left out.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the duration, or nothing.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&super::format(*duration)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a duration, or nothing.
    ///
    /// # Errors
    /// Those of the deserializer, and the text of [`super::parse`]'s.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests;
