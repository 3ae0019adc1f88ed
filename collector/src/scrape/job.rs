//! What all targets of one entry of `scrape_configs` have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Error;
use url::Url;

use super::conditions::Conditions;
use super::page::Forms;
use super::target::{Resolver, Target};
use crate::config::{HttpConfig, ScrapeConfig};
use crate::fetch::{Connection, Endpoint, check_files};
use crate::metrics::{Metrics, SourceCounters};
use crate::relabel::Rules;

/// Labels of one series. A page is refused whole, and one node with many labels must not cost its rows: `kube_node_labels`
/// has been seen with more than 64. `label_limit` sets less.
const MAX_LABELS: usize = 512;

/// One entry of `scrape_configs`, resolved.
#[derive(Debug)]
pub(crate) struct Job {
    /// What it was resolved from.
    pub(crate) config: ScrapeConfig,
    /// The cluster, to stamp batches with.
    pub(super) cluster: Arc<str>,
    /// What pages may be.
    pub(super) forms: Forms,
    /// How large pages may be.
    pub(super) limits: decode::Limits,
    metrics: Arc<Metrics>,
    http: Arc<HttpConfig>,
    target_rules: Rules,
    series_rules: Arc<Rules>,
    /// Asks all targets, but for those whose certificate must be for another name.
    connection: Connection,
    /// How many targets relabeling left.
    targets: AtomicUsize,
}

impl Job {
    /// Checks and resolves a configuration.
    ///
    /// # Errors
    /// `Invalid` if it is wrong.
    pub(crate) fn resolve(config: &ScrapeConfig, metrics: Arc<Metrics>) -> Result<Self, Error> {
        config.validate()?;
        let max_bytes = config.max_body_bytes();
        let limits = decode::Limits {
            max_body_bytes: max_bytes,
            max_decoded_bytes: max_bytes,
            max_labels: MAX_LABELS,
            ..decode::Limits::federation()
        };
        Ok(Job {
            cluster: Arc::from(config.cluster.as_str()),
            forms: Forms::new(config),
            limits,
            metrics,
            http: Arc::new(config.http()),
            target_rules: Rules::new(&config.relabel_configs)?,
            series_rules: Arc::new(Rules::new(&config.metric_relabel_configs)?),
            connection: Connection::default(),
            targets: AtomicUsize::new(0),
            config: config.clone(),
        })
    }

    /// Whether all rows of a target have its `job` and `instance`.
    pub(super) fn keeps_labels(&self) -> bool {
        !self.config.honor_labels && self.config.metric_relabel_configs.is_empty()
    }

    /// Checks the files of credentials and certificates, those of the servers that list targets too.
    ///
    /// # Errors
    /// `Invalid`; the message names the file.
    pub(crate) fn check_files(&self) -> Result<(), Error> {
        let url = Url::parse(&format!("{}://target", self.config.scheme));
        let url = url.map_err(|e| Error::internal("a URL without a path").with_source(e))?;
        check_files(&Endpoint::new(url, self.config.timeout(), self.limits.max_body_bytes, self.http.clone())?)?;
        for list in &self.config.http_sd_configs {
            let http = Arc::new(list.http());
            check_files(&Endpoint::new(list.request_url()?, list.refresh_interval, 0, http)?)?;
        }
        Ok(())
    }

    /// Whether another one has the same name: the same job before or after a reload.
    pub(super) fn is_called_as(&self, other: &Job) -> bool {
        (&self.config.cluster, &self.config.job_name) == (&other.config.cluster, &other.config.job_name)
    }

    /// Notes how many targets relabeling left, and how many it dropped.
    pub(super) fn set_target_counts(&self, kept: usize, dropped: usize) {
        self.targets.store(kept, Ordering::Relaxed);
        self.counters().set_targets(kept, dropped);
    }

    /// Why no target of this job is scraped, if there is a reason.
    pub(super) fn obstacle(&self) -> Option<String> {
        let (targets, limit) = (self.targets.load(Ordering::Relaxed), self.config.target_limit);
        let over = limit > 0 && targets > limit;
        over.then(|| format!("the job has {targets} targets, target_limit is {limit}: none of them is scraped"))
    }

    /// The counters of the job.
    pub(super) fn counters(&self) -> Arc<SourceCounters> {
        self.metrics.scrape(&self.config.cluster, &self.config.job_name)
    }

    /// Makes targets of what discovery found.
    pub(super) fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.config, &self.target_rules)
    }

    /// How a target is asked.
    ///
    /// # Errors
    /// `Invalid` if its address and the configuration do not fit.
    pub(super) fn endpoint(&self, target: &Target) -> Result<Endpoint, Error> {
        let (url, http) = (target.url.clone(), self.http.clone());
        let endpoint = Endpoint::new(url, target.timeout, self.limits.max_body_bytes, http)?;
        Ok(if self.config.enable_compression { endpoint } else { endpoint.uncompressed() })
    }

    /// What the series of a target become.
    pub(super) fn conditions(&self, target: &Target) -> Conditions {
        Conditions::new(&self.config, self.series_rules.clone(), target.labels.clone())
    }

    /// The connection of a target.
    pub(super) fn connection(&self, endpoint: &Endpoint) -> Connection {
        if endpoint.has_server_name() { Connection::default() } else { self.connection.clone() }
    }
}
