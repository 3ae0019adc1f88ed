//! Who may push, and how much.

use std::collections::HashSet;

use model::Error;
use serde::{Deserialize, Serialize};

use super::{Config, Holders, LimitsConfig, PushLimits, TokenConfig};

/// What holds for every push, whatever its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// The cluster that every row of a push without a token is stamped with; another one that it names moves to
    /// `exported_cluster`. Default: none, the label `cluster` counts, of OTLP the resource attribute `k8s.cluster.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Take pushes without a token although clusters have tokens. Where such a push may name its cluster, one that has tokens
    /// moves to `exported_cluster`. Default `false`. Without any token in `clusters` every push is taken.
    pub allow_anonymous: bool,
    /// The clusters that the store knows, however they came to it, above which a push without a token brings no further one:
    /// rows that name one are left out. Default 1000.
    pub cluster_limit: u64,
    /// The limits of each cluster, and of all pushes without a token together, unless the cluster has its own.
    pub limits: LimitsConfig,
}

impl Default for PushConfig {
    fn default() -> Self {
        PushConfig { cluster: None, allow_anonymous: false, cluster_limit: 1000, limits: LimitsConfig::default() }
    }
}

impl PushConfig {
    /// Checks what stands in it.
    ///
    /// # Errors
    /// `Invalid`, with the setting.
    pub fn validate(&self) -> Result<(), Error> {
        if self.cluster.as_deref() == Some("") {
            return Err(Error::invalid("cluster is empty, leave it out if the sender's own label is to count"));
        }
        if self.cluster_limit == 0 {
            let text = "cluster_limit is 0, no cluster could be named; give push.cluster if none is to be";
            return Err(Error::invalid(text));
        }
        self.limits.validate()
    }
}

/// What the collectors must know of a cluster: how its pushes are known, and how much it may push.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// The value of the `cluster` label. Required.
    pub name: String,
    /// The tokens whose pushes are of this cluster. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenConfig>,
    /// Where it differs from `push.limits`.
    #[serde(default)]
    pub limits: LimitsConfig,
}

impl Config {
    /// The limits of a cluster, with the defaults in.
    pub fn limits_of(&self, cluster: &str) -> PushLimits {
        let all = self.push.limits.over(&PushLimits::default());
        let own = self.clusters.iter().find(|entry| entry.name == cluster);
        own.map_or_else(|| all.clone(), |entry| entry.limits.over(&all))
    }

    /// Whether any cluster has tokens, so that a push has to show one.
    pub fn has_tokens(&self) -> bool {
        self.clusters.iter().any(|cluster| !cluster.tokens.is_empty())
    }

    /// The clusters that nobody without a token may write to.
    pub(crate) fn guarded_clusters(&self) -> HashSet<String> {
        self.clusters.iter().filter(|cluster| !cluster.tokens.is_empty()).map(|cluster| cluster.name.clone()).collect()
    }

    /// Checks clusters and pushes.
    ///
    /// # Errors
    /// `Invalid`; the message names the cluster or the setting.
    pub fn validate_push(&self) -> Result<(), Error> {
        self.push.validate().map_err(|e| e.context("push"))?;
        let mut holders = Holders::default();
        for cluster in &self.clusters {
            let shown = format!("cluster {:?}", cluster.name);
            cluster.limits.validate().map_err(|e| e.context(&shown))?;
            holders.add(&shown, &cluster.tokens)?;
        }
        let guarded = self.guarded_clusters();
        match self.push.cluster.as_ref().filter(|stamp| guarded.contains(*stamp)) {
            None => Ok(()),
            Some(stamp) => Err(Error::invalid(format!(
                "push.cluster: {stamp:?} has tokens, so nobody without one may write to it; leave one of the two out"
            ))),
        }
    }
}
