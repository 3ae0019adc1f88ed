//! Admission: rows for which there is no room are refused before they are journaled.
//!
//! Owns: the budget of memory, the reserve of disk, what a sender is told.
//! Does not own: the budget of the journal (`journal`), what makes room (`work`).

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::{Error, ErrorKind};

use super::{Inner, RETRY_AFTER};

/// Above this share of a budget a cut is made at once and a warning is logged.
pub(super) const PRESSURE_PERCENT: u64 = 85;

/// Whether so much of a budget is used that room should be made before rows are refused.
pub(super) fn is_pressed(used: u64, budget: u64) -> bool {
    used > budget / 100 * PRESSURE_PERCENT
}

/// How long what is known of the disk's free space is believed, in milliseconds.
const BELIEVED_MS: i64 = 1000;

/// What was last known of the local disk.
#[derive(Debug)]
pub(super) struct Disk {
    free_bytes: AtomicU64,
    asked_ms: AtomicI64,
}

impl Default for Disk {
    fn default() -> Self {
        Disk { free_bytes: AtomicU64::new(u64::MAX), asked_ms: AtomicI64::new(i64::MIN) }
    }
}

impl Inner {
    /// Refuses rows before they are journaled when there is no room for them; says whether it is getting scarce.
    ///
    /// # Errors
    /// `Busy` if memory or disk is full, `Unavailable` if the store is closing.
    pub(super) fn admit(&self) -> Result<bool, Error> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is closing").with_retry_after(RETRY_AFTER));
        }
        let (used, budget) = (self.head.usage().bytes(), self.config.memory_bytes);
        let journal = self.writer.stats();
        let is_short = is_pressed(used, budget) || is_pressed(journal.bytes, journal.max_bytes);
        if is_short {
            self.pressure.notify_one();
        }
        if used > budget {
            let message = format!(
                "rows not yet in a block and their series take {used} bytes of memory, storage.memory_bytes allows \
                 {budget}: they are being cut into blocks, send again later"
            );
            return Err(Error::new(ErrorKind::Busy, message).with_retry_after(RETRY_AFTER));
        }
        let (free, reserve) = (self.free_disk_bytes(), self.config.reserve_bytes);
        if free < reserve {
            let message = format!(
                "{free} bytes are free on the disk of {}, storage.reserve_bytes keeps {reserve}: make room there, or \
                 lower storage.retention or storage.reserve_bytes",
                self.staging.path().display()
            );
            return Err(Error::new(ErrorKind::Busy, message).with_retry_after(RETRY_AFTER));
        }
        Ok(is_short)
    }

    /// Bytes that are free on the local disk, as of a moment ago.
    pub(super) fn free_disk_bytes(&self) -> u64 {
        let (now_ms, asked_ms) = (self.clock.now_ms(), self.disk.asked_ms.load(Ordering::Relaxed));
        // A clock that went back asks again as well.
        if now_ms.abs_diff(asked_ms) >= BELIEVED_MS as u64 {
            self.disk.asked_ms.store(now_ms, Ordering::Relaxed);
            match self.files.free_bytes(self.staging.path()) {
                Ok(free) => self.disk.free_bytes.store(free, Ordering::Relaxed),
                // Whoever writes will be told by the disk itself.
                Err(error) => tracing::warn!(%error, "cannot ask how much of the disk is free"),
            }
        }
        self.disk.free_bytes.load(Ordering::Relaxed)
    }
}
