//! The head: rows not yet in a block, in shards by series.
//!
//! Owns: series entries, their rows, the postings beside them, and what a cut has frozen until its blocks are live.
//! Does not own: when rows are durable (`journal`), which rows leave in a cut (`cut::plan`).
//!
//! Only the journal's writer thread adds rows and freezes, in journal order; queries read one shard at a time. A freeze takes
//! all rows of a series; those that are to stay come back to the live ones right after (`settle`). A frozen run stays with
//! its series until no snapshot needs it, so that a query that began before a commit finds each row exactly once: in the
//! frozen run if its snapshot is older than the commit, else in a block. A series that has no rows any more and is not
//! written for a while leaves memory (`evict`).

mod chunk;
mod columns;
mod evict;
mod extras;
mod freeze;
mod histograms;
mod names;
mod packed;
mod read;
mod run;
mod runs;
mod settle;
mod shard;
mod slots;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use model::batch::{Kind, Sample, SeriesLimits};
use model::{Error, Logs, Resource, SeriesKey, Spans};
use parking_lot::{Mutex, MutexGuard};

use crate::block::LastSamples;
use crate::cluster::Clusters;
use crate::columnar::{Chunk, Columnar};
use crate::record::{Intern, Origin};
use crate::rows::Rows;
use crate::series::Series;
use crate::stretch::Target;

use columns::Columns;
use extras::Extras;
pub(crate) use extras::FrozenExtras;
pub(crate) use freeze::{CutDates, Frozen, FrozenRun, Takes};
use names::Names;
pub use packed::{HeadBatches, HeadRows};
pub(crate) use runs::PackedRun;
pub(crate) use settle::CutRows;
use shard::{OfSlot, Shard};

/// Whoever goes through all slots of a shard holds its lock for so many at a time.
const SWEEP_SLOTS: usize = 512;

/// The rows of a store that are in no block yet.
#[derive(Debug)]
pub(crate) struct Head {
    shards: Box<[Mutex<Shard>]>,
    /// The samples that are being applied, by shard; empty in between.
    of_shard: Mutex<Vec<Vec<OfSlot>>>,
    clusters: Clusters,
    names: Names,
    extras: Mutex<Extras>,
    columns: Columns,
    usage: Usage,
    /// The round of evictions under way.
    round: AtomicU32,
    kind_changes: AtomicU64,
}

/// How much the head holds.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Bytes of rows and series, frozen ones included.
    bytes: AtomicI64,
    /// Series entries.
    pub(crate) series: AtomicU64,
    /// Series entries let go since the start.
    pub(crate) evicted: AtomicU64,
    /// Series refused because another one has the same id.
    pub(crate) collisions: AtomicU64,
    /// Samples applied since the start.
    pub(crate) samples: AtomicU64,
    /// Log rows applied since the start.
    pub(crate) log_rows: AtomicU64,
    /// Spans applied since the start.
    pub(crate) spans: AtomicU64,
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
            of_shard: Mutex::new(vec![Vec::new(); shards.max(1)]),
            clusters: Clusters::default(),
            names: Names::default(),
            extras: Mutex::default(),
            columns: Columns::default(),
            usage: Usage::default(),
            round: AtomicU32::new(0),
            kind_changes: AtomicU64::new(0),
        }
    }

    /// Notes what a series measures.
    pub(crate) fn set_kind(&self, series: &Series, kind: Kind) {
        if series.set_kind(kind) {
            self.kind_changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often something else was said of what a series measures than before.
    pub(crate) fn kind_changes(&self) -> u64 {
        self.kind_changes.load(Ordering::Relaxed)
    }

    /// The round of evictions under way.
    pub(crate) fn round(&self) -> u32 {
        self.round.load(Ordering::Relaxed)
    }

    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Finds or makes the entry of a series, and says whether it was made.
    ///
    /// # Errors
    /// `Invalid` if another series of the same name and cluster has the same id.
    pub(crate) fn entry(&self, key: SeriesKey, kind: Kind) -> Result<(Arc<Series>, bool), Error> {
        self.entry_within(key, kind, None)
    }

    /// As [`Head::entry`], within the limits of the cluster at a time in milliseconds.
    ///
    /// # Errors
    /// As [`Head::entry`], `TooLarge` if the cluster may not have one more, and `Forbidden` if there may not be one more
    /// cluster.
    pub(crate) fn entry_within(
        &self,
        key: SeriesKey,
        kind: Kind,
        limits: Option<(&SeriesLimits, i64)>,
    ) -> Result<(Arc<Series>, bool), Error> {
        let id = key.labels.series_id();
        let hash = shard::hash(&key.name, &key.cluster, id);
        let at = (hash >> 48) as usize % self.shards.len();
        let max_clusters = limits.map_or(u64::MAX, |(limits, _)| limits.max_clusters);
        let (shared, cluster) =
            self.clusters.entry_within(&key.cluster, max_clusters, &|| format!("series {} is", key.name))?;
        let mut shard = self.shards[at].lock();
        if let Some(series) = shard.find(hash, &key.name, &key.cluster, id) {
            if series.key.labels != key.labels {
                self.usage.collisions.fetch_add(1, Ordering::Relaxed);
                return Err(Error::invalid(format!(
                    "series {}{:?} of cluster {:?} has the same id as {:?}, change one of its labels",
                    key.name, key.labels, key.cluster, series.key.labels
                )));
            }
            self.set_kind(series, kind);
            return Ok((series.clone(), false));
        }
        cluster.admit(&key, limits)?;
        let key = SeriesKey { name: self.names.shared(key.name), cluster: shared, ..key };
        let (series, grown) = shard.insert(hash, key, id, at as u32, cluster, self.round.load(Ordering::Relaxed));
        self.set_kind(&series, kind);
        self.usage.add(grown);
        self.usage.series.fetch_add(1, Ordering::Relaxed);
        Ok((series, true))
    }

    /// Takes in what blocks tell of the newest sample of each cluster.
    pub(crate) fn saw(&self, told: &LastSamples) {
        for (cluster, time_ms) in told.iter() {
            self.clusters.entry(cluster).1.saw(time_ms);
        }
    }

    /// Takes in which clusters blocks of logs and spans have rows of. Those say nothing of the newest sample.
    pub(crate) fn knows(&self, told: &LastSamples) {
        told.iter().for_each(|(cluster, _)| drop(self.clusters.entry(cluster)));
    }

    /// Makes the clusters of rows known, but for those that the rows may not bring; says which resources may stay, by place,
    /// and why the others may not. Resources that no row is of count for nothing.
    pub(crate) fn admit_clusters<C: Columnar>(&self, rows: &C, max: Option<u64>) -> Vec<Result<(), Error>> {
        let (resources, places) = rows.resources();
        let mut is_used = vec![false; resources.len()];
        places.iter().for_each(|place| is_used[*place as usize] = true);
        let admit = |(resource, is_used): (&Arc<Resource>, bool)| match is_used {
            true => {
                let entry =
                    self.clusters.entry_within(&resource.cluster, max.unwrap_or(u64::MAX), &|| "its rows are".into());
                entry.map(drop)
            }
            false => Ok(()),
        };
        resources.iter().zip(is_used).map(admit).collect()
    }

    /// The newest sample of each cluster, in milliseconds.
    pub(crate) fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        self.clusters.last_samples()
    }

    /// Adds rows that are durable. Called in journal order by one thread.
    pub(crate) fn apply(&self, rows: Rows, origin: Origin) {
        self.usage.samples.fetch_add(rows.samples.len() as u64, Ordering::Relaxed);
        let round = self.round.load(Ordering::Relaxed);
        // One pass over the samples however many shards there are: this thread is the only one that applies.
        let mut of_shard = self.of_shard.lock();
        let mut at = 0;
        for (stretch, first, samples) in rows.series.by_stretch(&rows.samples) {
            let target = |sample: &Sample| stretch.targets()[(sample.series - first) as usize];
            let lives = |sample: &&Sample| target(sample).sign.is_of_life(sample.value);
            if let Some(newest_ms) = samples.iter().filter(lives).map(|sample| sample.time_ms).max() {
                stretch.state().saw(newest_ms);
            }
            for samples in samples.chunk_by(|a, b| a.series == b.series) {
                let Target { shard, slot, .. } = target(&samples[0]);
                of_shard[shard as usize].push(OfSlot { slot, start: at, count: samples.len() as u32 });
                at += samples.len() as u32;
            }
        }
        for (shard, parts) in self.shards.iter().zip(&mut *of_shard).filter(|(_, parts)| !parts.is_empty()) {
            self.usage.add(shard.lock().apply(&rows.samples, parts, origin, round));
            parts.clear();
        }
        self.usage.samples.fetch_add(rows.histograms.len() as u64, Ordering::Relaxed);
        for rows in rows.histograms.chunk_by(|a, b| Arc::ptr_eq(&a.series, &b.series)) {
            let shard = &self.shards[rows[0].series.shard as usize];
            self.usage.add(shard.lock().apply_histograms(rows, origin, round));
        }
        if !rows.exemplars.is_empty() || !rows.starts.is_empty() || !rows.metadata.is_empty() {
            self.usage.add(self.extras.lock().apply(rows, origin));
        }
    }

    /// Adds log rows that are durable.
    pub(crate) fn apply_logs(&self, rows: Arc<Logs>) {
        self.usage.log_rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
        let grown = self.columns.logs.lock().apply(rows);
        self.usage.add(grown);
    }

    /// Adds spans that are durable.
    pub(crate) fn apply_spans(&self, rows: Arc<Spans>) {
        self.usage.spans.fetch_add(rows.len() as u64, Ordering::Relaxed);
        let grown = self.columns.spans.lock().apply(rows);
        self.usage.add(grown);
    }

    /// Whether there is anything that a cut could take.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_columns() && !self.has_metrics()
    }

    /// Whether there are rows of series.
    pub(crate) fn has_metrics(&self) -> bool {
        !self.extras.lock().is_empty() || self.shards.iter().any(|shard| shard.lock().has_rows())
    }

    /// Whether there are logs or spans.
    pub(crate) fn has_columns(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Bytes of logs and spans that a cut would take.
    pub(crate) fn columns_bytes(&self) -> u64 {
        self.columns.live_bytes().max(0) as u64
    }

    /// The log rows that are in no block of a view that reaches up to a cut.
    pub(crate) fn logs(&self, cut: u64) -> Vec<Chunk<Logs>> {
        self.columns.logs.lock().chunks(cut)
    }

    /// The spans that are in no block of a view that reaches up to a cut.
    pub(crate) fn spans(&self, cut: u64) -> Vec<Chunk<Spans>> {
        self.columns.spans.lock().chunks(cut)
    }

    /// Whether there is metadata, which leaves in any cut.
    pub(crate) fn has_metadata(&self) -> bool {
        !self.extras.lock().metadata.is_empty()
    }

    /// Lets go of what cut `number` and those before it froze. No snapshot older than the commit may be left.
    pub(crate) fn retire(&self, number: u64) {
        self.sweep(|shard, range| self.usage.add(-shard.retire(range, number)));
        self.usage.add(-self.extras.lock().retire(number));
        self.usage.add(-self.columns.retire(number));
    }

    /// Goes through the slots of all shards, some at a time, so that nobody waits long for a shard's lock.
    fn sweep(&self, mut visit: impl FnMut(&mut Shard, Range<usize>)) {
        for shard in &self.shards {
            let mut from = 0;
            loop {
                let mut locked = shard.lock();
                let to = locked.slots.len().min(from + SWEEP_SLOTS);
                if from >= to {
                    break;
                }
                visit(&mut locked, from..to);
                MutexGuard::unlock_fair(locked);
                from = to;
            }
        }
    }
}

/// Lets go of what cut `number` and those before it froze; returns how many bytes that freed.
fn retire<T>(frozen: &mut Vec<(u64, Arc<T>)>, number: u64, memory_bytes: impl Fn(&T) -> i64) -> i64 {
    let gone = frozen.extract_if(.., |(cut, _)| *cut <= number);
    gone.map(|(_, frozen)| memory_bytes(&frozen)).sum()
}

impl Intern for &Head {
    fn intern(&mut self, key: SeriesKey, kind: Kind) -> Result<Arc<Series>, Error> {
        self.entry(key, kind).map(|(series, _)| series)
    }
}

#[cfg(test)]
mod tests;
