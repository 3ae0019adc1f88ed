//! Freezing: taking the rows of a cut out of the live head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::batch::Sample;
use model::time::Date;

use super::histograms::{HistogramRun, TimeHistogram};
use super::run::Run;
use super::slots::Slot;
use super::{FrozenExtras, Head};
use crate::codec::TimeValue;
use crate::cut::plan::{self, Class, Window};
use crate::rows::{HistogramRow, Rows, StartRow};
use crate::series::Series;

/// Carried rows are journaled in records of about this many samples.
const CARRY_SAMPLES: usize = 1 << 16;

/// And of at most this many exemplars, which are labels for the most part, or native histograms.
const CARRY_EXTRAS: usize = 1 << 12;

/// What a cut took, and what it leaves behind and must carry.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// The cut's number.
    pub(crate) number: u64,
    pub(crate) window: Window,
    /// Each series that has rows in this cut, in no order.
    pub(crate) series: Vec<FrozenSeries>,
    /// Each series that has native histograms in this cut, in no order.
    pub(crate) histograms: Vec<FrozenHistograms>,
    pub(crate) extras: Arc<FrozenExtras>,
    /// Copies of the rows that stayed, which must be journaled again before the cut may commit.
    pub(crate) carried: Vec<Rows>,
    /// How many rows were taken.
    pub(crate) rows: u64,
}

/// The dates that a cut takes rows of; of each table no more than a cut may.
#[derive(Debug, Clone, Default)]
pub(crate) struct CutDates {
    pub(crate) samples: BTreeSet<Date>,
    pub(crate) histograms: BTreeSet<Date>,
    pub(crate) exemplars: BTreeSet<Date>,
    pub(crate) starts: BTreeSet<Date>,
}

impl CutDates {
    fn tables(&mut self) -> [&mut BTreeSet<Date>; 4] {
        [&mut self.samples, &mut self.histograms, &mut self.exemplars, &mut self.starts]
    }

    /// The dates of any.
    pub(crate) fn all(&self) -> BTreeSet<Date> {
        let tables = [&self.samples, &self.histograms, &self.exemplars, &self.starts];
        tables.into_iter().flatten().copied().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Leaves out the dates that are not among these.
    pub(crate) fn retain(&mut self, dates: &BTreeSet<Date>) {
        self.tables().into_iter().for_each(|of_table| of_table.retain(|date| dates.contains(date)));
    }
}

/// The rows of one series in a cut.
#[derive(Debug, Clone)]
pub(crate) struct FrozenSeries {
    pub(crate) series: Arc<Series>,
    pub(crate) run: Arc<Run>,
}

/// The native histograms of one series in a cut.
#[derive(Debug, Clone)]
pub(crate) struct FrozenHistograms {
    pub(crate) series: Arc<Series>,
    pub(crate) run: Arc<HistogramRun>,
}

impl Head {
    /// Takes the rows of `dates` that leave in cut `number`. Called between two groups by the thread that applies rows.
    pub(crate) fn freeze(&self, number: u64, window: Window, dates: &CutDates) -> Frozen {
        let leaves = |dates: &BTreeSet<Date>, time_ms| {
            window.class(time_ms) != Class::Stay && dates.contains(&Date::of_ms(time_ms))
        };
        let samples_leave = |time_ms| leaves(&dates.samples, time_ms);
        let histograms_leave = |time_ms| leaves(&dates.histograms, time_ms);
        let (mut series, mut histograms) = (Vec::new(), Vec::new());
        let mut carried = Carried::default();
        let mut scratch = Scratch::default();
        // No row is added meanwhile, and a query finds those of a series live or frozen.
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range).filter(|slot| slot.has_live_rows()) {
                self.usage.add(slot.freeze(number, window, &samples_leave, &mut scratch, &mut carried));
                if let Some((_, run)) = slot.frozen.last().filter(|(cut, _)| *cut == number) {
                    series.push(FrozenSeries { series: slot.series.clone(), run: run.clone() });
                }
                if let Some(run) = slot.freeze_histograms(number, window, &histograms_leave, &self.usage, &mut carried)
                {
                    histograms.push(FrozenHistograms { series: slot.series.clone(), run });
                }
            }
        });
        let extras = self.extras.lock().freeze(number, dates, &mut carried);
        let rows = series.iter().map(|frozen| frozen.run.len() as u64).sum::<u64>()
            + histograms.iter().map(|frozen| frozen.run.len() as u64).sum::<u64>()
            + (extras.exemplars.len() + extras.starts.len() + extras.metadata.len()) as u64;
        Frozen { number, window, series, histograms, extras, carried: carried.finish(), rows }
    }

    /// The dates of which a cut may take rows now. What comes for other dates before it is made stays behind.
    pub(crate) fn dates(&self, window: Window) -> CutDates {
        let (mut samples, mut histograms) = (Leaving::new(window), Leaving::new(window));
        let mut scratch = Vec::new();
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range) {
                if samples.has_to_look_into(slot.live.range()) {
                    slot.live.read(&mut scratch);
                    scratch.iter().for_each(|(time_ms, _)| samples.note(*time_ms));
                }
                let Some(all) = &slot.histograms else { continue };
                if histograms.has_to_look_into(all.live.range()) {
                    all.live.read().iter().for_each(|(time_ms, _)| histograms.note(*time_ms));
                }
            }
        });
        let (samples, histograms) = (samples.admitted(), histograms.admitted());
        let extras = self.extras.lock();
        CutDates { samples, histograms, exemplars: extras.exemplar_dates(), starts: extras.start_dates() }
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

    /// Notes the dates of a run by its earliest and latest time; returns whether these do not tell all.
    fn has_to_look_into(&mut self, range: Option<(i64, i64)>) -> bool {
        let Some((min, max)) = range else { return false };
        if Date::of_ms(min) != Date::of_ms(max) {
            return true;
        }
        let classes = [self.window.class(min), self.window.class(max)];
        if classes != [Class::Stay; 2] {
            *self.dates.entry(Date::of_ms(min)).or_insert(false) |= classes.contains(&Class::Window);
        }
        false
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

#[derive(Default)]
struct Scratch {
    all: Vec<TimeValue>,
    leave: Vec<TimeValue>,
    stay: Vec<TimeValue>,
}

impl Slot {
    /// Splits the live rows into those that leave and those that stay; returns by how many bytes the slot grew.
    fn freeze(
        &mut self,
        number: u64,
        window: Window,
        leaves: &impl Fn(i64) -> bool,
        scratch: &mut Scratch,
        carried: &mut Carried,
    ) -> i64 {
        let Some((min, max)) = self.live.range() else { return 0 };
        if window.uniform(min, max).is_some() && leaves(min) {
            let run = std::mem::take(&mut self.live);
            self.frozen.push((number, Arc::new(run)));
            return 0;
        }
        let before = self.live.memory_bytes();
        // In order, as they mostly come, those that leave are not packed anew: while this runs nobody is answered.
        let (run, stay) = match self.live.leaving(leaves, &mut scratch.all) {
            Some(run) => {
                let stay = &scratch.all[run.len()..];
                (run, stay)
            }
            None => {
                self.live.read(&mut scratch.all);
                scratch.leave.clear();
                scratch.stay.clear();
                for sample in &scratch.all {
                    if leaves(sample.0) { scratch.leave.push(*sample) } else { scratch.stay.push(*sample) }
                }
                (Run::of(&scratch.leave), &scratch.stay[..])
            }
        };
        carried.push(&self.series, stay);
        if run.is_empty() {
            return 0;
        }
        self.live = Run::of(stay);
        let after = run.memory_bytes() + self.live.memory_bytes();
        self.frozen.push((number, Arc::new(run)));
        after - before
    }

    /// As [`Slot::freeze`], with the native histograms; returns those that leave.
    fn freeze_histograms(
        &mut self,
        number: u64,
        window: Window,
        leaves: &impl Fn(i64) -> bool,
        usage: &super::Usage,
        carried: &mut Carried,
    ) -> Option<Arc<HistogramRun>> {
        let all = self.histograms.as_mut().filter(|all| !all.live.is_empty())?;
        let (min, max) = all.live.range()?;
        if window.uniform(min, max).is_some() && leaves(min) {
            let run = Arc::new(std::mem::take(&mut all.live));
            all.frozen.push((number, run.clone()));
            return Some(run);
        }
        let before = all.live.memory_bytes();
        let (leave, stay): (Vec<_>, Vec<_>) = all.live.read().into_iter().partition(|(time_ms, _)| leaves(*time_ms));
        carried.histograms(&self.series, &stay);
        if leave.is_empty() {
            return None;
        }
        let run = Arc::new(HistogramRun::of(&leave));
        all.live = HistogramRun::of(&stay);
        usage.add(run.memory_bytes() + all.live.memory_bytes() - before);
        all.frozen.push((number, run.clone()));
        Some(run)
    }
}

/// Gathers the rows to be carried into records of bearable size.
#[derive(Default)]
pub(super) struct Carried {
    full: Vec<Rows>,
    open: Rows,
    /// The series of the open one's samples.
    series: Vec<Arc<Series>>,
}

impl Carried {
    fn push(&mut self, series: &Arc<Series>, samples: &[TimeValue]) {
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

    fn histograms(&mut self, series: &Arc<Series>, histograms: &[TimeHistogram]) {
        for (time_ms, value) in histograms {
            let row = HistogramRow { series: series.clone(), time_ms: *time_ms, value: value.clone() };
            self.open.histograms.push(row);
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
