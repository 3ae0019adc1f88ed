//! Durations and sizes as the configuration writes them.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration as Prometheus writes it: `15d`, `1h30m`, `500ms`, `0`.
///
/// Source: Prometheus' documentation, "Configuration", `<duration>`: units y, w, d, h, m, s, ms, each at most once and
/// in this order; a day is always 24 hours, a year 365 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a duration: write 500ms, 15s, 1h30m or 15d");
        if text == "0" {
            return Ok(Span(Duration::ZERO));
        }
        let (mut rest, mut total_ms, mut units) = (text, 0_u64, DURATION_UNITS.iter());
        while !rest.is_empty() {
            let (number, unit, after) = number_and_unit(rest).ok_or_else(wrong)?;
            let (_, unit_ms) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            let part_ms = number.checked_mul(*unit_ms).ok_or_else(wrong)?;
            total_ms = total_ms.checked_add(part_ms).ok_or_else(wrong)?;
            rest = after;
        }
        if text.is_empty() { Err(wrong()) } else { Ok(Span(Duration::from_millis(total_ms))) }
    }
}

/// Splits `30m…` into 30, `m` and what follows.
fn number_and_unit(text: &str) -> Option<(u64, &str, &str)> {
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (unit, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    Some((digits.parse().ok()?, unit, after))
}

/// A number of bytes: `512MB`, `1GiB`, `65536`.
///
/// As in Prometheus, B, KB, MB, GB, TB, PB and KiB, MiB, GiB, TiB, PiB all count in steps of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

const SIZE_UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];

impl std::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a size: write 65536, 512MB or 1GiB");
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        if unit.is_empty() {
            return Ok(Bytes(number));
        }
        let prefix = unit.strip_suffix("iB").or_else(|| unit.strip_suffix('B')).ok_or_else(wrong)?;
        let power = SIZE_UNITS.iter().position(|unit| *unit == prefix).ok_or_else(wrong)?;
        number.checked_mul(1 << (10 * power)).map(Bytes).ok_or_else(wrong)
    }
}

/// Reads a scalar through its text; a bare number counts as its digits.
struct FromText<T>(std::marker::PhantomData<T>);

impl<T: std::str::FromStr<Err = String>> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number with a unit")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(std::marker::PhantomData))
    }
}
