//! Reading the head for a query: matching series, and the runs that hold their rows.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::Error;
use model::time::Date;
use roaring::RoaringBitmap;

use super::histograms::{HistogramRun, TimeHistogram};
use super::packed::{HeadRows, SeriesRun};
use super::run::Run;
use super::runs::PackedRun;
use super::shard::{self, Shard};
use super::slots::Slot;
use super::{FrozenExtras, Head};
use crate::index::LivePostings;
use crate::matcher::Matcher;
use crate::series::{Series, SeriesInfo};

/// Series whose runs are copied while their shard is locked; then whoever adds rows has a turn.
const SERIES_AT_ONCE: usize = 1024;
impl Slot {
    fn first_time_ms(&self, committed: u64, time_ms: &RangeInclusive<i64>) -> Option<i64> {
        let histograms = self.histograms.iter().flat_map(|all| all.visible(committed));
        let histograms = histograms.filter_map(|(_, run)| run.range());
        let ranges = self.samples.visible(committed).filter_map(|(_, run)| run.range()).chain(histograms);
        let overlapping = ranges.filter(|(min, max)| min <= time_ms.end() && max >= time_ms.start());
        overlapping.map(|(min, _)| min).min()
    }
}

impl Head {
    /// The series that fulfil the matchers and have visible rows in the range, with the time of their first row.
    pub(crate) fn select(
        &self,
        matchers: &[Matcher],
        time_ms: &RangeInclusive<i64>,
        committed: u64,
    ) -> Vec<(Arc<Series>, i64)> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            for slot in shard.postings.select(matchers) {
                let slot = &shard.slots[slot];
                if let Some(first) = slot.first_time_ms(committed, time_ms) {
                    found.push((slot.series.clone(), first));
                }
            }
        }
        found
    }

    /// Calls `visit` with the postings of each shard, and with the series among them that have visible rows in the range.
    /// `None` stands for all: of a range that reaches beyond `newest_ms`, where rows come in, no series is asked, and those
    /// that have come but a while ago are taken for present.
    pub(crate) fn each_postings(
        &self,
        time_ms: &RangeInclusive<i64>,
        committed: u64,
        newest_ms: i64,
        mut visit: impl FnMut(&LivePostings, Option<RoaringBitmap>),
    ) {
        for shard in &self.shards {
            let shard = shard.lock();
            let is_visible = |slot: &u32| {
                shard.slots.get(*slot as usize).is_some_and(|slot| slot.first_time_ms(committed, time_ms).is_some())
            };
            let visible = || shard.postings.all().iter().filter(is_visible).collect();
            visit(&shard.postings, (*time_ms.end() < newest_ms).then(visible));
        }
    }

    /// The visible samples of `series`, which are in table order, within the range; one [`HeadRows`] per rank.
    ///
    /// # Errors
    /// What `reserve` returns, which is asked for the bytes of what is taken, a little at a time.
    pub(crate) fn samples(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: &RangeInclusive<i64>,
        committed: u64,
        reserve: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<Vec<HeadRows>, Error> {
        let mut places: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.shards.len()];
        for (place, info) in series.iter().enumerate() {
            let hash = shard::hash(&info.key.name, &info.key.cluster, info.id);
            places[(hash >> 48) as usize % self.shards.len()].push((place, hash));
        }
        let mut by_rank: BTreeMap<i64, Vec<(usize, SeriesRun)>> = BTreeMap::new();
        for (shard, places) in self.shards.iter().zip(places) {
            for places in places.chunks(SERIES_AT_ONCE) {
                let taken = runs(&shard.lock(), places, series, time_ms, committed);
                for (rank, place, run) in taken {
                    let run = SeriesRun::new(series[place].clone(), run);
                    reserve(run.own_bytes())?;
                    by_rank.entry(rank).or_default().push((place, run));
                }
            }
        }
        let rows = by_rank.into_iter().filter_map(|(rank, mut runs)| {
            runs.sort_unstable_by_key(|(place, _)| *place);
            HeadRows::new(rank, runs.into_iter().map(|(_, run)| run).collect(), time_ms)
        });
        Ok(rows.collect())
    }

    /// Each series with visible rows, and the days of these with the time of its first row on that day.
    pub(crate) fn days(&self, committed: u64) -> Vec<(Arc<Series>, BTreeMap<Date, i64>)> {
        let mut found = Vec::new();
        let (mut samples, mut histograms) = (Vec::new(), Vec::new());
        for shard in &self.shards {
            for slot in shard.lock().slots.iter() {
                let mut days = BTreeMap::new();
                for (_, run) in slot.samples.visible(committed) {
                    note_days(run, &mut samples, &mut days);
                }
                for (_, run) in slot.histograms.iter().flat_map(|all| all.visible(committed)) {
                    note_days(run, &mut histograms, &mut days);
                }
                if !days.is_empty() {
                    found.push((slot.series.clone(), days));
                }
            }
        }
        found
    }

    /// The visible native histograms, series by series; of a series each run by itself.
    pub(crate) fn histograms(&self, committed: u64) -> Vec<(Arc<Series>, HistogramRun)> {
        let mut found = Vec::new();
        for shard in &self.shards {
            for slot in shard.lock().slots.iter() {
                let runs = slot.histograms.iter().flat_map(|all| all.visible(committed));
                found.extend(runs.map(|(_, run)| (slot.series.clone(), run.clone())));
            }
        }
        found
    }

    /// The visible native histograms of `series`, which are in table order, within the range: of each series that has some
    /// its place, and the histograms in order of time, of two with the same time the one that was written last.
    pub(crate) fn histograms_of(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: &RangeInclusive<i64>,
        committed: u64,
    ) -> Vec<(usize, Vec<TimeHistogram>)> {
        let (mut found, mut scratch) = (Vec::new(), Vec::new());
        for (place, info) in series.iter().enumerate() {
            let hash = shard::hash(&info.key.name, &info.key.cluster, info.id);
            let shard = self.shards[(hash >> 48) as usize % self.shards.len()].lock();
            let Some(entry) = shard.find(hash, &info.key.name, &info.key.cluster, info.id) else { continue };
            let Some(histograms) = &shard.slots[entry.slot].histograms else { continue };
            let mut by_time = BTreeMap::new();
            for (_, run) in histograms.visible(committed) {
                run.read(&mut scratch);
                by_time.extend(scratch.drain(..).filter(|(time, _)| time_ms.contains(time)));
            }
            if !by_time.is_empty() {
                found.push((place, by_time.into_iter().collect()));
            }
        }
        found
    }

    /// The visible exemplars, starts and metadata.
    pub(crate) fn extras(&self, committed: u64) -> Vec<Arc<FrozenExtras>> {
        let extras = self.extras.lock();
        let frozen = extras.frozen.iter().filter(|(cut, _)| *cut > committed).map(|(_, frozen)| frozen.clone());
        let live = FrozenExtras {
            exemplars: extras.exemplars.clone(),
            starts: extras.starts.clone(),
            metadata: extras.metadata.values().cloned().collect(),
        };
        frozen.chain([Arc::new(live)]).collect()
    }
}

/// Notes the days of a run's rows, with the time of the first row on each.
fn note_days<R: PackedRun>(run: &R, scratch: &mut Vec<(i64, R::Value)>, days: &mut BTreeMap<Date, i64>) {
    let mut note = |time_ms: i64| {
        let first = days.entry(Date::of_ms(time_ms)).or_insert(time_ms);
        *first = time_ms.min(*first);
    };
    match run.range() {
        Some((min, max)) if Date::of_ms(min) == Date::of_ms(max) => note(min),
        _ => {
            run.read(scratch);
            scratch.iter().for_each(|(time_ms, _)| note(*time_ms));
        }
    }
}

/// Copies of the visible runs of the series at these places that reach into the range, with rank and place. Chunks are
/// shared, only open tails are copied.
fn runs(
    shard: &Shard,
    places: &[(usize, u64)],
    series: &[Arc<SeriesInfo>],
    time_ms: &RangeInclusive<i64>,
    committed: u64,
) -> Vec<(i64, usize, Run)> {
    let overlaps = |(min, max): (i64, i64)| min <= *time_ms.end() && max >= *time_ms.start();
    let mut runs = Vec::with_capacity(places.len());
    for (place, hash) in places {
        let key = &series[*place].key;
        let Some(found) = shard.find(*hash, &key.name, &key.cluster, series[*place].id) else { continue };
        let visible = shard.slots[found.slot].samples.visible(committed);
        let wanted = visible.filter(|(_, run)| run.range().is_some_and(overlaps));
        runs.extend(wanted.map(|(rank, run)| (rank, *place, run.clone())));
    }
    runs
}
