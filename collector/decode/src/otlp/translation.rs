//! How the words of OpenTelemetry become those of Prometheus: the settings, and names of metrics, labels and units.
//!
//! Source: "Prometheus and OpenMetrics Compatibility" of the OpenTelemetry specification; where that leaves a choice, what
//! Prometheus' own receiver does, observed at 3.14.

use std::collections::BTreeSet;
use std::fmt::Write;

/// What becomes of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Letters that PromQL has not always taken become `_`; unit and type are appended.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// Names keep all letters; unit and type are appended.
    NoUtf8EscapingWithSuffixes,
    /// Letters that PromQL has not always taken become `_`; nothing is appended.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

impl Strategy {
    fn escapes(self) -> bool {
        matches!(self, Strategy::UnderscoreEscapingWithSuffixes | Strategy::UnderscoreEscapingWithoutSuffixes)
    }

    fn appends(self) -> bool {
        matches!(self, Strategy::UnderscoreEscapingWithSuffixes | Strategy::NoUtf8EscapingWithSuffixes)
    }
}

/// Which attributes of a resource become labels of each of its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promotion {
    /// These.
    Only(BTreeSet<String>),
    /// All but these.
    AllBut(BTreeSet<String>),
}

impl Promotion {
    /// Whether the attribute becomes a label.
    pub(super) fn takes(&self, key: &str) -> bool {
        match self {
            Promotion::Only(keys) => keys.contains(key),
            Promotion::AllBut(keys) => !keys.contains(key),
        }
    }
}

/// How metrics are translated: Prometheus' section `otlp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// What becomes of names.
    pub strategy: Strategy,
    /// Which attributes of a resource become labels of each of its series.
    pub promotion: Promotion,
    /// Whether `target_info` has `service.name` and its like, which are also in `job` and `instance`.
    pub keep_identifying: bool,
    /// Whether name, version and attributes of the scope become labels.
    pub promote_scope: bool,
    /// Whether histograms with bounds become native ones.
    pub classic_to_native: bool,
    /// Whether a label that would begin with one `_` begins with `key_`.
    pub key_before_underscore: bool,
    /// Whether each letter that is not taken becomes a `_` of its own in a label, instead of one for all in a row.
    pub keep_underscores: bool,
}

impl Default for Translation {
    fn default() -> Self {
        Translation {
            strategy: Strategy::default(),
            promotion: Promotion::Only(BTreeSet::new()),
            keep_identifying: false,
            promote_scope: false,
            classic_to_native: false,
            key_before_underscore: true,
            keep_underscores: true,
        }
    }
}

/// What a metric's name depends on beside the name and the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Gauge,
    Counter,
    Other,
}

impl Translation {
    /// The name of a metric.
    ///
    /// # Errors
    /// What is wrong, if nothing would be left of it.
    pub(super) fn metric(&self, name: &str, unit: &str, shape: Shape) -> Result<String, String> {
        if name.is_empty() {
            return Err("a metric has no name".to_owned());
        }
        let translated = match (self.strategy.escapes(), self.strategy.appends()) {
            (true, true) => from_tokens(name, unit, shape),
            (true, false) => escaped(name),
            (false, true) => appended(name, unit, shape),
            (false, false) => name.to_owned(),
        };
        if translated.is_empty() || (translated != name && translated.bytes().all(|byte| byte == b'_')) {
            return Err(format!("the name of metric {name:?} has no letter that is kept, it would be {translated:?}"));
        }
        Ok(translated)
    }

    /// Writes the name of the label of an attribute.
    ///
    /// # Errors
    /// What is wrong, if nothing would be left of it.
    pub(super) fn label(&self, key: &str, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        if self.strategy.escapes() {
            self.escape_label(key, out);
        } else {
            out.extend_from_slice(key.as_bytes());
        }
        if out[start..].iter().all(|byte| *byte == b'_') {
            out.truncate(start);
            return Err(format!("the attribute key {key:?} has no letter that can be kept in the name of a label"));
        }
        Ok(())
    }

    fn escape_label(&self, key: &str, out: &mut Vec<u8>) {
        let reserved = key.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
        let start = out.len();
        if self.keep_underscores {
            out.extend(key.chars().map(|c| if c.is_ascii_alphanumeric() { c as u8 } else { b'_' }));
        } else {
            out.extend_from_slice(if reserved.is_some() { b"__" } else { b"" });
            let inside = out.len();
            for c in reserved.unwrap_or(key).chars() {
                if c.is_ascii_alphanumeric() {
                    out.push(c as u8);
                } else if out.len() == inside || out.last() != Some(&b'_') {
                    out.push(b'_');
                }
            }
            out.extend_from_slice(if reserved.is_some() { b"__" } else { b"" });
        }
        let prefix: &[u8] = match &out[start..] {
            [b'0'..=b'9', ..] => b"key_",
            [b'_', b'_', ..] => b"",
            [b'_', ..] if self.key_before_underscore => b"key",
            _ => b"",
        };
        out.splice(start..start, prefix.iter().copied());
    }
}

/// The unit of a metric in Prometheus' words: `By/s` is `bytes_per_second`.
pub(super) fn unit_word(unit: &str) -> String {
    let (main, per) = unit_suffixes(unit);
    let mut word = cleaned(main);
    if let Some(per) = per {
        if !word.is_empty() {
            word.push('_');
        }
        word.push_str(&cleaned(&format!("per_{per}")));
    }
    word.trim_matches('_').to_owned()
}

fn is_kept(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

fn from_tokens(name: &str, unit: &str, shape: Shape) -> String {
    let mut tokens: Vec<&str> = name.split(|c| !is_kept(c)).filter(|token| !token.is_empty()).collect();
    let (main, per) = unit_suffixes(unit);
    let (main, per) = (cleaned(main), per.map(|per| cleaned(&format!("per_{per}"))).unwrap_or_default());
    let (main, per) = (main.as_str(), per.trim_end_matches('_'));
    let main = if tokens.contains(&main) { "" } else { main };
    let per = if tokens.contains(&per) || per == "per" { "" } else { per };
    let main = if per.is_empty() { main } else { main.trim_end_matches('_') };
    tokens.extend([main, per].into_iter().filter(|suffix| !suffix.is_empty()));
    let last = match shape {
        Shape::Counter => Some("total"),
        Shape::Gauge if unit == "1" => Some("ratio"),
        _ => None,
    };
    if let Some(last) = last {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    with_letter_first(tokens.join("_"))
}

/// Runs of letters that are not kept become one `_`; those at the ends go.
fn escaped(name: &str) -> String {
    let parts = name.split(|c| !is_kept(c) && c != '_').filter(|part| !part.is_empty());
    with_letter_first(parts.collect::<Vec<_>>().join("_"))
}

fn with_letter_first(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn appended(name: &str, unit: &str, shape: Shape) -> String {
    let is_ratio = unit == "1" && shape == Shape::Gauge;
    let (main, per) = unit_suffixes(unit);
    let mut name = name;
    if is_ratio {
        name = without(name, "ratio");
    }
    if shape == Shape::Counter {
        name = without(name, "total");
    }
    let per = per.map(|per| format!("per_{per}"));
    if let Some(per) = &per {
        name = without(name, per);
    }
    let mut whole = name.to_owned();
    let mut push = |suffix: &str| {
        // Writing to a string cannot fail.
        let _ = write!(whole, "_{suffix}");
    };
    if !main.is_empty() && !name.ends_with(main) {
        push(main);
    }
    if let Some(per) = &per {
        push(per);
    }
    if shape == Shape::Counter {
        push("total");
    }
    if is_ratio {
        push("ratio");
    }
    whole
}

/// The name without a suffix it has already, and what parts the two.
fn without<'a>(name: &'a str, suffix: &str) -> &'a str {
    let cut = name.strip_suffix(suffix).filter(|rest| rest.len() > 1);
    let Some(rest) = cut else { return name };
    // One letter, whichever it is, stands between.
    let mut letters = rest.chars();
    letters.next_back();
    letters.as_str()
}

/// What stands for a unit before the `/`, and what after it, if there is such. A unit in braces says nothing.
fn unit_suffixes(unit: &str) -> (&str, Option<&str>) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let says = |text: &str| !text.is_empty() && !text.contains(['{', '}']);
    let (main, per) = (main.trim(), per.trim());
    let main = if says(main) { main_word(main) } else { "" };
    (main, says(per).then(|| per_word(per)))
}

fn main_word(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "1" => "",
        "%" => "percent",
        other => other,
    }
}

fn per_word(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}

/// Letters that are not kept become `_`, one for all in a row, none at the start.
fn cleaned(unit: &str) -> String {
    let mut out = String::with_capacity(unit.len());
    for c in unit.chars() {
        if is_kept(c) {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}
