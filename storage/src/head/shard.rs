//! One shard of the head.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;
use model::SeriesKey;
use model::batch::Sample;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::histograms::HistogramRun;
use super::runs::{PackedRun, Runs};
use super::slots::{Slot, Slots};
use crate::cluster::ClusterState;
use crate::index::LivePostings;
use crate::record::Origin;
use crate::rows::HistogramRow;
use crate::series::Series;

/// The series of one shard and their rows.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    /// Slot numbers by the hash of name, cluster and id.
    pub(super) by_key: HashTable<u32>,
    pub(super) slots: Slots,
    /// Which slots have which label; the ordinals are slot numbers.
    pub(super) postings: LivePostings,
}

/// Consecutive samples of one slot.
#[derive(Debug, Clone)]
pub(super) struct OfSlot {
    pub(super) slot: u32,
    /// The first of them.
    pub(super) start: u32,
    pub(super) count: u32,
}

/// So many slots are fetched from memory at a time.
const FETCHED: usize = 16;

/// The hash of what makes a series unique.
pub(super) fn hash(name: &str, cluster: &str, id: i64) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), xxh3_64_with_seed(cluster.as_bytes(), xxh3_64(&id.to_le_bytes())))
}

fn slot_hash(slot: &Slot) -> u64 {
    hash(&slot.series.key.name, &slot.series.key.cluster, slot.series.id)
}

impl Shard {
    pub(super) fn find(&self, hash: u64, name: &str, cluster: &str, id: i64) -> Option<&Arc<Series>> {
        let slot = self.by_key.find(hash, |slot| {
            let series = &self.slots[*slot].series;
            series.id == id && *series.key.name == *name && *series.key.cluster == *cluster
        })?;
        Some(&self.slots[*slot].series)
    }

    /// Makes the entry of a series and returns by how many bytes the shard grew.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: SeriesKey,
        id: i64,
        shard: u32,
        cluster: Arc<ClusterState>,
        round: u32,
    ) -> (Arc<Series>, i64) {
        let before = self.index_bytes();
        let slot = self.slots.next();
        self.postings.insert(slot, &key);
        let series = Arc::new(Series::new(key, id, shard, slot, cluster));
        self.slots.fill(Slot::new(series.clone(), round));
        let slots = &self.slots;
        self.by_key.insert_unique(hash, slot, |slot| slot_hash(&slots[*slot]));
        let grown = self.index_bytes() - before + series.memory_bytes();
        (series, grown as i64)
    }

    fn index_bytes(&self) -> usize {
        self.postings.memory_bytes() as usize + self.slots.memory_bytes()
    }

    /// Adds the samples of these parts and returns by how many bytes the shard grew.
    pub(super) fn apply(&mut self, samples: &[Sample], parts: &[OfSlot], origin: Origin, round: u32) -> i64 {
        let mut grown = 0;
        let mut present = Vec::new();
        for parts in parts.chunks(FETCHED) {
            // Slots are spread over memory. Looked at one after the other, without more, several are fetched at a time.
            let fetched = parts.iter().map(|part| self.slots[part.slot].last_byte());
            std::hint::black_box(fetched.fold(0, |all, byte| all | byte));
            for part in parts {
                let slot = &mut self.slots[part.slot];
                slot.written = round;
                let live = &mut slot.samples.live;
                // Carried rows come series by series, so what a series has is read once for all of its rows in the record.
                match origin {
                    Origin::Written => present.clear(),
                    Origin::Carried => live.read(&mut present),
                }
                for sample in &samples[part.start as usize..(part.start + part.count) as usize] {
                    if present.binary_search_by_key(&sample.time_ms, |present| present.0).is_ok() {
                        continue;
                    }
                    grown += live.push((sample.time_ms, sample.value.to_bits()));
                }
            }
        }
        grown
    }

    pub(super) fn has_rows(&self) -> bool {
        self.slots.iter().any(Slot::has_live_rows)
    }

    /// Lets go of the frozen runs of some slots up to a cut and returns how many bytes that freed.
    pub(super) fn retire(&mut self, range: Range<usize>, number: u64) -> i64 {
        let mut freed = 0;
        for slot in self.slots.range_mut(range) {
            freed += slot.samples.retire(number);
            freed += slot.histograms.as_mut().map_or(0, |histograms| histograms.retire(number));
        }
        freed
    }

    /// Adds native histograms of one series of this shard and returns by how many bytes it grew.
    pub(super) fn apply_histograms(&mut self, rows: &[HistogramRow], origin: Origin, round: u32) -> i64 {
        let Some(HistogramRow { series, .. }) = rows.first() else { return 0 };
        let slot = &mut self.slots[series.slot];
        slot.written = round;
        let mut grown = if slot.histograms.is_none() { size_of::<Runs<HistogramRun>>() as i64 } else { 0 };
        let live = &mut slot.histograms.get_or_insert_default().live;
        // Carried rows come series by series, so what a series has is read once for all of its rows in the record.
        let mut present = Vec::new();
        if origin == Origin::Carried {
            live.read(&mut present);
        }
        let present: HashSet<i64> = present.into_iter().map(|(time_ms, _)| time_ms).collect();
        for row in rows.iter().filter(|row| !present.contains(&row.time_ms)) {
            grown += live.push(row.time_ms, &row.value);
            if series.sign.is_of_life(row.value.sum) {
                series.cluster.saw(row.time_ms);
            }
        }
        grown
    }
}
