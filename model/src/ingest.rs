//! The one way from a collector into a store.

use async_trait::async_trait;

use crate::{Batch, Error};

/// What a store answers once a batch is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Samples that are durable, staleness markers included.
    pub samples: usize,
    /// Series that this store had not seen before.
    pub new_series: usize,
    /// Whether room is getting scarce: whoever can wait should, so that those who cannot are not refused.
    pub is_pressed: bool,
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
