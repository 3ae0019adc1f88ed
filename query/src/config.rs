//! The settings of queries.

use std::time::Duration;

use serde::Deserialize;

/// The settings of queries. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a query may run, its answer included: `30s`.
    #[serde(deserialize_with = "model::duration::deserialize")]
    pub timeout: Duration,
    /// How long a query waits for a free place, in turn with those of other clients, before it is refused: `2s`.
    #[serde(deserialize_with = "model::duration::deserialize")]
    pub queue_timeout: Duration,
    /// Bytes of memory that all queries together may take for sorting, grouping and joining; default 1 GiB.
    #[serde(deserialize_with = "model::size::deserialize_or_bytes")]
    pub memory_bytes: u64,
    /// Bytes of memory that one query may take of these; default 512 MiB.
    #[serde(deserialize_with = "model::size::deserialize_or_bytes")]
    pub query_memory_bytes: u64,
    /// Rows that one answer may have; a query with more fails and says so; default 1,000,000.
    pub max_rows: u64,
    /// Samples that one PromQL query may read; default 500,000,000.
    pub max_samples: u64,
    /// Steps that one subquery of PromQL may have; default 1,000,000. Each takes up to 24 bytes a series.
    pub max_subquery_steps: usize,
    /// How long a sample counts in PromQL if no newer one comes: `5m`.
    #[serde(deserialize_with = "model::duration::deserialize")]
    pub lookback: Duration,
    /// The step of a subquery that names none: `1m`.
    #[serde(deserialize_with = "model::duration::deserialize")]
    pub subquery_step: Duration,
    /// Queries that run at the same time; default 20.
    pub max_concurrent: usize,
    /// Bytes of the text of a query; default 64 KiB.
    pub max_text_bytes: usize,
    /// Threads that one query may use; 0, the default, means one per core, at most 8.
    pub threads_per_query: usize,
    /// A cluster whose last sample is older than this is shown as `silent`: `5m`.
    #[serde(deserialize_with = "model::duration::deserialize")]
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
            max_samples: 500_000_000,
            max_subquery_steps: 1_000_000,
            lookback: Duration::from_secs(5 * 60),
            subquery_step: Duration::from_secs(60),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_duration(text: &str) -> Option<Duration> {
        model::duration::parse(text).ok()
    }

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
