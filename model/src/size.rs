//! Sizes in bytes as Prometheus writes them: `256MB`, `1GB`. For configuration fields: `#[serde(with = "size")]`.
//!
//! Source of the grammar: `units.ParseBase2Bytes`, which Prometheus reads `body_size_limit` with: whole numbers, units of
//! 1024, `KB` and `KiB` alike.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serializer};

use crate::Error;

const UNITS: [(&str, u64); 5] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];

/// Reads a size in bytes.
///
/// # Errors
/// `Invalid` if the text is not a number with a unit, or 2^63 bytes and more.
pub fn parse(text: &str) -> Result<u64, Error> {
    let wrong = || Error::invalid(format!("{text:?} is not a size, write it like 512KB, 256MB or 1GB"));
    if text == "0" {
        return Ok(0);
    }
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let is_unit = |name: &str| name == unit || (name.len() == 2 && unit == format!("{}iB", &name[..1]));
    let (_, factor) = UNITS.iter().find(|(name, _)| is_unit(name)).ok_or_else(wrong)?;
    number.checked_mul(*factor).filter(|bytes| *bytes <= i64::MAX as u64).ok_or_else(wrong)
}

/// Writes a size so that [`parse`] reads the same number of bytes back.
pub fn format(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| "0B".to_owned(), |(name, factor)| format!("{}{name}", bytes / factor))
}

/// For `#[serde(with = "size")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*bytes))
}

/// For `#[serde(with = "size")]`.
///
/// # Errors
/// Those of the deserializer, and the text of [`parse`]'s.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

/// For `#[serde(deserialize_with = "size::deserialize_or_bytes")]`: a bare number is so many bytes.
///
/// # Errors
/// As [`deserialize`].
pub fn deserialize_or_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse_or_bytes(&text).map_err(serde::de::Error::custom)
}

/// As [`parse`]; a bare number is so many bytes.
///
/// # Errors
/// As [`parse`].
pub fn parse_or_bytes(text: &str) -> Result<u64, Error> {
    text.parse().map_or_else(|_| parse(text), Ok)
}

#[cfg(test)]
mod tests;
