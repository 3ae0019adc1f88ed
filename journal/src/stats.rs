//! What a running writer tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::append::Committed;
use crate::journal::Journal;

/// A writer's figures at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// Bytes of the segment files, preallocation included.
    pub bytes: u64,
    /// The cap of `bytes`, from which on items are refused.
    pub max_bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Generations that have a segment file.
    pub generations: u64,
    /// Items that were submitted and not yet answered.
    pub waiting: u64,
    /// Records made durable since the writer started.
    pub records: u64,
    /// Groups made durable since the writer started, each by one sync.
    pub groups: u64,
    /// Bytes made durable since the writer started, headers and padding included.
    pub appended_bytes: u64,
    /// Groups that failed since the writer started, by a write, a sync or a segment that could not be made.
    pub failed_groups: u64,
    /// How long the last successful sync of a group took, in seconds.
    pub last_sync_seconds: f64,
}

/// The figures as the writer's thread keeps them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes: AtomicU64,
    pub(crate) waiting: AtomicU64,
    max_bytes: AtomicU64,
    segments: AtomicU64,
    generations: AtomicU64,
    records: AtomicU64,
    groups: AtomicU64,
    appended_bytes: AtomicU64,
    failed_groups: AtomicU64,
    last_sync_nanos: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            bytes: read(&self.bytes),
            max_bytes: read(&self.max_bytes),
            segments: read(&self.segments),
            generations: read(&self.generations),
            waiting: read(&self.waiting),
            records: read(&self.records),
            groups: read(&self.groups),
            appended_bytes: read(&self.appended_bytes),
            failed_groups: read(&self.failed_groups),
            last_sync_seconds: read(&self.last_sync_nanos) as f64 / 1e9,
        }
    }

    /// Takes over what the directory holds.
    pub(crate) fn take_in(&self, journal: &Journal) {
        let mut generations: Vec<u64> = journal.segments.iter().map(|segment| segment.name.generation).collect();
        generations.dedup();
        self.bytes.store(journal.bytes(), Ordering::Relaxed);
        self.max_bytes.store(journal.config.max_bytes, Ordering::Relaxed);
        self.segments.store(journal.segments.len() as u64, Ordering::Relaxed);
        self.generations.store(generations.len() as u64, Ordering::Relaxed);
    }

    pub(crate) fn committed(&self, group: Committed) {
        self.records.fetch_add(group.records, Ordering::Relaxed);
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.appended_bytes.fetch_add(group.bytes, Ordering::Relaxed);
        let nanos = u64::try_from(group.sync.as_nanos()).unwrap_or(u64::MAX);
        self.last_sync_nanos.store(nanos, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failed_groups.fetch_add(1, Ordering::Relaxed);
    }
}
