//! The one way from a collector into a store.

use async_trait::async_trait;

use crate::{Batch, Error};

/// What a store answers once a batch is safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Samples that are durable, staleness markers and native histograms included.
    pub samples: usize,
    /// Series that this store had not seen before.
    pub new_series: usize,
    /// Whether room is getting scarce: whoever can wait should, so that those who cannot are not refused.
    pub is_pressed: bool,
    /// What was left out because the cluster has too many series; everything else is durable.
    pub over_limit: Option<Box<OverLimit>>,
}

/// Rows that were left out because they are of new series, beyond what their cluster may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OverLimit {
    /// How many series.
    pub series: usize,
    /// Their samples.
    pub samples: usize,
    /// Their native histograms.
    pub histograms: usize,
    /// Their exemplars.
    pub exemplars: usize,
    /// Which limit, what the cluster has, which label makes it grow; of the first series.
    pub message: String,
}

/// Takes batches into a store. Collectors know nothing else of storage.
#[async_trait]
pub trait Ingest: Send + Sync {
    /// Writes a batch whole or not at all, and returns once it is durable and seen by queries.
    ///
    /// # Errors
    /// `Invalid` if a series or a time is not acceptable (no row of the batch is kept), `Busy` if a budget is full,
    /// `Unavailable` if the journal failed. After `Unavailable` the batch may or may not come back after a restart;
    /// sending it again is harmless.
    async fn write(&self, batch: Batch) -> Result<Receipt, Error>;
}
