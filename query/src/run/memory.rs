//! The memory of one query: its own limit within the limit of all.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};
use model::ErrorKind;

use crate::error::external;

/// When to try again if other queries have the memory: most of them take less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Bytes that all queries hold together.
#[derive(Debug)]
pub(crate) struct Shared {
    limit: usize,
    used: AtomicUsize,
}

/// Counts the bytes of one query against its own limit and that of all queries.
#[derive(Debug)]
pub(crate) struct QueryPool {
    limit: usize,
    used: AtomicUsize,
    shared: Arc<Shared>,
}

impl QueryPool {
    /// The limit of all queries.
    pub(crate) fn shared(limit: usize) -> Arc<Shared> {
        Arc::new(Shared { limit, used: AtomicUsize::new(0) })
    }

    /// The pool of one query.
    pub(crate) fn new(limit: usize, shared: Arc<Shared>) -> Self {
        QueryPool { limit, used: AtomicUsize::new(0), shared }
    }
}

impl Shared {
    /// Bytes held by all queries.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

fn take(used: &AtomicUsize, bytes: usize, limit: usize) -> bool {
    used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| held.checked_add(bytes).filter(|sum| *sum <= limit))
        .is_ok()
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query_pool(used: {}, limit: {})", self.used.load(Ordering::Relaxed), self.limit)
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query_pool"
    }

    fn grow(&self, _reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::AcqRel);
        self.shared.used.fetch_add(additional, Ordering::AcqRel);
    }

    fn shrink(&self, _reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::AcqRel);
        self.shared.used.fetch_sub(shrink, Ordering::AcqRel);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if !take(&self.used, additional, self.limit) {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "the query needs more than its {} bytes of memory (for {}), select less or group by less",
                self.limit,
                reservation.consumer().name(),
            )));
        }
        if !take(&self.shared.used, additional, self.shared.limit) {
            self.used.fetch_sub(additional, Ordering::AcqRel);
            let what = format!("all queries together need more than {} bytes of memory", self.shared.limit);
            return Err(external(model::Error::new(ErrorKind::Busy, what).with_retry_after(RETRY_AFTER)));
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}
