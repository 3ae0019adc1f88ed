//! Where the sums of deltas are that are not in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::recall::{Newest, NewestValue};
use model::{Error, ErrorKind, Recall, SeriesKey};

use super::sums::{Amount, Sum};

/// When a sender should come again whose sums could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(5);

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

#[async_trait]
impl Past for Arc<dyn Recall> {
    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Sum>>, Error> {
        let found = (**self).newest(series, from_ms).await.map_err(passing)?;
        Ok(found.into_iter().map(|newest| newest.map(Sum::from)).collect())
    }
}

/// Whatever is wrong is wrong with us, and not with what was sent: to be sent again.
fn passing(error: Error) -> Error {
    if error.kind().is_retryable() {
        return error;
    }
    Error::new(ErrorKind::Unavailable, error.to_string()).with_retry_after(RETRY_AFTER)
}

impl From<Newest> for Sum {
    fn from(Newest { time_ms, start_ms, value }: Newest) -> Self {
        let amount = match value {
            NewestValue::Number(value) => Amount::Number(value),
            NewestValue::Histogram(histogram) => Amount::Native(histogram),
        };
        Sum { time_ms, start_ms, amount }
    }
}
