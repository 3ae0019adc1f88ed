//! The head: rows not yet in a block, in shards by series.
//!
//! Owns: series entries, their rows, the postings beside them, and what a cut has frozen until its blocks are live.
//! Does not own: when rows are durable (`journal`), which rows leave in a cut (`cut::plan`).
//!
//! Only the journal's writer thread adds rows and freezes, in journal order; queries read one shard at a time. A frozen
//! run stays with its series until no snapshot needs it, so that a query that began before a commit finds each row
//! exactly once: in the frozen run if its snapshot is older than the commit, else in a block.

mod chunk;
mod freeze;
mod packed;
mod read;
mod run;
mod shard;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::batch::Kind;
use model::{Error, SeriesKey};
use parking_lot::{Mutex, RwLock};

use crate::record::{Intern, Origin};
use crate::rows::{ExemplarRow, MetadataRow, Rows};
use crate::series::{ClusterClock, Series};

pub(crate) use freeze::{Frozen, FrozenSeries};
pub use packed::{HeadBatches, HeadRows};
use shard::Shard;

/// The rows of a store that are in no block yet.
#[derive(Debug)]
pub(crate) struct Head {
    shards: Box<[Mutex<Shard>]>,
    clusters: RwLock<BTreeMap<Arc<str>, Arc<ClusterClock>>>,
    extras: Mutex<Extras>,
    usage: Usage,
}

/// Exemplars and metadata: few, so one list for all shards.
#[derive(Debug, Default)]
struct Extras {
    exemplars: Vec<ExemplarRow>,
    metadata: BTreeMap<(Arc<str>, String), MetadataRow>,
    frozen: Vec<(u64, Arc<FrozenExtras>)>,
}

/// What a cut took of them.
#[derive(Debug, Default)]
pub(crate) struct FrozenExtras {
    pub(crate) exemplars: Vec<ExemplarRow>,
    pub(crate) metadata: Vec<MetadataRow>,
}

/// How much the head holds.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Bytes of rows and series, frozen ones included.
    bytes: AtomicI64,
    /// Series entries.
    pub(crate) series: AtomicU64,
    /// Series refused because another one has the same id.
    pub(crate) collisions: AtomicU64,
    /// Samples applied since the start.
    pub(crate) samples: AtomicU64,
}

impl Usage {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed).max(0) as u64
    }

    fn add(&self, bytes: i64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Head {
    /// An empty head of so many shards.
    pub(crate) fn new(shards: usize) -> Self {
        Head {
            shards: (0..shards.max(1)).map(|_| Mutex::default()).collect(),
            clusters: RwLock::default(),
            extras: Mutex::default(),
            usage: Usage::default(),
        }
    }

    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Finds or makes the entry of a series, and says whether it was made.
    ///
    /// # Errors
    /// `Invalid` if another series of the same name and cluster has the same id.
    pub(crate) fn entry(&self, key: SeriesKey, kind: Kind) -> Result<(Arc<Series>, bool), Error> {
        let id = key.labels.series_id();
        let hash = shard::hash(&key.name, &key.cluster, id);
        let at = (hash >> 48) as usize % self.shards.len();
        let cluster = self.cluster(&key.cluster);
        let mut shard = self.shards[at].lock();
        if let Some(series) = shard.find(hash, &key.name, &key.cluster, id) {
            if series.key.labels != key.labels {
                self.usage.collisions.fetch_add(1, Ordering::Relaxed);
                return Err(Error::invalid(format!(
                    "series {}{:?} of cluster {:?} has the same id as {:?}, change one of its labels",
                    key.name, key.labels, key.cluster, series.key.labels
                )));
            }
            series.set_kind(kind);
            return Ok((series.clone(), false));
        }
        let series = shard.insert(hash, key, id, at as u32, cluster);
        series.set_kind(kind);
        self.usage.add(series.memory_bytes() as i64);
        self.usage.series.fetch_add(1, Ordering::Relaxed);
        Ok((series, true))
    }

    fn cluster(&self, name: &Arc<str>) -> Arc<ClusterClock> {
        if let Some(clock) = self.clusters.read().get(name) {
            return clock.clone();
        }
        self.clusters.write().entry(name.clone()).or_default().clone()
    }

    /// The newest sample of each cluster since the start, in milliseconds.
    pub(crate) fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        let clusters = self.clusters.read();
        clusters.iter().filter_map(|(name, clock)| Some((name.clone(), clock.last_time_ms()?))).collect()
    }

    /// Adds rows that are durable. Called in journal order by one thread.
    pub(crate) fn apply(&self, rows: Rows, origin: Origin) {
        self.usage.samples.fetch_add(rows.samples.len() as u64, Ordering::Relaxed);
        for (at, shard) in self.shards.iter().enumerate() {
            if rows.series.iter().any(|series| series.shard as usize == at) {
                self.usage.add(shard.lock().apply(&rows, at as u32, origin));
            }
        }
        if !rows.exemplars.is_empty() || !rows.metadata.is_empty() {
            let mut extras = self.extras.lock();
            extras.exemplars.extend(rows.exemplars);
            for row in rows.metadata {
                extras.metadata.insert((row.cluster.clone(), row.family.name.clone()), row);
            }
        }
    }

    /// Whether there is anything that a cut could take.
    pub(crate) fn is_empty(&self) -> bool {
        let extras = self.extras.lock();
        extras.exemplars.is_empty()
            && extras.metadata.is_empty()
            && self.shards.iter().all(|shard| !shard.lock().has_rows())
    }

    /// Lets go of what cut `number` and those before it froze. No snapshot older than the commit may be left.
    pub(crate) fn retire(&self, number: u64) {
        for shard in &self.shards {
            self.usage.add(-shard.lock().retire(number));
        }
        self.extras.lock().frozen.retain(|(cut, _)| *cut > number);
    }
}

impl Intern for &Head {
    fn intern(&mut self, key: SeriesKey, kind: Kind) -> Result<Arc<Series>, Error> {
        self.entry(key, kind).map(|(series, _)| series)
    }
}

#[cfg(test)]
mod tests;
