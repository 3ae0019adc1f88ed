//! Series that come one behind the other, and what the way of their rows needs to know of them, side by side.
//!
//! A series is spread over memory: to look at each for each of its samples, or to count who holds it, costs more than all
//! else that becomes of a sample. A stretch is held as one, and its series are not touched.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::cluster::ClusterState;
use crate::series::Series;
use crate::sign::Sign;

/// Where the rows of a series go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) shard: u32,
    pub(crate) slot: u32,
    /// What its rows say of its cluster.
    pub(crate) sign: Sign,
}

/// Series of one cluster. At least one.
#[derive(Debug)]
pub(crate) struct Stretch {
    cluster: Arc<str>,
    state: Arc<ClusterState>,
    series: Box<[Arc<Series>]>,
    targets: Box<[Target]>,
    /// The short ids of all series in the generation that has defined them last. Only the journal's writer asks.
    shorts: Mutex<Shorts>,
}

#[derive(Debug, Default)]
struct Shorts {
    /// One more than the generation; 0 for none.
    of: u64,
    ids: Vec<u64>,
}

impl Stretch {
    /// These series; `None` if there are none. They must be of one cluster.
    pub(crate) fn new(series: Vec<Arc<Series>>) -> Option<Self> {
        debug_assert!(series.windows(2).all(|pair| Arc::ptr_eq(&pair[0].cluster, &pair[1].cluster)), "two clusters");
        let first = series.first()?;
        let (cluster, state) = (first.key.cluster.clone(), first.cluster.clone());
        let target = |series: &Arc<Series>| Target { shard: series.shard, slot: series.slot, sign: series.sign };
        let targets = series.iter().map(target).collect();
        Some(Stretch { cluster, state, series: series.into(), targets, shorts: Mutex::default() })
    }

    /// The name of the cluster.
    pub(crate) fn cluster(&self) -> &Arc<str> {
        &self.cluster
    }

    /// What is known of the cluster.
    pub(crate) fn state(&self) -> &ClusterState {
        &self.state
    }

    /// The series, in order.
    pub(crate) fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// Where the rows of each go.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Appends the short ids of all series in this generation to `shorts`; `define` is asked for that of each series if the
    /// generation was not asked for before.
    pub(crate) fn shorts(&self, generation: u64, shorts: &mut Vec<u64>, define: impl FnMut(&Arc<Series>) -> u64) {
        let mut known = self.shorts.lock();
        if known.of != generation + 1 {
            known.of = generation + 1;
            known.ids.clear();
            known.ids.extend(self.series.iter().map(define));
        }
        shorts.extend_from_slice(&known.ids);
    }
}
