//! Eviction: series that nobody writes any more leave memory.
//!
//! Time is counted in rounds. A slot notes the round in which it was last written; what was last written before a round
//! that began long ago is idle. When that is, the store decides (`store::idle`).
//!
//! A series has one entry as long as anybody holds it: rows on their way to the journal, carried rows, the rows of a cut,
//! exemplars, the memo of a sender whose last batch had it. [`Arc::try_unwrap`] claims it only if the slot is the last to hold it. Those who merely remember it (the
//! cache of label bytes) hold it weakly, and no more get it once it is claimed; those who look it up wait for the shard's
//! lock and find no entry. So no rows can be on their way to a slot that is gone, and no second entry can stand beside
//! the first. A series that comes back gets a new entry, which no generation of the journal has defined yet.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Head;
use super::histograms::HistogramRun;
use super::runs::Runs;
use super::shard::{self, Shard};

impl Head {
    /// Begins a round and returns its number.
    pub(crate) fn begin_round(&self) -> u32 {
        self.round.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Lets go of series without rows that were last written before round `before`. Returns how many went.
    pub(crate) fn evict(&self, before: u32) -> u64 {
        let mut evicted = 0;
        self.sweep(|shard, range| {
            let (gone, freed) = shard.evict(range, before);
            self.usage.add(-freed);
            evicted += gone;
        });
        for shard in &self.shards {
            self.usage.add(-shard.lock().trim());
        }
        self.names.sweep();
        self.usage.series.fetch_sub(evicted, Ordering::Relaxed);
        self.usage.evicted.fetch_add(evicted, Ordering::Relaxed);
        evicted
    }
}

impl Shard {
    /// Evicts among some slots; returns how many series went and how many bytes that freed.
    fn evict(&mut self, range: Range<usize>, before: u32) -> (u64, i64) {
        let (mut evicted, mut freed) = (0, 0);
        for number in range {
            let idle = |slot: &super::slots::Slot| slot.is_empty() && slot.written < before;
            if !self.slots.get(number).is_some_and(idle) {
                continue;
            }
            let Some(mut slot) = self.slots.take(number) else { continue };
            match Arc::try_unwrap(slot.series) {
                Ok(series) => {
                    freed += if slot.histograms.is_some() { size_of::<Runs<HistogramRun>>() as i64 } else { 0 };
                    freed += self.forget(number as u32, &series);
                    evicted += 1;
                }
                Err(held) => {
                    slot.series = held;
                    self.slots.put_back(number, slot);
                }
            }
        }
        (evicted, freed)
    }

    /// Takes a series out of the table and the postings; returns how many bytes that and the series itself freed.
    fn forget(&mut self, number: u32, series: &crate::series::Series) -> i64 {
        let hash = shard::hash(&series.key.name, &series.key.cluster, series.id);
        if let Ok(entry) = self.by_key.find_entry(hash, |slot| *slot == number) {
            entry.remove();
        }
        series.cluster.release();
        let before = self.postings.memory_bytes();
        self.postings.remove(number, &series.key);
        (before - self.postings.memory_bytes()) as i64 + series.memory_bytes() as i64
    }

    /// Gives back the slots behind the last series; returns how many bytes that freed.
    fn trim(&mut self) -> i64 {
        let before = self.slots.memory_bytes();
        self.slots.trim();
        (before - self.slots.memory_bytes()) as i64
    }
}

#[cfg(test)]
mod tests;
