//! Freezing: taking the rows of a cut out of the live head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::batch::Sample;
use model::time::Date;

use super::run::Run;
use super::slots::Slot;
use super::{FrozenExtras, Head};
use crate::codec::TimeValue;
use crate::cut::plan::{self, Class, Window};
use crate::rows::Rows;
use crate::series::Series;

/// Carried rows are journaled in records of about this many samples.
const CARRY_SAMPLES: usize = 1 << 16;

/// And of at most this many exemplars, which are labels for the most part.
const CARRY_EXEMPLARS: usize = 1 << 12;

/// What a cut took, and what it leaves behind and must carry.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// The cut's number.
    pub(crate) number: u64,
    pub(crate) window: Window,
    /// Each series that has rows in this cut, in no order.
    pub(crate) series: Vec<FrozenSeries>,
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
    pub(crate) exemplars: BTreeSet<Date>,
}

impl CutDates {
    /// The dates of either.
    pub(crate) fn all(&self) -> BTreeSet<Date> {
        &self.samples | &self.exemplars
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.exemplars.is_empty()
    }

    /// Leaves out the dates that are not among these.
    pub(crate) fn retain(&mut self, dates: &BTreeSet<Date>) {
        self.samples.retain(|date| dates.contains(date));
        self.exemplars.retain(|date| dates.contains(date));
    }
}

/// The rows of one series in a cut.
#[derive(Debug, Clone)]
pub(crate) struct FrozenSeries {
    pub(crate) series: Arc<Series>,
    pub(crate) run: Arc<Run>,
}

impl Head {
    /// Takes the rows of `dates` that leave in cut `number`. Called between two groups by the thread that applies rows.
    pub(crate) fn freeze(&self, number: u64, window: Window, dates: &CutDates) -> Frozen {
        let leaves = |time_ms| window.class(time_ms) != Class::Stay && dates.samples.contains(&Date::of_ms(time_ms));
        let mut series = Vec::new();
        let mut carried = Carried::default();
        let mut scratch = Scratch::default();
        // No row is added meanwhile, and a query finds those of a series live or frozen.
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range).filter(|slot| !slot.live.is_empty()) {
                self.usage.add(slot.freeze(number, window, &leaves, &mut scratch, &mut carried));
                if let Some((_, run)) = slot.frozen.last().filter(|(cut, _)| *cut == number) {
                    series.push(FrozenSeries { series: slot.series.clone(), run: run.clone() });
                }
            }
        });
        let extras = self.extras.lock().freeze(number, &dates.exemplars, &mut carried);
        let rows = series.iter().map(|frozen| frozen.run.len() as u64).sum::<u64>()
            + (extras.exemplars.len() + extras.metadata.len()) as u64;
        Frozen { number, window, series, extras, carried: carried.finish(), rows }
    }

    /// The dates of which a cut may take rows now. What comes for other dates before it is made stays behind.
    pub(crate) fn dates(&self, window: Window) -> CutDates {
        let samples = plan::admitted(&self.leaving_dates(window)).into_iter().collect();
        CutDates { samples, exemplars: self.extras.lock().leaving_dates() }
    }

    /// The dates of the rows that are not to stay, and whether the window has rows there.
    fn leaving_dates(&self, window: Window) -> BTreeMap<Date, bool> {
        let mut dates = BTreeMap::new();
        let mut note = |date: Date, in_window: bool| *dates.entry(date).or_insert(false) |= in_window;
        let mut scratch = Vec::new();
        self.sweep(|shard, range| {
            for slot in shard.slots.range_mut(range) {
                let Some((min, max)) = slot.live.range() else { continue };
                if Date::of_ms(min) == Date::of_ms(max) {
                    let classes = [window.class(min), window.class(max)];
                    if classes != [Class::Stay; 2] {
                        note(Date::of_ms(min), classes.contains(&Class::Window));
                    }
                    continue;
                }
                slot.live.read(&mut scratch);
                for (time_ms, _) in &scratch {
                    match window.class(*time_ms) {
                        Class::Stay => {}
                        class => note(Date::of_ms(*time_ms), class == Class::Window),
                    }
                }
            }
        });
        dates
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
        self.live.read(&mut scratch.all);
        scratch.leave.clear();
        scratch.stay.clear();
        for sample in &scratch.all {
            if leaves(sample.0) { scratch.leave.push(*sample) } else { scratch.stay.push(*sample) }
        }
        carried.push(&self.series, &scratch.stay);
        if scratch.leave.is_empty() {
            return 0;
        }
        let run = Run::of(&scratch.leave);
        self.live = Run::of(&scratch.stay);
        let after = run.memory_bytes() + self.live.memory_bytes();
        self.frozen.push((number, Arc::new(run)));
        after - before
    }
}

/// Gathers the rows to be carried into records of bearable size.
#[derive(Default)]
pub(super) struct Carried {
    full: Vec<Rows>,
    open: Rows,
}

impl Carried {
    fn push(&mut self, series: &Arc<Series>, samples: &[TimeValue]) {
        if samples.is_empty() {
            return;
        }
        let place = self.open.series.len() as u32;
        Arc::make_mut(&mut self.open.series).push(series.clone());
        let sample =
            |(time_ms, bits): &TimeValue| Sample { series: place, time_ms: *time_ms, value: f64::from_bits(*bits) };
        self.open.samples.extend(samples.iter().map(sample));
        if self.open.samples.len() >= CARRY_SAMPLES {
            self.full.push(std::mem::take(&mut self.open));
        }
    }

    pub(super) fn exemplars(&mut self, rows: &[crate::rows::ExemplarRow]) {
        for rows in rows.chunks(CARRY_EXEMPLARS) {
            self.open.exemplars.extend_from_slice(rows);
            self.full.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Vec<Rows> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }
}
