//! What a cluster's curves are of, and which is which.

use crate::site::Site;

/// Something of a cluster that has a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// Requests of one service.
    Service(usize),
    /// Requests of all services.
    Cluster,
    /// Of one pod that serves, for an application's deployment, given as index of the workload.
    Pod(usize, PodTrack),
    /// Of one node.
    Node(usize, NodeTrack),
}

/// What a pod of an application does. All pods of a deployment that serve do the same, but for their lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodTrack {
    /// Requests.
    Work,
    /// Those of them that took long.
    Slow,
    /// Cores that requests use in the first container.
    Cores,
    /// Periods in which the first container was held back.
    Throttled,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeTrack {
    /// Cores that its containers and the node itself use.
    Cores,
    /// Requests of all its pods.
    Work,
}

/// Tracks of a pod.
pub(crate) const OF_POD: usize = 4;
/// Tracks of a node.
pub(crate) const OF_NODE: usize = 2;

impl Track {
    /// Its place among the curves of a cluster: services, cluster, pods, nodes.
    #[inline]
    pub(crate) fn index(self, site: &Site) -> usize {
        let services = site.services.len();
        match self {
            Track::Service(service) => service,
            Track::Cluster => services,
            Track::Pod(workload, track) => services + 1 + site.workloads[workload].ordinal * OF_POD + track as usize,
            Track::Node(node, track) => site.first_node_track() + node * OF_NODE + track as usize,
        }
    }
}
