//! How full a store is.

use std::sync::atomic::Ordering;

use super::Inner;
use crate::tables::Table;

/// How full a store is, and what it has done since it was opened.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of memory that rows not yet in a block and series entries take.
    pub head_bytes: u64,
    /// The budget for them.
    pub head_budget_bytes: u64,
    /// Series in memory.
    pub series: u64,
    /// Series that have left memory since the start because nobody wrote them any more.
    pub series_evicted: u64,
    /// Series refused because another one has the same id.
    pub series_collisions: u64,
    /// Samples taken since the start, replayed ones included.
    pub samples: u64,
    /// Log rows taken since the start, replayed ones included.
    pub log_rows: u64,
    /// Spans taken since the start, replayed ones included.
    pub spans: u64,
    /// Cuts whose rows are in blocks, staged ones included, since the start.
    pub cuts: u64,
    /// Attempts to cut, upload or commit that failed since the start; each is made again.
    pub cut_failures: u64,
    /// Blocks on the local disk that are not yet in their tables.
    pub staged_blocks: usize,
    /// Bytes that they take.
    pub staged_bytes: u64,
    /// Bytes that are free on the local disk.
    pub disk_free_bytes: u64,
    /// Bytes of it that are kept free.
    pub disk_reserve_bytes: u64,
    /// Bytes of disk that the journal takes.
    pub journal_bytes: u64,
    /// The budget for it.
    pub journal_budget_bytes: u64,
    /// Groups of rows made durable, each by one sync.
    pub journal_groups: u64,
    /// Groups that a write or a sync failed.
    pub journal_failed_groups: u64,
    /// Blocks, live in their table or staged, their rows and bytes, by table.
    pub tables: Vec<(Table, usize, u64, u64)>,
}

pub(super) fn of(inner: &Inner) -> Stats {
    let view = inner.view.read().clone();
    let journal = inner.writer.stats();
    let usage = inner.head.usage();
    let tables = Table::ALL.iter().map(|table| {
        let (mut count, mut rows, mut bytes) = (0, 0, 0);
        for block in view.of(*table).iter() {
            count += 1;
            rows += block.rows;
            bytes += block.size_bytes;
        }
        (*table, count, rows, bytes)
    });
    Stats {
        head_bytes: usage.bytes(),
        head_budget_bytes: inner.config.memory_bytes,
        series: usage.series.load(Ordering::Relaxed),
        series_evicted: usage.evicted.load(Ordering::Relaxed),
        series_collisions: usage.collisions.load(Ordering::Relaxed),
        samples: usage.samples.load(Ordering::Relaxed),
        log_rows: usage.log_rows.load(Ordering::Relaxed),
        spans: usage.spans.load(Ordering::Relaxed),
        cuts: view.cut,
        cut_failures: inner.cut_failures.load(Ordering::Relaxed),
        staged_blocks: view.staged_blocks,
        staged_bytes: view.staged_bytes,
        disk_free_bytes: inner.free_disk_bytes(),
        disk_reserve_bytes: inner.config.reserve_bytes,
        journal_bytes: journal.bytes,
        journal_budget_bytes: journal.max_bytes,
        journal_groups: journal.groups,
        journal_failed_groups: journal.failed_groups,
        tables: tables.collect(),
    }
}
