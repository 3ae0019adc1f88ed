//! What the rows `up` and `scrape_*` tell of one attempt, as Prometheus writes them for each scrape.

use model::batch::{BatchBuilder, Kind, STALE_NAN_BITS};
use model::source::SourceId;

/// The names of the rows, in the order of [`Report::values`].
pub(crate) const NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// The values that end these series.
pub(crate) const ENDED: [f64; NAMES.len()] = [f64::from_bits(STALE_NAN_BITS); NAMES.len()];

/// What one attempt has to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    /// Whether the rows of the answer were written.
    pub(crate) up: bool,
    /// From the request to the last byte of the body, in seconds.
    pub(crate) duration_seconds: f64,
    /// Rows of the answer.
    pub(crate) samples: u64,
    /// Rows that relabeling left.
    pub(crate) kept: u64,
    /// Series that the previous answer did not have.
    pub(crate) series_added: u64,
}

impl Report {
    /// The values of the rows.
    pub(crate) fn values(&self) -> [f64; NAMES.len()] {
        let count = |rows: u64| rows as f64;
        let up = f64::from(u8::from(self.up));
        [up, self.duration_seconds, count(self.samples), count(self.kept), count(self.series_added)]
    }
}

/// Adds the rows of a source to a batch that is being built.
pub(crate) fn add_report(builder: &mut BatchBuilder, id: &SourceId, values: [f64; NAMES.len()], time_ms: i64) {
    for (name, value) in NAMES.into_iter().zip(values) {
        let labels = [("instance", id.instance.as_str()), ("job", id.job.as_str())];
        let series = builder.series(name, &labels, Kind::Gauge);
        builder.sample(series, time_ms, value);
    }
}
