//! Which servers are which cluster, and what is wrong with that.
//!
//! Owns: the names and attributes of clusters, which servers are replicas of each other, the warnings.
//! Does not own: what is known of a server (`probe`), how it is written down (`page`).

use std::collections::{BTreeMap, BTreeSet};

use model::{Cluster, Error};
use reqwest::Url;

use super::probe::{Found, Skew};
use super::shown;

/// External labels that name the cluster, the usual one first.
const CLUSTER_LABELS: [&str; 5] = ["cluster", "cluster_name", "k8s_cluster", "k8s_cluster_name", "kubernetes_cluster"];
/// External labels that are attributes of a cluster.
const ATTRIBUTE_LABELS: [&str; 7] = ["region", "zone", "provider", "environment", "env", "residency", "role"];
/// A clock that is so far off is worth telling: those of machines that agree on the time are apart by much less.
const SKEW_MS: i64 = 2_000;

/// What was found, by cluster.
#[derive(Debug)]
pub(super) struct Fleet {
    /// The clusters, in the order in which they were met.
    pub(super) clusters: Vec<Named>,
    /// The servers that answered, in the order in which they were given.
    pub(super) sources: Vec<Source>,
    /// The others, and why.
    pub(super) lost: Vec<(Url, Error)>,
}

/// A cluster.
#[derive(Debug)]
pub(super) struct Named {
    /// Name and attributes.
    pub(super) cluster: Cluster,
    /// The external label that names it; without one the name is only a place.
    pub(super) label: Option<&'static str>,
    /// Its servers.
    pub(super) urls: Vec<Url>,
}

/// A server to be federated.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it is.
    pub(super) url: Url,
    /// What is known of it.
    pub(super) found: Found,
    /// The name of its cluster.
    pub(super) cluster: String,
    /// A `job_name` of its own, where the default would not tell it from another.
    pub(super) job_name: Option<String>,
    /// The external labels that tell replicas apart.
    pub(super) replica_labels: Vec<String>,
    /// The server that it is a replica of: then it must not be federated beside that.
    pub(super) twin_of: Option<Url>,
    /// What is wrong, in whole sentences.
    pub(super) warnings: Vec<String>,
}

/// Tells which servers are of one cluster.
pub(super) fn assemble(answers: Vec<(Url, Result<Found, Error>)>) -> Fleet {
    let mut fleet = Fleet { clusters: Vec::new(), sources: Vec::new(), lost: Vec::new() };
    for (url, answer) in answers {
        match answer {
            Ok(found) => fleet.add(url, found),
            Err(error) => fleet.lost.push((url, error)),
        }
    }
    fleet
}

impl Fleet {
    /// The sources that are to be federated.
    pub(super) fn federated(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.twin_of.is_none())
    }

    fn add(&mut self, url: Url, found: Found) {
        let no_labels = BTreeMap::new();
        let labels = found.config.as_ref().map_or(&no_labels, |config| &config.external_labels);
        let mut replica_labels: Vec<String> = labels.keys().filter(|label| is_replica_label(label)).cloned().collect();
        let twin = self.federated().find_map(|other| {
            let others = &other.found.config.as_ref().ok()?.external_labels;
            differing(others, labels).map(|label| (other.url.clone(), other.cluster.clone(), label))
        });
        let named = CLUSTER_LABELS.iter().find_map(|label| Some((*label, labels.get(*label)?)));
        let name = match (&twin, named) {
            (_, Some((_, name))) => name.clone(),
            (Some((_, name, _)), None) => name.clone(),
            (None, None) => place(&url),
        };
        let mut warnings = Vec::new();
        if twin.is_none() {
            warnings.extend(self.claims(&name, labels));
        }
        if let Some((_, _, labels)) = &twin {
            replica_labels.extend(labels.iter().cloned());
            replica_labels.sort();
            replica_labels.dedup();
        }
        warnings.extend(skewed(found.skew));
        self.name(&name, named.map(|(label, _)| label), &url, labels);
        let job_name = self.job_name(&name, &url);
        let twin_of = twin.map(|(url, ..)| url);
        self.sources.push(Source { url, found, cluster: name, job_name, replica_labels, twin_of, warnings });
    }

    /// Who else is of this cluster, which may be a mistake.
    fn claims(&self, name: &str, labels: &BTreeMap<String, String>) -> Option<String> {
        let other = self.sources.iter().find(|other| other.cluster == name)?;
        let same = other.found.config.as_ref().is_ok_and(|config| config.external_labels == *labels);
        let which = if same {
            "it has the very same external labels, so it is the same server, or its configuration is a copy"
        } else {
            "by its labels it is no replica of that, so it must scrape other targets"
        };
        Some(format!(
            "{} is of this cluster too: {which}. What both have counts twice in every sum.",
            shown(&other.url)
        ))
    }

    /// Puts the server to its cluster; what one server does not say of it another may.
    fn name(&mut self, name: &str, label: Option<&'static str>, url: &Url, labels: &BTreeMap<String, String>) {
        let at = self.clusters.iter().position(|named| named.cluster.name == name).unwrap_or_else(|| {
            let cluster = Cluster { name: name.to_owned(), ..Cluster::default() };
            self.clusters.push(Named { cluster, label: None, urls: Vec::new() });
            self.clusters.len() - 1
        });
        let named = &mut self.clusters[at];
        named.label = named.label.or(label);
        named.urls.push(url.clone());
        let attributes = [
            (&mut named.cluster.region, ["region", ""]),
            (&mut named.cluster.zone, ["zone", ""]),
            (&mut named.cluster.provider, ["provider", ""]),
            (&mut named.cluster.environment, ["environment", "env"]),
            (&mut named.cluster.residency, ["residency", ""]),
            (&mut named.cluster.role, ["role", ""]),
        ];
        for (attribute, words) in attributes {
            if attribute.is_empty()
                && let Some(value) = words.iter().find_map(|word| labels.get(*word))
            {
                attribute.clone_from(value);
            }
        }
    }

    /// A `job_name` for a source of a cluster that has one on the same host and port already.
    fn job_name(&self, cluster: &str, url: &Url) -> Option<String> {
        let host = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        let beside = self.sources.iter().filter(|other| other.cluster == cluster && host(&other.url) == host(url));
        match beside.count() {
            0 => None,
            count => Some(format!("federate-{}", count + 1)),
        }
    }
}

fn is_replica_label(label: &str) -> bool {
    label.contains("replica")
}

/// The labels that tell two replicas of one server apart; `None` if they are no replicas.
///
/// They are equal but for labels that are named after replicas, or but for one other. That one is none that tells clusters
/// apart, and something else must be equal: two servers with nothing in common are two clusters.
fn differing(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let all: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing: Vec<&String> = all.iter().copied().filter(|label| a.get(*label) != b.get(*label)).collect();
    let tells_clusters = |label: &str| CLUSTER_LABELS.contains(&label) || ATTRIBUTE_LABELS.contains(&label);
    let are_replicas = match &differing[..] {
        [] => false,
        labels if labels.iter().all(|label| is_replica_label(label)) => true,
        [label] => !tells_clusters(label) && all.len() > 1,
        _ => false,
    };
    are_replicas.then(|| differing.into_iter().cloned().collect())
}

/// A name for a cluster that nothing names: where its server is.
fn place(url: &Url) -> String {
    let whole = shown(url);
    whole.split_once("://").map_or(whole.as_str(), |(_, place)| place).to_owned()
}

fn skewed(skew: Skew) -> Option<String> {
    let off_ms = skew.ahead_ms.saturating_abs();
    if off_ms.saturating_sub(skew.uncertain_ms) < SKEW_MS {
        return None;
    }
    let (seconds, side) = (off_ms as f64 / 1000.0, if skew.ahead_ms < 0 { "behind" } else { "ahead of" });
    Some(format!(
        "its clock is {seconds:.1} s {side} the one here, and so are the times of its samples. One of the two is wrong."
    ))
}

#[cfg(test)]
mod tests;
