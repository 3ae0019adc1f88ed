//! HA pairs: series that replicas of one Prometheus have both scraped are one series.
//!
//! The rows of all replicas are stored as they came. What a query makes of each is merged here, window by window: at each step it is
//! what one replica has, never a mixture. Which one is taken: docs/promql.md, "HA pairs".
//!
//! Owns: which series are replicas of each other, which replica is taken, the count of what was taken.
//! Does not own: the samples and the values of a single series (`scan`).

mod choice;
mod meeting;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Cluster;
use model::labels::CLUSTER_LABEL;
use parking_lot::Mutex;

use super::labels::LabelSet;
use super::question::Question;
pub(super) use choice::{Replica, Seen, choose};
pub(super) use meeting::{Meeting, Piece};

/// The label that tells replicas apart, by cluster.
#[derive(Debug, Default)]
pub(super) struct ReplicaLabels(BTreeMap<String, String>);

impl ReplicaLabels {
    /// Those of the configuration.
    pub(super) fn of(clusters: &[Cluster]) -> Self {
        let named = clusters.iter().filter(|cluster| !cluster.replica_label.is_empty());
        ReplicaLabels(named.map(|cluster| (cluster.name.clone(), cluster.replica_label.clone())).collect())
    }

    /// Whether no cluster has replicas.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels that all replicas of a series have, and which replica it is of; `None` in a cluster without replicas.
    pub(super) fn split(&self, labels: &LabelSet) -> Option<(LabelSet, String)> {
        let label = self.0.get(labels.get(CLUSTER_LABEL))?;
        Some((labels.with(label, ""), labels.get(label).to_owned()))
    }
}

/// What a scan asks about replicas.
#[derive(Debug, Clone, Default)]
pub(super) struct Replicas {
    pub(super) labels: Arc<ReplicaLabels>,
    pub(super) taken: Arc<TakenReplicas>,
}

impl Replicas {
    /// Those of the clusters, if the question wants them merged.
    pub(super) fn of(question: &Question, clusters: &[Cluster]) -> Self {
        let labels = if question.dedup { ReplicaLabels::of(clusters) } else { ReplicaLabels::default() };
        Replicas { labels: Arc::new(labels), taken: Arc::clone(&question.taken) }
    }
}

/// For how many values each replica was taken, by cluster and replica.
#[derive(Debug, Default)]
pub(super) struct TakenReplicas(Mutex<BTreeMap<(String, String), u64>>);

impl TakenReplicas {
    /// Adds what was taken of a series.
    pub(super) fn add(&self, labels: &LabelSet, taken: impl Iterator<Item = impl AsRef<str>>) {
        let mut all = self.0.lock();
        for replica in taken {
            *all.entry((labels.get(CLUSTER_LABEL).to_owned(), replica.as_ref().to_owned())).or_default() += 1;
        }
    }

    /// All, by cluster.
    pub(super) fn by_cluster(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut clusters: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((cluster, replica), values) in self.0.lock().iter() {
            clusters.entry(cluster.clone()).or_default().insert(replica.clone(), *values);
        }
        clusters
    }
}
