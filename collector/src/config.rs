//! The settings of the collectors, in Prometheus' words where Prometheus has a word.
//!
//! Owns: the shape of `scrape_configs`, `federate_configs` and `remote_write`, their defaults, and what makes them wrong.
//! Does not own: the file they stand in (`config` of the binary), clusters and their attributes ([`model::Cluster`]).

mod credentials;
mod discovery;
mod federate;
mod http;
mod relabel;
mod remote_write;
mod scrape;
mod selector;
mod tls;

use std::sync::Arc;

use model::Error;
use serde::{Deserialize, Serialize};

pub use credentials::{Authorization, BasicAuth};
pub use discovery::{FileSdConfig, HttpSdConfig, StaticConfig};
pub use federate::{FederateConfig, Via};
pub(crate) use http::HttpConfig;
pub use relabel::{RelabelAction, RelabelConfig};
pub use remote_write::RemoteWriteConfig;
pub(crate) use scrape::check_times;
pub use scrape::{ScrapeConfig, ScrapeProtocol};
pub use tls::TlsConfig;

use crate::federate::Source;
use crate::fetch::check_files;
use crate::metrics::Metrics;
use crate::scrape::Job;

/// What is collected, and how.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The Prometheus servers that are federated. Default: none.
    pub federate_configs: Vec<FederateConfig>,
    /// The targets that are scraped. Default: none.
    pub scrape_configs: Vec<ScrapeConfig>,
    /// How pushed samples are received at `/api/v1/write`.
    pub remote_write: RemoteWriteConfig,
}

impl Config {
    /// Checks everything that can be known without asking a source.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and says how to mend it.
    pub fn validate(&self) -> Result<(), Error> {
        self.sources()?;
        self.jobs(&Arc::default())?;
        self.remote_write.validate().map_err(|e| e.context("remote_write"))
    }

    /// Checks the files that the last source names: credentials and certificates. A server that runs does not ask this: it
    /// tells a file that is missing as the failure of an attempt, and heals once it is there.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and the file.
    pub fn check_source_files(&self) -> Result<(), Error> {
        let Some(config) = self.federate_configs.last() else { return Ok(()) };
        let place = source_place(self.federate_configs.len() - 1, config);
        Source::resolve(config).and_then(|source| check_files(&source.endpoint)).map_err(|e| e.context(place))
    }

    /// As [`Config::check_source_files`], for the last job.
    ///
    /// # Errors
    /// As [`Config::check_source_files`].
    pub fn check_job_files(&self) -> Result<(), Error> {
        let Some(config) = self.scrape_configs.last() else { return Ok(()) };
        let place = job_place(self.scrape_configs.len() - 1, config);
        Job::resolve(config, Arc::default()).and_then(|job| job.check_files()).map_err(|e| e.context(place))
    }

    /// Checks the last job, alone and beside the others. A file is read entry by entry, so that a mistake has its place; to
    /// check all of them each time would take the square of their number.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn validate_last_job(&self) -> Result<(), Error> {
        let Some((config, others)) = self.scrape_configs.split_last() else { return Ok(()) };
        let place = || job_place(others.len(), config);
        config.validate().map_err(|e| e.context(place()))?;
        check_name(config, others).map_err(|e| e.context(place()))
    }

    /// The jobs that are scraped, resolved and told apart; they count into `metrics`.
    pub(crate) fn jobs(&self, metrics: &Arc<Metrics>) -> Result<Vec<Job>, Error> {
        let mut jobs = Vec::with_capacity(self.scrape_configs.len());
        for (index, config) in self.scrape_configs.iter().enumerate() {
            let place = || job_place(index, config);
            jobs.push(Job::resolve(config, metrics.clone()).map_err(|e| e.context(place()))?);
            check_name(config, &self.scrape_configs[..index]).map_err(|e| e.context(place()))?;
        }
        Ok(jobs)
    }

    /// The servers that are read in this way, resolved and told apart.
    pub(crate) fn sources_via(&self, via: Via) -> Result<Vec<Source>, Error> {
        let all = self.sources()?;
        Ok(all.into_iter().filter(|source| source.config.via == via).collect())
    }

    /// All federated servers, resolved and told apart.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, Error> {
        let mut sources: Vec<Source> = Vec::with_capacity(self.federate_configs.len());
        for (index, config) in self.federate_configs.iter().enumerate() {
            let place = || source_place(index, config);
            let source = Source::resolve(config).map_err(|e| e.context(place()))?;
            if let Some(twin) = sources.iter().position(|other| other.is_twin(&source)) {
                return Err(Error::invalid(format!(
                    "the same cluster, job_name {:?} and host as federate_configs[{twin}], give it another job_name",
                    config.job_name
                ))
                .context(place()));
            }
            sources.push(source);
        }
        Ok(sources)
    }
}

/// A job is told from others by its cluster and its name.
fn check_name(config: &ScrapeConfig, others: &[ScrapeConfig]) -> Result<(), Error> {
    let is_twin = |other: &ScrapeConfig| (&other.cluster, &other.job_name) == (&config.cluster, &config.job_name);
    match others.iter().position(is_twin) {
        None => Ok(()),
        Some(twin) => Err(Error::invalid(format!(
            "the same cluster and job_name as scrape_configs[{twin}], give it another job_name"
        ))),
    }
}

fn job_place(index: usize, config: &ScrapeConfig) -> String {
    format!("scrape_configs[{index}] (cluster {:?}, job_name {:?})", config.cluster, config.job_name)
}

fn source_place(index: usize, config: &FederateConfig) -> String {
    format!("federate_configs[{index}] (cluster {:?}, {})", config.cluster, config.url)
}

#[cfg(test)]
mod tests;
