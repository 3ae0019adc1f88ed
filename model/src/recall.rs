//! The way back: what a collector once wrote and has to know again after a restart.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use crate::Error;

/// Finds rows again. Collectors know nothing else of queries.
#[async_trait]
pub trait Recall: Send + Sync {
    /// The samples of the series `name` of `cluster` that have `label` with this value, in any order: their times within
    /// `time_ms`, in milliseconds since the Unix epoch, and their values. Staleness markers are left out.
    ///
    /// # Errors
    /// `Busy` if too much is being asked, `Unavailable` or `Timeout` if the store could not be read: asking again may
    /// help. Never a part of the rows.
    async fn recall(
        &self,
        cluster: &str,
        name: &str,
        label: (&str, &str),
        time_ms: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, f64)>, Error>;
}
