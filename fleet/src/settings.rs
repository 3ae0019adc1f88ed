//! How large a fleet is.

use model::Error;

/// The size of a fleet. Everything else follows from the seed.
///
/// The default has 2,000 to 3,000 series a cluster. A deployment costs about 280 KB of memory in each cluster and a node
/// 140 KB, for what is known of a whole day; each set of silenced clusters that is ever met costs as much again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Clusters, 1 to 64. Default 4: berlin and frankfurt, dublin and london; further ones are named after these.
    pub clusters: usize,
    /// Nodes of a cluster, 2 to 1000, the first of which runs the control plane and no application. Default 6.
    pub nodes: usize,
    /// Namespaces of a cluster that hold an application each, 1 to 100. Default 3.
    pub namespaces: usize,
    /// Deployments of each application, 1 to 20, the first of which faces the users. Default 2.
    pub deployments: usize,
    /// Pods that each deployment has at least, 2 to 50; the autoscaler goes to three times as many. Default 2.
    pub replicas: usize,
    /// Containers of an application's pod, 1 to 8. Default 1.
    pub containers: usize,
    /// Whether one cluster is silent for a minute in every ten. Default true.
    pub silences: bool,
    /// Requests of users a second that are traced in the whole fleet when it is at its busiest, 0 to 1000. What they set off
    /// comes on top: calls of other services, and jobs. Default 5.
    pub requests_traced: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            clusters: 4,
            nodes: 6,
            namespaces: 3,
            deployments: 2,
            replicas: 2,
            containers: 1,
            silences: true,
            requests_traced: 5,
        }
    }
}

impl Settings {
    /// Checks every size.
    ///
    /// # Errors
    /// `Invalid` if a size is outside its bounds; it is named.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let sizes = [
            ("clusters", self.clusters, 1..=64),
            ("nodes", self.nodes, 2..=1000),
            ("namespaces", self.namespaces, 1..=100),
            ("deployments", self.deployments, 1..=20),
            ("replicas", self.replicas, 2..=50),
            ("containers", self.containers, 1..=8),
            ("requests_traced", self.requests_traced, 0..=1000),
        ];
        for (name, size, bounds) in sizes {
            if !bounds.contains(&size) {
                let (least, most) = (bounds.start(), bounds.end());
                return Err(Error::invalid(format!("{name} of a fleet must be {least} to {most}, not {size}")));
            }
        }
        Ok(())
    }
}
