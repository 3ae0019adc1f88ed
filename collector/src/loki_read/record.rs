//! The rows that tell of the reading: how an attempt went, and how far a Loki has been read.

use model::Batch;
use model::batch::{BatchBuilder, Kind};
use model::time::MS_NANOS;

use super::server::Loki;
use crate::report::{ENDED, Report, add_report};

/// A row of this name with value S: all lines before S are here.
pub(super) const READ_UNTIL: &str = "fleetscope_loki_read_until_timestamp_seconds";
/// The label that has [`Loki::key`].
pub(super) const SOURCE: &str = "source";

/// The rows that say how an attempt went.
pub(super) fn of_attempt(loki: &Loki, report: &Report, time_ms: i64) -> Batch {
    let mut builder = BatchBuilder::default();
    add_report(&mut builder, &loki.id, report.values(), time_ms);
    builder.build().stamped(loki.cluster.clone())
}

/// The row that says how far a Loki has been read.
pub(super) fn of_page(loki: &Loki, time_ms: i64, next_unix_nano: i64) -> Batch {
    let mut builder = BatchBuilder::default();
    let labels = [(SOURCE, loki.key.as_str()), ("url", &loki.config.url)];
    let series = builder.series(READ_UNTIL, &labels, Kind::Gauge);
    // A number of 64 bits has no nanoseconds of our days: the millisecond that has begun is said, and read again.
    builder.sample(series, time_ms, next_unix_nano.div_euclid(MS_NANOS) as f64 / 1000.0);
    builder.build().stamped(loki.cluster.clone())
}

/// The markers that end the rows of a Loki that has left the configuration.
pub(super) fn end(loki: &Loki, time_ms: i64) -> Batch {
    let mut builder = BatchBuilder::default();
    add_report(&mut builder, &loki.id, ENDED, time_ms);
    builder.build().stamped(loki.cluster.clone())
}

/// How far the rows of the name [`READ_UNTIL`] say that a Loki has been read, in nanoseconds since the Unix epoch. Whoever else
/// writes such a row may write any number; one after `now_ms` says nothing.
pub(super) fn newest(rows: impl IntoIterator<Item = (i64, f64)>, now_ms: i64) -> Option<i64> {
    let until_ms = |(_, seconds): (i64, f64)| seconds.is_finite().then_some((seconds * 1000.0).round() as i64);
    let newest = rows.into_iter().filter_map(until_ms).filter(|until_ms| *until_ms <= now_ms).max();
    newest.map(|until_ms| until_ms.saturating_mul(MS_NANOS))
}
