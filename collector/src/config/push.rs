//! Who may push, and how much.

use std::collections::HashSet;

use model::Error;
use serde::{Deserialize, Serialize};

use super::{Config, Holders, LimitsConfig, PushLimits, TokenConfig};

/// What holds for every push, whatever its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// Take pushes without a token although clusters have tokens. Their rows keep their own `cluster` label, but where that
    /// names a cluster with tokens it moves to `exported_cluster`. Default `false`. Without any token in `clusters` every
    /// push is taken.
    pub allow_anonymous: bool,
    /// The clusters that the store knows, however they came to it, above which a push without a token brings no further one:
    /// rows that name one are left out. Default 1000.
    pub cluster_limit: u64,
    /// The limits of each cluster, and of all pushes without a token together, unless the cluster has its own.
    pub limits: LimitsConfig,
}

impl Default for PushConfig {
    fn default() -> Self {
        PushConfig { allow_anonymous: false, cluster_limit: 1000, limits: LimitsConfig::default() }
    }
}

impl PushConfig {
    /// Checks what stands in it.
    ///
    /// # Errors
    /// `Invalid`, with the setting.
    pub fn validate(&self) -> Result<(), Error> {
        if self.cluster_limit == 0 {
            return Err(Error::invalid("cluster_limit is 0, no cluster could be pushed without a token; raise it"));
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
        for (key, stamp) in [("remote_write", &self.remote_write.cluster), ("otlp", &self.otlp.cluster)] {
            if let Some(stamp) = stamp.as_ref().filter(|stamp| guarded.contains(*stamp)) {
                return Err(Error::invalid(format!(
                    "{key}.cluster: {stamp:?} has tokens, so nobody without one may write to it; leave one of the two out"
                )));
            }
        }
        Ok(())
    }
}
