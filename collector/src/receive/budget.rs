//! How many requests, and how many of their bytes, are held at once.

use std::sync::Arc;
use std::time::Duration;

use model::{Error, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Bytes are counted in units of this size, rounded up.
const UNIT_BYTES: usize = 1 << 10;
/// When a sender that found no room should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The room for requests. Who finds none is told so at once: to let it wait would hold its connection instead of its bytes.
#[derive(Debug)]
pub(super) struct Budget {
    /// The section of the configuration that its settings stand in, for messages.
    section: &'static str,
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
}

impl Budget {
    /// Room for `requests` with together `bytes`.
    pub(super) fn new(section: &'static str, requests: usize, bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT_BYTES as u64).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Budget {
            section,
            requests: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))),
            units: Arc::new(Semaphore::new(units)),
        }
    }

    /// Lets a request in, which holds no bytes yet.
    ///
    /// # Errors
    /// `Busy` if too many are in.
    pub(super) fn enter(&self) -> Result<Share, Error> {
        let request = self.requests.clone().try_acquire_owned().map_err(|e| busy(&e, "requests", self.section))?;
        Ok(Share { section: self.section, _request: request, units: self.units.clone(), held: None, held_bytes: 0 })
    }
}

/// The room that one request has; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    section: &'static str,
    _request: OwnedSemaphorePermit,
    units: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    held_bytes: usize,
}

impl Share {
    /// The section of the configuration that says how much room there is.
    pub(super) fn section(&self) -> &'static str {
        self.section
    }

    /// Sees to it that the request may hold `bytes` in all.
    ///
    /// # Errors
    /// `Busy` if others hold too much.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.held_bytes {
            return Ok(());
        }
        let more = (bytes - self.held_bytes).div_ceil(UNIT_BYTES);
        let permits = u32::try_from(more).unwrap_or(u32::MAX);
        let room = self.units.clone().try_acquire_many_owned(permits);
        let permit = room.map_err(|e| busy(&e, "bytes of requests", self.section))?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.held_bytes += more * UNIT_BYTES;
        Ok(())
    }
}

fn busy(_: &TryAcquireError, what: &str, section: &str) -> Error {
    Error::new(ErrorKind::Busy, format!("too many {what} at once, see {section}")).with_retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests;
