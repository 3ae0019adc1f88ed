//! What is known of each source of telemetry.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;

/// The state of one source, as its collector last saw it. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceStatus {
    /// The cluster its rows are stamped with.
    pub cluster: String,
    /// The way it comes in: `federate`, `remote_read`, `scrape`, `loki_read`, `remote_write`, `otlp`, `otlp_logs`,
    /// `otlp_traces`, `loki`, `elasticsearch`; `file_sd` and `http_sd` for lists of targets.
    pub kind: &'static str,
    /// The name of its job in the configuration.
    pub job: String,
    /// Where it is: host and port, or the address of the sender.
    pub instance: String,
    /// What is asked, without parameters; empty if it speaks by itself.
    pub url: String,
    /// The labels that its rows get besides `job` and `instance`, as in `{shard="1"}`; empty without any.
    pub labels: String,
    /// When it was last asked, or last spoke.
    pub last_attempt_ms: Option<i64>,
    /// When that last went well.
    pub last_success_ms: Option<i64>,
    /// Why the last attempt failed; `None` if it did not.
    pub error: Option<String>,
    /// Samples, log rows or spans of the last success.
    pub samples: u64,
    /// How long the last attempt took, in seconds.
    pub duration_seconds: f64,
    /// Whether all its rows have this `job` and this `instance`, whatever it says itself.
    pub own_labels: bool,
    /// The interval at which it is asked, in milliseconds; `None` if it speaks by itself.
    pub interval_ms: Option<i64>,
    /// How much of its past is still to be read, in milliseconds; `None` where the past cannot be read.
    pub missing_ms: Option<i64>,
}

/// What tells one source from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    /// As [`SourceStatus::kind`].
    pub kind: &'static str,
    /// As [`SourceStatus::cluster`].
    pub cluster: String,
    /// As [`SourceStatus::job`].
    pub job: String,
    /// As [`SourceStatus::instance`].
    pub instance: String,
    /// As [`SourceStatus::url`], with parameters: pages that differ in them alone are two sources.
    pub url: String,
    /// As [`SourceStatus::labels`].
    pub labels: String,
}

impl SourceStatus {
    /// A source that nothing is known of yet.
    pub fn new(id: &SourceId) -> Self {
        SourceStatus {
            cluster: id.cluster.clone(),
            kind: id.kind,
            job: id.job.clone(),
            instance: id.instance.clone(),
            url: id.url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            labels: id.labels.clone(),
            last_attempt_ms: None,
            last_success_ms: None,
            error: None,
            samples: 0,
            duration_seconds: 0.0,
            own_labels: false,
            interval_ms: None,
            missing_ms: None,
        }
    }
}

/// A row of this name with time T and value S: all samples of the source after S, up to and including T, are here.
pub const READ_SINCE: &str = "fleetscope_remote_read_since_timestamp_seconds";

/// The beginning of what a row of [`READ_SINCE`] says has been read, in milliseconds, by its time in milliseconds and its
/// value. `None` if it says nothing: whoever else writes such a row may write any number, and a beginning is before its end.
pub fn read_after_ms(until_ms: i64, since_seconds: f64) -> Option<i64> {
    let after_ms = since_seconds.is_finite().then_some((since_seconds * 1000.0).round() as i64);
    after_ms.filter(|after_ms| *after_ms < until_ms)
}

/// Labels as [`SourceStatus::labels`] has them.
pub fn labels_text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

/// The board on which collectors write the state of their sources and queries read it. Cloning shares the board.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<RwLock<BTreeMap<SourceId, SourceStatus>>>);

impl Sources {
    /// Changes the status of a source, which begins to exist with this call.
    pub fn update(&self, id: &SourceId, change: impl FnOnce(&mut SourceStatus)) {
        let mut board = self.0.write();
        change(board.entry(id.clone()).or_insert_with(|| SourceStatus::new(id)));
    }

    /// Takes a source off the board, when it leaves the configuration.
    pub fn remove(&self, id: &SourceId) {
        self.0.write().remove(id);
    }

    /// All sources, ordered by kind, cluster, job, instance, URL and labels.
    pub fn all(&self) -> Vec<SourceStatus> {
        self.0.read().values().cloned().collect()
    }
}
