//! The settings of queries.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The settings of queries. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a query may run, its answer included: `30s`.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// How long a query waits for a free place before it is refused: `2s`.
    #[serde(deserialize_with = "duration")]
    pub queue_timeout: Duration,
    /// Bytes of memory that all queries together may take for sorting, grouping and joining; default 1 GiB.
    pub memory_bytes: u64,
    /// Bytes of memory that one query may take of these; default 512 MiB.
    pub query_memory_bytes: u64,
    /// Rows that one answer may have; a query with more fails and says so; default 1,000,000.
    pub max_rows: u64,
    /// Queries that run at the same time; default 20.
    pub max_concurrent: usize,
    /// Bytes of the text of a query; default 64 KiB.
    pub max_text_bytes: usize,
    /// Threads that one query may use; 0, the default, means one per core, at most 8.
    pub threads_per_query: usize,
    /// A cluster whose last sample is older than this is shown as `silent`: `5m`.
    #[serde(deserialize_with = "duration")]
    pub silent_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            timeout: Duration::from_secs(30),
            queue_timeout: Duration::from_secs(2),
            memory_bytes: 1 << 30,
            query_memory_bytes: 512 << 20,
            max_rows: 1_000_000,
            max_concurrent: 20,
            max_text_bytes: 64 << 10,
            threads_per_query: 0,
            silent_after: Duration::from_secs(5 * 60),
        }
    }
}

impl Config {
    /// [`Config::threads_per_query`] with 0 resolved.
    pub(crate) fn threads(&self) -> usize {
        match self.threads_per_query {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(8),
            threads => threads,
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a duration, write it as 30s, 5m or 1h30m")))
}

/// Durations as Prometheus writes them: `1h30m`, units from `y` down to `ms`, each at most once, in this order.
///
/// Source: `ParseDuration` in the documentation of Prometheus' configuration, `<duration>`.
fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let (mut rest, mut total_ms, mut next) = (text, 0u64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = UNITS.iter().position(|(name, _)| *name == &after[..end]).filter(|unit| *unit >= next)?;
        total_ms = total_ms.checked_add(number.checked_mul(UNITS[unit].1)?)?;
        next = unit + 1;
        rest = &after[end..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(total_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_writes_them() {
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("1m500ms"), Some(Duration::from_millis(60_500)));
        for wrong in ["", "30", "s", "5x", "1s1h", "1s1s", "99999999999999999999s", "-1s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        assert!(serde_json::from_str::<Config>(r#"{"timout": "3s"}"#).is_err());
        let config: Config = serde_json::from_str(r#"{"timeout": "3s"}"#).unwrap();
        assert_eq!(config, Config { timeout: Duration::from_secs(3), ..Config::default() });
    }
}
