//! A cluster and its attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One Kubernetes cluster, with the attributes that queries join to its series.
///
/// Attributes are not labels: they change in a failover, and a label that changes makes every series a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The value of the `cluster` label.
    pub name: String,
    /// Where it runs, as its provider names it: `eu-central-1`.
    #[serde(default)]
    pub region: String,
    /// The part of the region: `eu-central-1a`.
    #[serde(default)]
    pub zone: String,
    /// Who runs the machines: `aws`, `gcp`, `azure`, `on-premises`.
    #[serde(default)]
    pub provider: String,
    /// What it is for: `production`, `staging`.
    #[serde(default)]
    pub environment: String,
    /// The jurisdiction its rows must stay in: `eu`.
    #[serde(default)]
    pub residency: String,
    /// Its part in the fleet unless a service says otherwise: `active`, `passive`.
    #[serde(default)]
    pub role: String,
    /// The label that tells the replicas of an HA pair apart; empty if there are none. Queries then see one series for the series of
    /// all replicas.
    #[serde(default)]
    pub replica_label: String,
    /// The role of single services, where it differs from `role`.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
}
