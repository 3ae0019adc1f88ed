//! From what discovery found to a target: its labels, its URL, its times.
//!
//! Pure. Source of the rules: `PopulateLabels` and `Target` of Prometheus' `scrape/target.go`; version 3 where it differs
//! from its predecessor, so the port of a scheme is not added to an address that has none.

use std::time::Duration;

use model::source::{SourceId, labels_text};
use model::{Error, duration};
use url::Url;

use crate::config::{ScrapeConfig, check_times};
use crate::relabel::{LabelSet, Rules};

/// The [`SourceId::kind`] of targets.
pub(crate) const KIND: &str = "scrape";

/// Labels that discovery and relabeling speak in.
const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM: &str = "__param_";
const INTERNAL: &str = "__";

/// One page that is scraped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// Who it is on the board; two targets with the same are one.
    pub(crate) id: SourceId,
    /// The labels that its rows get, by name.
    pub(crate) labels: Vec<(String, String)>,
    /// The whole request.
    pub(crate) url: Url,
    /// The time between two scrapes.
    pub(crate) interval: Duration,
    /// The time one scrape may take.
    pub(crate) timeout: Duration,
}

impl Target {
    /// What decides the instants at which it is scraped.
    pub(crate) fn identity(&self) -> String {
        let id = &self.id;
        [&*id.cluster, &*id.job, &*id.instance, &*id.labels, &*id.url].join("\n")
    }
}

/// Makes targets of one job.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    config: &'a ScrapeConfig,
    rules: &'a Rules,
}

impl<'a> Resolver<'a> {
    /// Makes targets by `rules`, those of the configuration's `relabel_configs`.
    pub(crate) fn new(config: &'a ScrapeConfig, rules: &'a Rules) -> Self {
        Resolver { config, rules }
    }

    /// The target that was found with these labels; `None` if the rules drop it.
    ///
    /// # Errors
    /// `Invalid` if no target can be made of it.
    pub(crate) fn target<'l>(
        &self,
        found: impl IntoIterator<Item = (&'l str, &'l str)>,
    ) -> Result<Option<Target>, Error> {
        let mut labels = LabelSet::new(found);
        self.add_defaults(&mut labels);
        if !self.rules.apply(&mut labels) {
            return Ok(None);
        }
        let address = labels.get(ADDRESS).to_owned();
        if address.is_empty() {
            return Err(Error::invalid("the target has no __address__ after relabeling"));
        }
        let (interval, timeout) = times(&labels)?;
        let url = self.url(&labels, &address)?;
        if labels.get("instance").is_empty() {
            labels.set("instance", address);
        }
        let mut kept: Vec<(String, String)> = labels
            .iter()
            .filter(|(name, _)| !name.starts_with(INTERNAL))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        kept.sort();
        if let Some((name, _)) = kept.iter().find(|(name, _)| name.is_empty()) {
            return Err(Error::invalid(format!("the target has a label with the name {name:?}")));
        }
        Ok(Some(Target { id: self.id(&kept, &url), labels: kept, url, interval, timeout }))
    }

    /// What discovery has not said, the configuration says.
    fn add_defaults(&self, labels: &mut LabelSet) {
        let config = self.config;
        let interval = duration::format(config.scrape_interval);
        let timeout = duration::format(config.timeout());
        let defaults = [
            ("job", config.job_name.as_str()),
            (INTERVAL, &interval),
            (TIMEOUT, &timeout),
            (METRICS_PATH, &config.metrics_path),
            (SCHEME, &config.scheme),
        ];
        for (name, value) in defaults {
            if labels.get(name).is_empty() {
                labels.set(name, value);
            }
        }
        for (name, values) in &config.params {
            if let Some(first) = values.first() {
                labels.set(&format!("{PARAM}{name}"), first.as_str());
            }
        }
    }

    fn url(&self, labels: &LabelSet, address: &str) -> Result<Url, Error> {
        let (scheme, path) = (labels.get(SCHEME), labels.get(METRICS_PATH));
        if address.contains(['/', '?', '#', '@']) {
            return Err(Error::invalid(format!("__address__ {address:?} is not a host with its port")));
        }
        if !matches!(scheme, "http" | "https") {
            return Err(Error::invalid(format!("__scheme__ {scheme:?} is neither http nor https")));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut url = Url::parse(&format!("{scheme}://{address}"))
            .map_err(|e| Error::invalid(format!("__address__ {address:?} is not a host with its port: {e}")))?;
        url.set_path(&format!("{slash}{path}"));
        let params = self.params(labels);
        if !params.is_empty() {
            url.query_pairs_mut().extend_pairs(params);
        }
        Ok(url)
    }

    /// The parameters of the configuration, the first value of each replaced by that of its label.
    fn params(&self, labels: &LabelSet) -> Vec<(String, String)> {
        let mut params = self.config.params.clone();
        for (name, value) in labels.iter() {
            let Some(name) = name.strip_prefix(PARAM) else { continue };
            let values = params.entry(name.to_owned()).or_default();
            match values.first_mut() {
                Some(first) => value.clone_into(first),
                None => values.push(value.to_owned()),
            }
        }
        let pairs = params.into_iter().flat_map(|(name, values)| values.into_iter().map(move |v| (name.clone(), v)));
        pairs.collect()
    }

    fn id(&self, labels: &[(String, String)], url: &Url) -> SourceId {
        let get = |name| labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let others = labels.iter().filter(|(name, _)| !matches!(&**name, "job" | "instance"));
        SourceId {
            kind: KIND,
            cluster: self.config.cluster.clone(),
            job: get("job").unwrap_or_default(),
            instance: get("instance").unwrap_or_default(),
            url: url.to_string(),
            labels: labels_text(others.map(|(name, value)| (&**name, &**value))),
        }
    }
}

fn times(labels: &LabelSet) -> Result<(Duration, Duration), Error> {
    let read = |name| {
        let text = labels.get(name);
        duration::parse(text).map_err(|e| Error::invalid(format!("{name} {text:?}: {e}")))
    };
    let (interval, timeout) = (read(INTERVAL)?, read(TIMEOUT)?);
    check_times(interval, timeout)?;
    Ok((interval, timeout))
}

#[cfg(test)]
mod tests;
