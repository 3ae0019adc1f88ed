//! Reading the head for a query: matching series, their rows, as the tables show them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int8Array, Int64Array, Int64Builder, RecordBatch, StringBuilder};
use model::batch::STALE_NAN_BITS;
use model::time::Date;

use super::run::Run;
use super::shard;
use super::slots::Slot;
use super::{FrozenExtras, Head};
use crate::codec::TimeValue;
use crate::matcher::Matcher;
use crate::series::Series;
use crate::snapshot::{HeadRows, SeriesInfo};
use crate::tables::Table;

/// Rows of a `RecordBatch` of the head.
const BATCH_ROWS: usize = 32 * 1024;
/// Rows of the live head win over all others; those of frozen cut n have this rank plus n; blocks are far below.
const FROZEN_RANK: i64 = i64::MAX / 2;

impl Slot {
    /// The runs that a snapshot sees whose blocks reach up to cut `committed`, with their rank.
    fn visible(&self, committed: u64) -> impl Iterator<Item = (i64, &Run)> {
        let frozen = self.frozen.iter().filter(move |(cut, _)| *cut > committed);
        let frozen = frozen.map(|(cut, run)| (FROZEN_RANK + *cut as i64, run.as_ref()));
        let live = Some((i64::MAX, &self.live)).filter(|(_, run)| !run.is_empty());
        frozen.chain(live)
    }

    fn first_time_ms(&self, committed: u64, time_ms: &RangeInclusive<i64>) -> Option<i64> {
        let ranges = self.visible(committed).filter_map(|(_, run)| run.range());
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

    /// The visible samples of `series`, which are in table order, within the range; one [`HeadRows`] per rank.
    pub(crate) fn samples(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: &RangeInclusive<i64>,
        committed: u64,
    ) -> Vec<HeadRows> {
        let mut runs: Vec<(i64, usize, Run)> = Vec::new();
        let mut places: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.shards.len()];
        for (place, info) in series.iter().enumerate() {
            let hash = shard::hash(&info.key.name, &info.key.cluster, info.id);
            places[(hash >> 48) as usize % self.shards.len()].push((place, hash));
        }
        for (shard, places) in self.shards.iter().zip(places) {
            let shard = shard.lock();
            for (place, hash) in places {
                let key = &series[place].key;
                let Some(found) = shard.find(hash, &key.name, &key.cluster, series[place].id) else { continue };
                for (rank, run) in shard.slots[found.slot].visible(committed) {
                    let overlaps = |(min, max): (i64, i64)| min <= *time_ms.end() && max >= *time_ms.start();
                    if run.range().is_some_and(overlaps) {
                        // Chunks are shared, only the open tail is copied.
                        runs.push((rank, place, run.clone()));
                    }
                }
            }
        }
        runs.sort_by_key(|(rank, place, _)| (*rank, *place));
        runs.chunk_by(|a, b| a.0 == b.0).filter_map(|runs| head_rows(runs, series, time_ms)).collect()
    }

    /// Each series with visible rows, and the days of these with the time of its first row on that day.
    pub(crate) fn days(&self, committed: u64) -> Vec<(Arc<Series>, BTreeMap<Date, i64>)> {
        let mut found = Vec::new();
        let mut scratch = Vec::new();
        for shard in &self.shards {
            for slot in shard.lock().slots.iter() {
                let mut days = BTreeMap::new();
                let mut note = |time_ms: i64| {
                    let first = days.entry(Date::of_ms(time_ms)).or_insert(time_ms);
                    *first = time_ms.min(*first);
                };
                for (_, run) in slot.visible(committed) {
                    match run.range() {
                        Some((min, max)) if Date::of_ms(min) == Date::of_ms(max) => note(min),
                        _ => {
                            run.read(&mut scratch);
                            scratch.iter().for_each(|sample| note(sample.0));
                        }
                    }
                }
                if !days.is_empty() {
                    found.push((slot.series.clone(), days));
                }
            }
        }
        found
    }

    /// The visible exemplars and metadata.
    pub(crate) fn extras(&self, committed: u64) -> Vec<Arc<FrozenExtras>> {
        let extras = self.extras.lock();
        let frozen = extras.frozen.iter().filter(|(cut, _)| *cut > committed).map(|(_, frozen)| frozen.clone());
        let live =
            FrozenExtras { exemplars: extras.exemplars.clone(), metadata: extras.metadata.values().cloned().collect() };
        frozen.chain([Arc::new(live)]).collect()
    }
}

/// Unpacks runs of one rank into batches of the `samples` schema.
fn head_rows(
    runs: &[(i64, usize, Run)],
    series: &[Arc<SeriesInfo>],
    time_ms: &RangeInclusive<i64>,
) -> Option<HeadRows> {
    let mut columns = SampleColumns::default();
    let mut rows =
        HeadRows { batches: Vec::new(), rank: runs.first()?.0, min_time_ms: i64::MAX, max_time_ms: i64::MIN };
    let mut scratch = Vec::new();
    for (_, place, run) in runs {
        run.read(&mut scratch);
        for sample in scratch.iter().filter(|sample| time_ms.contains(&sample.0)) {
            rows.min_time_ms = rows.min_time_ms.min(sample.0);
            rows.max_time_ms = rows.max_time_ms.max(sample.0);
            columns.push(&series[*place], *sample);
            if columns.rows >= BATCH_ROWS {
                rows.batches.extend(std::mem::take(&mut columns).finish());
            }
        }
    }
    rows.batches.extend(columns.finish());
    (!rows.batches.is_empty()).then_some(rows)
}

#[derive(Default)]
struct SampleColumns {
    rows: usize,
    name: StringBuilder,
    cluster: StringBuilder,
    series_id: Int64Builder,
    time_ms: Int64Builder,
    value: Float64Builder,
}

impl SampleColumns {
    fn push(&mut self, series: &SeriesInfo, (time_ms, bits): TimeValue) {
        self.rows += 1;
        self.name.append_value(&series.key.name);
        self.cluster.append_value(&series.key.cluster);
        self.series_id.append_value(series.id);
        self.time_ms.append_value(time_ms);
        self.value.append_option((bits != STALE_NAN_BITS).then(|| f64::from_bits(bits)));
    }

    fn finish(mut self) -> Option<RecordBatch> {
        if self.rows == 0 {
            return None;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.name.finish()),
            Arc::new(self.cluster.finish()),
            Arc::new(self.series_id.finish()),
            Arc::new(self.time_ms.finish()),
            Arc::new(Int64Array::new_null(self.rows)),
            Arc::new(Int8Array::new_null(self.rows)),
            Arc::new(self.value.finish()),
        ];
        // The columns are built to the schema just above.
        RecordBatch::try_new(Table::Samples.schema(), columns).ok()
    }
}
