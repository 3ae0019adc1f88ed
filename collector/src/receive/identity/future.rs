//! Rows whose time has not come.

use std::time::Duration;

use model::{Batch, Error, duration};

/// The rows that were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    rows: usize,
    all: usize,
    /// The one furthest ahead, by so much.
    by: Duration,
}

impl Ahead {
    /// What is told of them.
    pub(super) fn error(&self, limit: Duration) -> Error {
        let (by, limit) = (duration::format(self.by), duration::format(limit));
        Error::invalid(format!(
            "{} of {} rows are ahead of the server's clock, by up to {by}, limit {limit} (future_limit): the others \
             are written, see to the sender's clock",
            self.rows, self.all
        ))
    }
}

/// The batch without the rows that are more than `limit` ahead of `now_ms`, and what is known of these.
pub(super) fn without(mut batch: Batch, now_ms: i64, limit: Duration) -> (Batch, Option<Ahead>) {
    let last_ms = now_ms.saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    let samples = batch.samples.iter().map(|row| row.time_ms);
    let times = samples.chain(batch.histograms.iter().map(|row| row.time_ms));
    let times = times.chain(batch.exemplars.iter().map(|row| row.time_ms));
    let (mut all, mut rows, mut latest_ms) = (0, 0, i64::MIN);
    for time_ms in times {
        all += 1;
        rows += usize::from(time_ms > last_ms);
        latest_ms = latest_ms.max(time_ms);
    }
    if rows == 0 {
        return (batch, None);
    }
    batch.samples.retain(|row| row.time_ms <= last_ms);
    batch.histograms.retain(|row| row.time_ms <= last_ms);
    batch.exemplars.retain(|row| row.time_ms <= last_ms);
    batch.starts.retain(|row| row.time_ms <= last_ms);
    let seconds = u64::try_from(latest_ms.saturating_sub(now_ms) / 1000).unwrap_or(0);
    (batch, Some(Ahead { rows, all, by: Duration::from_secs(seconds) }))
}
