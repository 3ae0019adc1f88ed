//! What telemetry comes from: the attributes that rows of logs and spans share, and the columns that are made of them.

use std::sync::Arc;

use crate::attributes::AttributeSet;
use crate::labels::{CLUSTER_LABEL, EXPORTED_CLUSTER_LABEL};
use crate::shared::Shared;

/// The names under which senders say the cluster. They leave the attributes: what counts is who sent.
pub const CLUSTER_NAMES: [&str; 5] =
    ["k8s.cluster.name", "orchestrator.cluster.name", CLUSTER_LABEL, "k8s_cluster_name", "cluster_name"];

/// The columns that are made of attributes, each with the names it is looked for under; of several the first counts.
///
/// Source: the semantic conventions of OpenTelemetry; the labels of Promtail, Alloy and Loki's OTLP endpoint; the fields
/// of Fluent Bit's filter `kubernetes`, and those of Filebeat's processor `add_kubernetes_metadata`. `service` ends with
/// what Loki takes for it (`discover_service_name`).
pub const PROMOTED: [(&str, &[&str]); 5] = [
    (
        "service",
        &[
            "service.name",
            "service_name",
            "service",
            "app",
            "application",
            "app_name",
            "name",
            "app_kubernetes_io_name",
            "kubernetes.labels.app_kubernetes_io/name",
            "kubernetes.labels.app.kubernetes.io/name",
            "kubernetes.labels.app",
            "container",
            "container_name",
            "k8s.container.name",
            "k8s_container_name",
            "kubernetes.container.name",
            "kubernetes.container_name",
            "component",
            "workload",
            "job",
            "k8s_job_name",
        ],
    ),
    (
        "namespace",
        &[
            "k8s.namespace.name",
            "k8s_namespace_name",
            "namespace",
            "kubernetes.namespace",
            "kubernetes.namespace_name",
            "kubernetes_namespace_name",
            "namespace_name",
        ],
    ),
    (
        "pod",
        &[
            "k8s.pod.name",
            "k8s_pod_name",
            "pod",
            "kubernetes.pod.name",
            "kubernetes.pod_name",
            "kubernetes_pod_name",
            "pod_name",
        ],
    ),
    (
        "container",
        &[
            "k8s.container.name",
            "k8s_container_name",
            "container",
            "kubernetes.container.name",
            "kubernetes.container_name",
            "kubernetes_container_name",
            "container_name",
            "container.name",
        ],
    ),
    (
        "node",
        &[
            "k8s.node.name",
            "k8s_node_name",
            "node",
            "kubernetes.node.name",
            "kubernetes.host",
            "kubernetes_host",
            "node_name",
            "nodename",
        ],
    ),
];

/// What telemetry comes from. The columns say what the attributes say, each under one name whoever sent them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The cluster; empty if unknown.
    pub cluster: Arc<str>,
    /// The service; empty if unknown, as the columns below.
    pub service: Arc<str>,
    /// The Kubernetes namespace.
    pub namespace: Arc<str>,
    /// The pod.
    pub pod: Arc<str>,
    /// The container within the pod.
    pub container: Arc<str>,
    /// The node of the cluster.
    pub node: Arc<str>,
    /// All attributes as they were sent, but for the cluster.
    pub attributes: AttributeSet,
}

impl Resource {
    /// The resource with these attributes. Its cluster is the one that they name, until [`Resource::stamped`] decides.
    pub fn new<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let all: Vec<(&str, &str)> = attributes.into_iter().collect();
        let first = |names: &[&str]| {
            let value = |wanted: &&str| all.iter().find(|(name, value)| name == wanted && !value.is_empty());
            names.iter().find_map(value).map_or("", |(_, value)| value)
        };
        let column = |place: usize| Arc::from(first(PROMOTED[place].1));
        Resource {
            cluster: Arc::from(first(&CLUSTER_NAMES)),
            service: column(0),
            namespace: column(1),
            pod: column(2),
            container: column(3),
            node: column(4),
            attributes: AttributeSet::new(all.iter().copied().filter(|(name, _)| !CLUSTER_NAMES.contains(name))),
        }
    }

    /// The same resource in the cluster that the server has decided. Another one that it named is the attribute
    /// `exported_cluster`.
    pub fn stamped(&self, cluster: &Arc<str>) -> Self {
        let mut stamped = Resource { cluster: cluster.clone(), ..self.clone() };
        if !self.cluster.is_empty() && self.cluster != *cluster {
            let displaced = [(EXPORTED_CLUSTER_LABEL, &*self.cluster)];
            stamped.attributes = AttributeSet::new(displaced.into_iter().chain(self.attributes.iter()));
        }
        stamped
    }

    /// The columns, in the order of the tables: cluster, namespace, pod, container, node, service.
    pub fn columns(&self) -> [&Arc<str>; 6] {
        [&self.cluster, &self.namespace, &self.pod, &self.container, &self.node, &self.service]
    }

    /// Bytes of memory taken, roughly.
    pub fn memory_bytes(&self) -> usize {
        let texts: usize = self.columns().iter().map(|text| text.len() + 2 * size_of::<usize>()).sum();
        size_of::<Self>() + texts + self.attributes.as_bytes().len()
    }
}

/// The code that made telemetry: an instrumentation scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    /// Its name; empty if unknown.
    pub name: String,
    /// Its version; empty if unknown.
    pub version: String,
}

/// Decides the cluster of the resources that are meant; `places` names those of rows.
pub(crate) fn stamp(
    resources: &mut Shared<Resource>,
    places: &mut [u32],
    cluster: &Arc<str>,
    is_meant: &dyn Fn(&Resource) -> bool,
) {
    if !resources.iter().any(|resource| is_meant(resource)) {
        return;
    }
    let mut stamped = Shared::default();
    let mut place = |resource: &Arc<Resource>| match is_meant(resource) {
        true => stamped.place(&Arc::new(resource.stamped(cluster))),
        false => stamped.place(resource),
    };
    let new: Vec<u32> = resources.iter().map(&mut place).collect();
    places.iter_mut().for_each(|place| *place = new[*place as usize]);
    *resources = stamped;
}

/// Lets go of the resources that are not kept; returns the places of the rows that are of one that is. Of the other rows the
/// place counts no more.
pub(crate) fn keep(resources: &mut Shared<Resource>, places: &mut [u32], is_kept: &[bool]) -> Vec<usize> {
    let mut kept = Shared::default();
    let mut place = |(resource, is_kept): (&Arc<Resource>, &bool)| is_kept.then(|| kept.place(resource));
    let new: Vec<Option<u32>> = resources.iter().zip(is_kept).map(&mut place).collect();
    let mut rows = Vec::with_capacity(places.len());
    for (row, place) in places.iter_mut().enumerate() {
        let is_there = new.get(*place as usize).copied().flatten();
        rows.extend(is_there.map(|_| row));
        *place = is_there.unwrap_or_default();
    }
    *resources = kept;
    rows
}

#[cfg(test)]
mod tests;
