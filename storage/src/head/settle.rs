//! Settling: which of the rows that a cut has frozen leave with it. The others go back to the live head, and are journaled
//! again.
//!
//! Runs beside the journal's writer: freezing, for which it has to stop, does no more than to take what is there.

use std::sync::Arc;

use model::batch::Sample;
use model::time::Date;
use model::{Logs, Spans};
use parking_lot::MutexGuard;

use super::columns::Chunks;
use super::freeze::{Frozen, FrozenRun};
use super::histograms::{HistogramRun, TimeHistogram};
use super::run::Run;
use super::runs::PackedRun;
use super::{FrozenExtras, Head};
use crate::codec::TimeValue;
use crate::cut::plan::{Class, Window};
use crate::rows::{HistogramRow, Rows, StartRow};
use crate::series::Series;

/// Series that are settled while their shard is locked; then whoever adds rows has a turn.
const SERIES_AT_ONCE: usize = 128;

/// Carried rows are journaled in records of about this many samples.
const CARRY_SAMPLES: usize = 1 << 16;

/// And of at most this many exemplars, which are labels for the most part, or native histograms.
const CARRY_EXTRAS: usize = 1 << 12;

/// The rows that leave in a cut, and copies of those that it leaves behind.
#[derive(Debug)]
pub(crate) struct CutRows {
    /// The cut's number.
    pub(crate) number: u64,
    pub(crate) window: Window,
    /// The samples of each series that has some, in no order.
    pub(crate) samples: Vec<FrozenRun<Run>>,
    /// The native histograms of each series that has some, in no order.
    pub(crate) histograms: Vec<FrozenRun<HistogramRun>>,
    pub(crate) extras: Arc<FrozenExtras>,
    pub(crate) logs: Chunks<Logs>,
    pub(crate) spans: Chunks<Spans>,
    /// Copies of the rows that stayed, which must be journaled again before the cut may commit.
    pub(crate) carried: Vec<Rows>,
    /// See `carried`, as `carried_spans`.
    pub(crate) carried_logs: Vec<Arc<Logs>>,
    pub(crate) carried_spans: Vec<Arc<Spans>>,
    /// How many rows leave.
    pub(crate) rows: u64,
}

impl Head {
    /// Gives back what does not leave in a cut. Doing it twice is harmless.
    ///
    /// A query sees each row once, frozen or live, before and after and in between. What was written meanwhile for the time
    /// of a row that comes back is later than it.
    pub(crate) fn settle(&self, frozen: &Frozen) -> CutRows {
        let mut carried = Carried::default();
        let samples =
            self.settle_runs(frozen, &frozen.samples, |date| frozen.dates.samples.contains(&date), &mut carried);
        let of_date = |date| frozen.dates.histograms.contains(&date);
        let histograms = self.settle_runs(frozen, &frozen.histograms, of_date, &mut carried);
        let extras = self.extras.lock().settle(frozen.number, &frozen.extras, &frozen.dates, &mut carried);
        let of_frozen = (&frozen.logs, &frozen.spans);
        let (logs, spans, grown) = self.columns.settle(frozen.number, of_frozen, &mut carried);
        self.usage.add(grown);
        let rows = samples.iter().map(|of| of.run.len() as u64).sum::<u64>()
            + histograms.iter().map(|of| of.run.len() as u64).sum::<u64>()
            + (extras.exemplars.len() + extras.starts.len() + extras.metadata.len()) as u64
            + logs.iter().map(|chunk| chunk.rows.len() as u64).sum::<u64>()
            + spans.iter().map(|chunk| chunk.rows.len() as u64).sum::<u64>();
        let (number, window) = (frozen.number, frozen.window);
        let (carried_logs, carried_spans) = (std::mem::take(&mut carried.logs), std::mem::take(&mut carried.spans));
        let carried = carried.finish();
        CutRows { number, window, samples, histograms, extras, logs, spans, carried, carried_logs, carried_spans, rows }
    }

    /// Settles the runs of one kind; returns what leaves of them.
    fn settle_runs<R: PackedRun>(
        &self,
        Frozen { number, window, .. }: &Frozen,
        runs: &[FrozenRun<R>],
        may_leave: impl Fn(Date) -> bool,
        carried: &mut Carried,
    ) -> Vec<FrozenRun<R>> {
        let leaves = |time_ms| window.class(time_ms) != Class::Stay && may_leave(Date::of_ms(time_ms));
        let leaves_whole =
            |run: &R| run.range().is_some_and(|(min, max)| window.uniform(min, max).is_some() && leaves(min));
        let mut leaving = Vec::with_capacity(runs.len());
        let mut parted = Vec::new();
        // They were frozen shard by shard.
        for runs in runs.chunk_by(|a, b| a.series.shard == b.series.shard) {
            for runs in runs.chunks(SERIES_AT_ONCE) {
                for FrozenRun { series, run: whole } in runs {
                    if leaves_whole(whole) {
                        leaving.push(FrozenRun { series: series.clone(), run: whole.clone() });
                        continue;
                    }
                    let (leave, stay) = whole.split(leaves);
                    stay.carry(series, carried);
                    parted.push((series, whole, Arc::new(leave), stay));
                }
                if parted.is_empty() {
                    continue;
                }
                let mut shard = self.shards[runs[0].series.shard as usize].lock();
                for (series, whole, leave, stay) in parted.drain(..) {
                    if !leave.is_empty() {
                        leaving.push(FrozenRun { series: series.clone(), run: leave.clone() });
                    }
                    // Who holds rows of a series holds its slot.
                    if let Some(runs) = R::of_slot(&mut shard.slots[series.slot]) {
                        self.usage.add(runs.settle(*number, whole, leave, stay));
                    }
                }
                MutexGuard::unlock_fair(shard);
            }
        }
        leaving
    }
}

/// Gathers the rows to be carried into records of bearable size.
#[derive(Default)]
pub(crate) struct Carried {
    full: Vec<Rows>,
    open: Rows,
    /// The series of the open one's samples.
    series: Vec<Arc<Series>>,
    pub(super) logs: Vec<Arc<Logs>>,
    pub(super) spans: Vec<Arc<Spans>>,
}

impl Carried {
    pub(super) fn samples(&mut self, series: &Arc<Series>, samples: &[TimeValue]) {
        if samples.is_empty() {
            return;
        }
        let place = self.series.len() as u32;
        self.series.push(series.clone());
        let sample =
            |(time_ms, bits): &TimeValue| Sample { series: place, time_ms: *time_ms, value: f64::from_bits(*bits) };
        self.open.samples.extend(samples.iter().map(sample));
        if self.open.samples.len() >= CARRY_SAMPLES {
            self.close();
        }
    }

    pub(super) fn exemplars(&mut self, rows: &[crate::rows::ExemplarRow]) {
        for rows in rows.chunks(CARRY_EXTRAS) {
            self.open.exemplars.extend_from_slice(rows);
            self.close();
        }
    }

    pub(super) fn starts(&mut self, rows: &[StartRow]) {
        for rows in rows.chunks(CARRY_SAMPLES) {
            self.open.starts.extend_from_slice(rows);
            self.close();
        }
    }

    pub(super) fn histograms(&mut self, series: &Arc<Series>, histograms: Vec<TimeHistogram>) {
        for (time_ms, value) in histograms {
            self.open.histograms.push(HistogramRow { series: series.clone(), time_ms, value });
            if self.open.histograms.len() >= CARRY_EXTRAS {
                self.close();
            }
        }
    }

    /// Ends a record.
    fn close(&mut self) {
        self.open.series = self.series.drain(..).collect();
        self.full.push(std::mem::take(&mut self.open));
    }

    fn finish(mut self) -> Vec<Rows> {
        if !self.open.is_empty() {
            self.close();
        }
        self.full
    }
}
