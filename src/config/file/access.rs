//! What the file says of who may do what: the tokens of clusters and readers, and the certificate of the server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use collector::config::{ClusterConfig, Holders, LimitsConfig, PushConfig, TokenConfig};
use model::{Cluster, Error};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::super::Mistake;
use super::Depth;
use crate::server::tls;

/// Who may read: ask in SQL, see `/metrics`, reload the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Readers {
    /// The tokens of readers. Default: none, and whoever reaches the server reads.
    pub tokens: Vec<TokenConfig>,
}

impl Readers {
    /// The readers as holders of their tokens: nobody tells one from another.
    pub(crate) fn holders(&self) -> [(&str, &[TokenConfig]); 1] {
        [("readers", &self.tokens)]
    }
}

/// The certificate that the server shows, in the words of Prometheus' web configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsServer {
    /// The file with the certificate, PEM, and those that lead to its authority. Read anew when it changes.
    pub cert_file: PathBuf,
    /// The file with the certificate's key, PEM. Read anew when it changes.
    pub key_file: PathBuf,
}

/// An entry of `clusters`: what queries join to its series, and how its pushes are known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterEntry {
    name: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    residency: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    replica_label: String,
    #[serde(default)]
    services: BTreeMap<String, String>,
    #[serde(default)]
    tokens: Vec<TokenConfig>,
    #[serde(default)]
    limits: LimitsConfig,
}

impl ClusterEntry {
    /// Its part for queries and its part for the collectors.
    fn split(self) -> (Cluster, ClusterConfig) {
        let ClusterEntry { name, region, zone, provider, environment, residency, role, .. } = self;
        let ClusterEntry { replica_label, services, tokens, limits, .. } = self;
        let pushing = ClusterConfig { name: name.clone(), tokens, limits };
        (Cluster { name, region, zone, provider, environment, residency, role, replica_label, services }, pushing)
    }
}

/// All of it, resolved.
pub(super) struct Access {
    pub(super) clusters: Vec<Cluster>,
    pub(super) pushing: Vec<ClusterConfig>,
    pub(super) push: PushConfig,
    pub(super) readers: Readers,
    pub(super) tls: Option<TlsServer>,
}

/// Checks each entry at its place, and that no token says two things.
pub(super) fn resolve(
    clusters: Vec<Spanned<ClusterEntry>>,
    push: Option<Spanned<PushConfig>>,
    readers: Option<Spanned<Readers>>,
    tls: Option<Spanned<TlsServer>>,
    depth: Depth,
) -> Result<Access, Mistake> {
    let mut holders = Holders::default();
    let (mut attributes, mut pushing) = (Vec::<Cluster>::new(), Vec::new());
    for entry in clusters {
        let place = entry.referenced;
        let (cluster, collected) = entry.value.split();
        if cluster.name.is_empty() {
            return Err(Mistake::at(place, "a cluster needs a name that is not empty"));
        }
        if attributes.iter().any(|other| other.name == cluster.name) {
            return Err(Mistake::at(place, format!("cluster {:?} comes twice", cluster.name)));
        }
        collected.limits.validate().map_err(|e| Mistake::at(place, e.to_string()))?;
        let holder = format!("cluster {:?}", cluster.name);
        let added = add(&mut holders, &holder, &collected.tokens, depth);
        added.map_err(|e| Mistake::at(place, e.context(holder).to_string()))?;
        attributes.push(cluster);
        pushing.push(collected);
    }
    if let Some(readers) = &readers {
        let added = add(&mut holders, "readers", &readers.value.tokens, depth);
        added.map_err(|e| Mistake::at(readers.referenced, e.context("readers").to_string()))?;
    }
    if let Some(push) = &push {
        push.value.validate().map_err(|e| Mistake::at(push.referenced, e.context("push").to_string()))?;
    }
    if let (Some(given), Depth::NamedFiles) = (&tls, depth) {
        tls::check(&given.value).map_err(|e| Mistake::at(given.referenced, e.to_string()))?;
    }
    Ok(Access {
        clusters: attributes,
        pushing,
        push: push.map(|push| push.value).unwrap_or_default(),
        readers: readers.map(|readers| readers.value).unwrap_or_default(),
        tls: tls.map(|tls| tls.value),
    })
}

/// Adds a holder whose tokens must be his alone.
fn add(holders: &mut Holders, holder: &str, tokens: &[TokenConfig], depth: Depth) -> Result<(), Error> {
    holders.add(holder, tokens)?;
    if depth == Depth::Text {
        return Ok(());
    }
    for token in tokens {
        let hashes: Vec<_> = token.hashes()?.into_iter().map(TokenConfig::Sha256).collect();
        holders.add(holder, &hashes)?;
    }
    Ok(())
}
