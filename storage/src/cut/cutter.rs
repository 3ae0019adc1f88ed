//! The cutter: makes one cut after the other.
//!
//! Owns: the tables' logs as their only writer, the watermark, the cut that is on its way.
//! Does not own: what a cut does (`job`), when the clock or the memory asks for one (`store`).

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use model::{Error, ErrorKind};

use super::job::Job;
use super::plan::{self, Window};
use crate::days::Days;
use crate::delta::DeltaTable;
use crate::store::Inner;
use crate::tables::Table;
use crate::view::View;
use crate::writer::FreezeOrder;

/// Why a cut is made, which decides its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The clock.
    Regular,
    /// The head is larger than it should be: everything up to now leaves.
    Pressure,
    /// The store closes: nothing stays.
    Drain,
}

/// Makes cuts. There is one per store, behind a lock.
#[derive(Debug)]
pub(crate) struct Cutter {
    pub(crate) tables: Vec<DeltaTable>,
    pub(crate) days: Days,
    /// Where the window of the last cut ended.
    watermark_ms: i64,
    last_number: u64,
    job: Option<Job>,
    /// Older views that a query may still hold, with the cut they reach up to.
    views: Vec<Weak<View>>,
}

impl Cutter {
    pub(crate) fn new(tables: Vec<DeltaTable>, days: Days, journal: uuid::Uuid) -> Self {
        let mut watermark_ms = i64::MIN;
        for (delta, _) in tables.iter().zip(Table::ALL).filter(|(_, table)| *table == Table::Samples) {
            let live = delta.live();
            let own = live.iter().filter(|block| block.journal == journal).filter_map(|block| block.window_ms);
            watermark_ms = own.map(|(_, end)| end).max().unwrap_or(i64::MIN);
        }
        Cutter { tables, days, watermark_ms, last_number: 0, job: None, views: Vec::new() }
    }

    /// Finishes the cut that is on its way, if any, and makes another. Returns how many rows moved into blocks.
    ///
    /// # Errors
    /// As [`Job::advance`]; the cut stays on its way.
    pub(crate) async fn cut(&mut self, inner: &Inner, reason: Reason) -> Result<u64, Error> {
        let mut moved = self.finish(inner).await?;
        if inner.head.is_empty() {
            // A query that ended since may have been the last to need frozen rows.
            self.retire(inner);
            return Ok(moved);
        }
        let window = self.window(inner, reason);
        self.begin(inner, window).await?;
        moved += self.finish(inner).await?;
        Ok(moved)
    }

    fn window(&self, inner: &Inner, reason: Reason) -> Window {
        let now_ms = inner.clock.now_ms();
        let end_ms = match reason {
            Reason::Regular => plan::watermark(now_ms, inner.config.cut_every),
            Reason::Pressure | Reason::Drain => now_ms + 1,
        };
        // A clock that went back must not make windows overlap.
        let end_ms = end_ms.max(self.watermark_ms);
        match reason {
            Reason::Drain => Window::draining(self.watermark_ms, end_ms),
            _ => Window::new(self.watermark_ms, end_ms),
        }
    }

    /// Puts the barrier into the journal and takes the rows below it.
    async fn begin(&mut self, inner: &Inner, window: Window) -> Result<(), Error> {
        let number = self.last_number + 1;
        *inner.freeze.lock() = Some(FreezeOrder { number, window, done: None });
        let writer = inner.writer.clone();
        let barrier = tokio::task::spawn_blocking(move || writer.barrier()).await;
        // The order may have been carried out although the barrier's answer is an error: what was taken must be kept.
        let done = inner.freeze.lock().take().and_then(|order| order.done);
        if let Some((start, frozen)) = done {
            self.last_number = number;
            self.watermark_ms = window.end_ms;
            self.job = Some(Job::new(start, frozen));
            return Ok(());
        }
        match barrier {
            Ok(Ok(_)) => Err(Error::internal("the barrier took no rows")),
            Ok(Err(error)) => Err(Error::from(error).context("cannot begin a cut")),
            Err(panic) => Err(Error::internal("the barrier panicked").with_source(panic)),
        }
    }

    async fn finish(&mut self, inner: &Inner) -> Result<u64, Error> {
        let Some(job) = &mut self.job else { return Ok(0) };
        job.advance(inner, &mut self.tables, &mut self.days).await?;
        let Some(job) = self.job.take() else { return Ok(0) };
        self.publish(inner, job.frozen.number);
        let (moved, start) = (job.frozen.rows, job.start());
        job.unstage(inner).await;
        self.days.trim();
        self.retire(inner);
        let writer = inner.writer.clone();
        match tokio::task::spawn_blocking(move || writer.drop_before(start)).await {
            Ok(Ok(())) => {}
            // The next cut drops it.
            Ok(Err(error)) => tracing::warn!(%error, "cannot drop a generation of the journal"),
            Err(panic) => return Err(Error::new(ErrorKind::Internal, "dropping panicked").with_source(panic)),
        }
        Ok(moved)
    }

    /// The files of a table that are on their way into it.
    pub(crate) fn uploading(&self, table: Table) -> HashSet<String> {
        self.job.iter().flat_map(|job| job.objects(table)).collect()
    }

    /// Makes what the tables hold now visible to the queries that begin from now on.
    pub(crate) fn publish(&mut self, inner: &Inner, cut: u64) {
        let live = self.tables.iter().map(DeltaTable::live).collect();
        let before = std::mem::replace(&mut *inner.view.write(), Arc::new(View { cut, live }));
        self.views.push(Arc::downgrade(&before));
    }

    /// Lets go of frozen rows that no query can need.
    pub(crate) fn retire(&mut self, inner: &Inner) {
        let cut = inner.view.read().cut;
        self.views.retain(|view| view.strong_count() > 0);
        let oldest = self.views.iter().filter_map(Weak::upgrade).map(|view| view.cut).min().unwrap_or(cut);
        inner.head.retire(oldest);
    }
}
