//! Where the sums of deltas are that are not in memory.

use async_trait::async_trait;
use model::{Error, SeriesKey};

use super::sums::Sum;

/// Finds the newest row of series again.
#[async_trait]
pub(super) trait Past: Send + Sync {
    /// The newest row of each series that is not before `from_ms`, in the order of the series; staleness markers are no
    /// rows.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Timeout` if they could not be read. Never a part of them.
    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Sum>>, Error>;
}
