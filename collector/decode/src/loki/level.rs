//! The level of a row, derived as Loki does: `detected_level`.
//!
//! Source: `discover_log_levels` and `log_level_fields` in Loki's configuration, and Loki 3 observed

mod line;

pub(super) use self::line::level_of;

/// The attribute that says the level.
pub(super) const DETECTED_LEVEL: &str = "detected_level";

/// Labels and fields that say a level; of several the first counts.
const FIELDS: [&str; 14] = [
    "level",
    "LEVEL",
    "Level",
    "log.level",
    "severity",
    "SEVERITY",
    "Severity",
    "SeverityText",
    "lvl",
    "LVL",
    "Lvl",
    "severity_text",
    "Severity_Text",
    "SEVERITY_TEXT",
];

/// The rank of a field that says a level, from 0; `None` for any other.
#[inline]
pub(super) fn rank(name: &str) -> Option<usize> {
    match name.as_bytes() {
        [b'l' | b'L' | b's' | b'S', ..] => FIELDS.iter().position(|field| *field == name),
        _ => None,
    }
}

/// A level that Loki knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
    Fatal,
    Unknown,
}

impl Level {
    /// Its word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Critical => "critical",
            Level::Fatal => "fatal",
            Level::Unknown => "unknown",
        }
    }

    /// The level that a field's value says, in whatever case.
    pub(super) fn of_value(value: &str) -> Option<Self> {
        const VALUES: [(&str, Level); 14] = [
            ("info", Level::Info),
            ("error", Level::Error),
            ("warn", Level::Warn),
            ("debug", Level::Debug),
            ("warning", Level::Warn),
            ("trace", Level::Trace),
            ("fatal", Level::Fatal),
            ("critical", Level::Critical),
            ("information", Level::Info),
            ("inf", Level::Info),
            ("err", Level::Error),
            ("wrn", Level::Warn),
            ("dbg", Level::Debug),
            ("trc", Level::Trace),
        ];
        VALUES.iter().find(|(known, _)| known.eq_ignore_ascii_case(value)).map(|(_, level)| *level)
    }

    /// The level of a number of OpenTelemetry, as text.
    pub(super) fn of_number(number: &str) -> Self {
        match number.parse::<i64>() {
            Err(_) => Level::Info,
            Ok(0 | 25..) => Level::Unknown,
            Ok(..=4) => Level::Trace,
            Ok(5..=8) => Level::Debug,
            Ok(9..=12) => Level::Info,
            Ok(13..=16) => Level::Warn,
            Ok(17..=20) => Level::Error,
            Ok(21..=24) => Level::Fatal,
        }
    }
}

/// A value of a level that is none of Loki's stays as it is, unless it is longer than this: it goes into every row.
const MAX_VALUE_BYTES: usize = 32;

/// What a label or structured metadata says, in one of Loki's words if there is one for it.
pub(super) fn normalized(value: &str) -> &str {
    match Level::of_value(value) {
        Some(level) => level.as_str(),
        None if value.is_empty() || value.len() > MAX_VALUE_BYTES => Level::Unknown.as_str(),
        None => value,
    }
}

#[cfg(test)]
mod tests;
