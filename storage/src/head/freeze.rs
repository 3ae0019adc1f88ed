//! Freezing: taking the rows of a cut out of the live head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::time::Date;
use model::{Logs, Spans};

use super::columns::Chunks;
use super::histograms::HistogramRun;
use super::run::Run;
use super::runs::PackedRun;
use super::{FrozenExtras, Head};
use crate::cut::plan::{self, Class, Window};
use crate::series::Series;

/// What a cut takes of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// All rows.
    All,
    /// Logs and spans: they are many and need no window.
    Columns,
}

/// What a cut has taken: all rows below its position in the journal. Which of them leave is told by window and dates.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// The cut's number.
    pub(crate) number: u64,
    pub(crate) window: Window,
    /// The dates that it may take rows of series of: those whose rows of `series` are known.
    pub(crate) dates: CutDates,
    /// The samples of each series that has some, shard by shard.
    pub(super) samples: Vec<FrozenRun<Run>>,
    /// The native histograms of each series that has some, shard by shard.
    pub(super) histograms: Vec<FrozenRun<HistogramRun>>,
    pub(super) extras: Arc<FrozenExtras>,
    pub(super) logs: Chunks<Logs>,
    pub(super) spans: Chunks<Spans>,
    /// Whether rows of series lie below its position that it has not taken.
    pub(crate) leaves_metrics: bool,
}

/// Rows of one series in a cut.
#[derive(Debug)]
pub(crate) struct FrozenRun<R> {
    pub(crate) series: Arc<Series>,
    pub(crate) run: Arc<R>,
}

/// The dates that a cut takes rows of; of each table no more than a cut may. Of logs and spans what is frozen decides anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct CutDates {
    pub(crate) samples: BTreeSet<Date>,
    pub(crate) histograms: BTreeSet<Date>,
    pub(crate) exemplars: BTreeSet<Date>,
    pub(crate) starts: BTreeSet<Date>,
}

impl CutDates {
    /// The dates of rows of series.
    pub(crate) fn of_series(&self) -> BTreeSet<Date> {
        let tables = [&self.samples, &self.histograms, &self.exemplars, &self.starts];
        tables.into_iter().flatten().copied().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of_series().is_empty()
    }

    /// Leaves out the rows of series of dates that are not among these.
    pub(crate) fn retain_of_series(&mut self, dates: &BTreeSet<Date>) {
        let tables = [&mut self.samples, &mut self.histograms, &mut self.exemplars, &mut self.starts];
        tables.into_iter().for_each(|of_table| of_table.retain(|date| dates.contains(date)));
    }
}

impl Head {
    /// Takes rows for cut `number`. Called between two groups by the thread that applies rows: while this runs nobody is
    /// answered, so it does not look into them.
    pub(crate) fn freeze(&self, number: u64, window: Window, takes: Takes, dates: CutDates) -> Frozen {
        let (mut samples, mut histograms) = (Vec::new(), Vec::new());
        let (logs, spans) = (self.columns.logs.lock().freeze(number), self.columns.spans.lock().freeze(number));
        if takes == Takes::Columns {
            let (extras, leaves_metrics) = (Arc::default(), self.has_metrics());
            return Frozen { number, window, dates, samples, histograms, extras, logs, spans, leaves_metrics };
        }
        // No row is added meanwhile, and a query finds those of a series live or frozen.
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range) {
                if let Some(run) = slot.samples.freeze(number) {
                    samples.push(FrozenRun { series: slot.series.clone(), run });
                }
                if let Some(run) = slot.histograms.as_mut().and_then(|all| all.freeze(number)) {
                    histograms.push(FrozenRun { series: slot.series.clone(), run });
                }
            }
        });
        let extras = self.extras.lock().freeze(number);
        Frozen { number, window, dates, samples, histograms, extras, logs, spans, leaves_metrics: false }
    }

    /// The dates of which a cut may take rows now. What comes for other dates of series before it is made stays behind.
    pub(crate) fn dates(&self, window: Window, takes: Takes) -> CutDates {
        if takes == Takes::Columns {
            return CutDates::default();
        }
        let (mut samples, mut histograms) = (Leaving::new(window), Leaving::new(window));
        let (mut of_samples, mut of_histograms) = (Vec::new(), Vec::new());
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range) {
                samples.note_run(&slot.samples.live, &mut of_samples);
                if let Some(all) = &slot.histograms {
                    histograms.note_run(&all.live, &mut of_histograms);
                }
            }
        });
        let (samples, histograms) = (samples.admitted(), histograms.admitted());
        let extras = self.extras.lock();
        let (exemplars, starts) = (extras.exemplar_dates(), extras.start_dates());
        CutDates { samples, histograms, exemplars, starts }
    }
}

/// The dates of the rows of a table that are not to stay, and whether the window has rows there.
struct Leaving {
    window: Window,
    dates: BTreeMap<Date, bool>,
}

impl Leaving {
    fn new(window: Window) -> Self {
        Leaving { window, dates: BTreeMap::new() }
    }

    /// Notes the dates of a run: by its earliest and latest time if these tell all.
    fn note_run<R: PackedRun>(&mut self, run: &R, scratch: &mut Vec<(i64, R::Value)>) {
        let Some((min, max)) = run.range() else { return };
        if Date::of_ms(min) == Date::of_ms(max) {
            [min, max].into_iter().for_each(|time_ms| self.note(time_ms));
        } else {
            run.read(scratch);
            scratch.iter().for_each(|(time_ms, _)| self.note(*time_ms));
        }
    }

    /// Notes the date of a row.
    fn note(&mut self, time_ms: i64) {
        match self.window.class(time_ms) {
            Class::Stay => {}
            class => *self.dates.entry(Date::of_ms(time_ms)).or_insert(false) |= class == Class::Window,
        }
    }

    fn admitted(self) -> BTreeSet<Date> {
        plan::admitted(&self.dates).into_iter().collect()
    }
}
