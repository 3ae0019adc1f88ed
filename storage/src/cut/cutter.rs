//! The cutter: makes one cut after the other.
//!
//! Owns: the tables' logs as their only writer, the watermark, the cuts that are on their way.
//! Does not own: what a cut does (`job`, `staged`), when the clock or the memory asks for one (`store`).

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Weak};

use journal::Position;
use model::time::Date;
use model::{Error, ErrorKind};
use tracing::Instrument;

use super::job::Job;
use super::plan::{self, Window};
use super::staged::StagedCut;
use crate::days::Days;
use crate::delta::DeltaTable;
use crate::head::{CutDates, Takes};
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
    /// Logs and spans are as many as a block should have: they leave, rows of series stay.
    Size,
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
    /// The cut that is not staged yet.
    job: Option<Job>,
    /// The cuts that are staged and not yet in their tables, oldest first.
    staged: VecDeque<StagedCut>,
    /// Up to where the journal's rows are in tables or staged.
    droppable: Option<Position>,
    /// Older views that a query may still hold, with the cut they reach up to.
    views: Vec<Weak<View>>,
}

impl Cutter {
    /// A cutter that goes on with the cuts that an earlier process has staged, numbered from 1 on; and the first view.
    pub(crate) fn new(tables: Vec<DeltaTable>, staged: VecDeque<StagedCut>, journal: uuid::Uuid) -> (Self, View) {
        let last_number = staged.back().map_or(0, StagedCut::number);
        let (days, views) = (Days::default(), Vec::new());
        let mut cutter =
            Cutter { tables, days, watermark_ms: i64::MIN, last_number, job: None, staged, droppable: None, views };
        let view = cutter.view(last_number);
        let with_windows = view.of(Table::Samples).iter().chain(view.of(Table::Histograms).iter());
        let own = with_windows.filter(|block| block.journal == journal);
        cutter.watermark_ms = own.filter_map(|block| block.window_ms).map(|(_, end)| end).max().unwrap_or(i64::MIN);
        (cutter, view)
    }

    /// Makes a cut of what is in the head, and delivers what is staged. Returns how many rows moved into blocks.
    ///
    /// # Errors
    /// `Unavailable` or `Busy` if the disk, the journal or the bucket does not take what it is given: the rows are safe
    /// where they are, in journal and memory or in staged blocks, and [`Cutter::resume`] goes on.
    pub(crate) async fn cut(&mut self, inner: &Inner, reason: Reason) -> Result<u64, Error> {
        let span = tracing::info_span!(
            target: model::TRACE_TARGET,
            "cut",
            reason = ?reason,
            rows = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
        );
        let done = self.cut_and_deliver(inner, reason).instrument(span.clone()).await;
        match &done {
            Ok(rows) => drop(span.record("rows", rows)),
            Err(error) => {
                span.record("otel.status_code", "ERROR");
                span.record("otel.status_description", tracing::field::display(error));
            }
        }
        done
    }

    async fn cut_and_deliver(&mut self, inner: &Inner, reason: Reason) -> Result<u64, Error> {
        // A query that held an old view may have ended since.
        self.retire(inner);
        let moved = self.move_head(inner, reason).await;
        // Also if that failed, for want of disk perhaps: what is delivered makes room.
        let delivered = self.deliver(inner).await;
        delivered.and(moved)
    }

    async fn move_head(&mut self, inner: &Inner, reason: Reason) -> Result<u64, Error> {
        let mut moved = self.stage(inner).await?;
        let mut learned = Ok(());
        if !inner.head.is_empty() {
            let window = self.window(inner, reason);
            let takes = if reason == Reason::Size { Takes::Columns } else { Takes::All };
            let mut dates = inner.head.dates(window, takes);
            let known;
            (known, learned) = self.learn(inner, dates.of_series()).await;
            dates.retain_of_series(&known);
            // A cut that takes nothing would only journal again what stays.
            if !dates.is_empty() || inner.head.has_columns() || (takes == Takes::All && inner.head.has_metadata()) {
                self.begin(inner, window, takes, dates).await?;
                moved += self.stage(inner).await?;
            }
        }
        learned.map(|()| moved)
    }

    /// Reads which series have a row on these dates; returns the dates it succeeded with, and the first error. The rows
    /// of other dates stay behind: old days may be out of reach while the bucket is away, today is known.
    async fn learn(&mut self, inner: &Inner, dates: BTreeSet<Date>) -> (BTreeSet<Date>, Result<(), Error>) {
        let view = inner.view.read().clone();
        let (mut known, mut outcome) = (BTreeSet::new(), Ok(()));
        for date in dates.into_iter().rev() {
            let asks = !self.days.knows(date) && view.of(Table::Series).dates(date..=date).next().is_some();
            // A bucket that is away is asked once, since each answer takes its time.
            if asks && outcome.is_err() {
                continue;
            }
            match inner.load_day(&view, date, &mut self.days).await {
                Ok(()) => drop(known.insert(date)),
                Err(error) => outcome = Err(error.context(format!("rows of {date} stay behind"))),
            }
        }
        (known, outcome)
    }

    /// Reads which series have a row today, so that the next cut needs nothing of the bucket.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away.
    pub(crate) async fn prepare(&mut self, inner: &Inner) -> Result<(), Error> {
        let today = Date::of_ms(inner.clock.now_ms());
        self.learn(inner, BTreeSet::from([today])).await.1
    }

    /// Goes on with the cuts that are on their way, without beginning another.
    ///
    /// # Errors
    /// As [`Cutter::cut`].
    pub(crate) async fn resume(&mut self, inner: &Inner) -> Result<(), Error> {
        let staged = self.stage(inner).await;
        self.deliver(inner).await.and(staged.map(drop))
    }

    fn window(&self, inner: &Inner, reason: Reason) -> Window {
        let now_ms = inner.clock.now_ms();
        let end_ms = match reason {
            Reason::Regular => plan::watermark(now_ms, inner.config.cut_every),
            // Rows of series are not touched.
            Reason::Size => self.watermark_ms,
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
    async fn begin(&mut self, inner: &Inner, window: Window, takes: Takes, dates: CutDates) -> Result<(), Error> {
        let number = self.last_number + 1;
        *inner.freeze.lock() = Some(FreezeOrder { number, window, takes, dates, done: None });
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

    /// Stages the cut that is not yet staged. From then on queries read its blocks, and its rows leave memory.
    async fn stage(&mut self, inner: &Inner) -> Result<u64, Error> {
        let Some(job) = &mut self.job else { return Ok(0) };
        let (staged, rows) = job.stage(inner, &mut self.days).await?;
        let Some(job) = self.job.take() else { return Ok(0) };
        self.droppable = job.droppable().or(self.droppable);
        self.staged.push_back(staged);
        self.publish(inner, rows.number);
        let moved = rows.rows;
        drop((job, rows));
        self.days.trim();
        self.retire(inner);
        Ok(moved)
    }

    /// Uploads and commits what is staged, and drops what the journal then holds in vain. A bucket that is away does not
    /// keep the journal from being dropped: staged blocks are as durable as it is.
    async fn deliver(&mut self, inner: &Inner) -> Result<(), Error> {
        let delivered = self.deliver_in_order(inner).await;
        if let Some(position) = self.droppable {
            let writer = inner.writer.clone();
            match tokio::task::spawn_blocking(move || writer.drop_before(position)).await {
                Ok(Ok(())) => self.droppable = None,
                // The next cut drops it.
                Ok(Err(error)) => tracing::warn!(%error, "cannot drop a generation of the journal"),
                Err(panic) => return Err(Error::new(ErrorKind::Internal, "dropping panicked").with_source(panic)),
            }
        }
        delivered
    }

    async fn deliver_in_order(&mut self, inner: &Inner) -> Result<(), Error> {
        while let Some(staged) = self.staged.front_mut() {
            staged.deliver(inner, &mut self.tables).await?;
            let Some(staged) = self.staged.pop_front() else { return Ok(()) };
            let cut = inner.view.read().cut;
            self.publish(inner, cut);
            self.retire(inner);
            staged.clear(inner).await;
        }
        Ok(())
    }

    /// The files of a table that are on their way into it.
    pub(crate) fn uploading(&self, table: Table) -> HashSet<String> {
        let blocks = self.staged.iter().flat_map(StagedCut::blocks);
        blocks.filter(|(of, _)| *of == table).map(|(_, block)| block.path.clone()).collect()
    }

    /// What is in the tables and in staged blocks, which reach up to cut `cut`.
    pub(crate) fn view(&self, cut: u64) -> View {
        let live = self.tables.iter().zip(Table::ALL).map(|(delta, table)| {
            let staged = self.staged.iter().flat_map(StagedCut::blocks).filter(|(of, _)| *of == table);
            delta.live().with(staged.map(|(_, block)| block.clone()))
        });
        let sizes = self.staged.iter().flat_map(StagedCut::blocks).map(|(_, block)| block.size_bytes);
        let sizes: Vec<u64> = sizes.collect();
        View { cut, live: live.collect(), staged_blocks: sizes.len(), staged_bytes: sizes.iter().sum() }
    }

    /// Makes what is in blocks now visible to the queries that begin from now on.
    pub(crate) fn publish(&mut self, inner: &Inner, cut: u64) {
        let view = Arc::new(self.view(cut));
        let before = std::mem::replace(&mut *inner.view.write(), view);
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
