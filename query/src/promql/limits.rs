//! What a query may touch.

use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::Result;
use model::ErrorKind;

use crate::error::external;

/// Counts the samples that a query reads, up to a limit.
#[derive(Debug)]
pub(crate) struct Touched {
    samples: AtomicU64,
    limit: u64,
}

impl Touched {
    /// No sample so far, and so many at most.
    pub(crate) fn new(limit: u64) -> Self {
        Touched { samples: AtomicU64::new(0), limit }
    }

    /// How many were read so far.
    pub(crate) fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// Adds samples that were read.
    ///
    /// # Errors
    /// `TooLarge` if they are more than the query may read.
    pub(crate) fn add(&self, samples: usize) -> Result<()> {
        let all = self.samples.fetch_add(samples as u64, Ordering::Relaxed) + samples as u64;
        if all <= self.limit {
            return Ok(());
        }
        let what = format!(
            "the query has read {all} samples, the limit is {}; select fewer series or less time, or raise \
             query.max_samples",
            self.limit
        );
        Err(external(model::Error::new(ErrorKind::TooLarge, what)))
    }
}
