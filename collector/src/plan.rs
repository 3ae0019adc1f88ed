//! What a configuration asks for: its sources and jobs, checked, resolved and told apart.
//!
//! Owns: what one entry cannot know of itself, and the place of a mistake.
//! Does not own: the shape of an entry (`config`), what an entry resolves to (`federate`, `remote_read`, `loki_read`, `scrape`).

use std::sync::Arc;

use model::Error;

use crate::config::{Config, FederateConfig, LokiConfig, ScrapeConfig, Via};
use crate::federate::Source;
use crate::fetch::check_files;
use crate::loki_read::Loki;
use crate::metrics::Metrics;
use crate::remote_read::Server;
use crate::scrape::Job;

/// All that is asked, each by its collector.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The servers of which the newest samples are fetched.
    pub(crate) federated: Vec<Arc<Source>>,
    /// The servers that are read by remote read.
    pub(crate) read: Vec<Arc<Server>>,
    /// The Loki servers whose lines are read.
    pub(crate) lokis: Vec<Arc<Loki>>,
    /// The jobs whose targets are scraped.
    pub(crate) jobs: Vec<Arc<Job>>,
}

impl Plan {
    /// Resolves every entry; jobs count into `metrics`.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and says how to mend it.
    pub(crate) fn new(config: &Config, metrics: &Arc<Metrics>) -> Result<Self, Error> {
        let mut plan = Plan::default();
        let mut sources: Vec<Source> = Vec::with_capacity(config.federate_configs.len());
        for (index, entry) in config.federate_configs.iter().enumerate() {
            let place = |e: Error| e.context(source_place(index, entry));
            let source = Source::resolve(entry).map_err(place)?;
            if let Some(twin) = sources.iter().position(|other| other.is_twin(&source)) {
                return Err(place(Error::invalid(format!(
                    "the same cluster, job_name {:?} and host as federate_configs[{twin}], give it another job_name",
                    entry.job_name
                ))));
            }
            sources.push(source.clone());
            match entry.via {
                Via::Federate => plan.federated.push(Arc::new(source)),
                Via::RemoteRead => plan.read.push(Arc::new(Server::new(source).map_err(place)?)),
            }
        }
        plan.lokis = lokis(config)?;
        for (index, entry) in config.scrape_configs.iter().enumerate() {
            let job = Job::resolve(entry, metrics.clone());
            let job = job.and_then(|job| check_name(entry, &config.scrape_configs[..index]).map(|()| job));
            plan.jobs.push(Arc::new(job.map_err(|e| e.context(job_place(index, entry)))?));
        }
        Ok(plan)
    }
}

impl Config {
    /// Checks everything that can be known without asking a source.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and says how to mend it.
    pub fn validate(&self) -> Result<(), Error> {
        Plan::new(self, &Arc::default())?;
        self.validate_receivers()
    }

    /// Checks what is said of pushes.
    ///
    /// # Errors
    /// `Invalid`, with the section.
    pub(crate) fn validate_receivers(&self) -> Result<(), Error> {
        self.validate_push()?;
        let remote_write = self.remote_write.validate(1, "the sum of body_size_limit and decoded_size_limit");
        remote_write.map_err(|e| e.context("remote_write"))?;
        let log_push = self.log_push.validate(2, "body_size_limit and twice decoded_size_limit, for its rows");
        log_push.map_err(|e| e.context("log_push"))?;
        self.otlp.validate().map_err(|e| e.context("otlp"))
    }

    /// Checks the files that the last source names: credentials and certificates. A server that runs does not ask this: it
    /// tells a file that is missing as the failure of an attempt, and heals once it is there.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and the file.
    pub fn check_source_files(&self) -> Result<(), Error> {
        let Some((entry, others)) = self.federate_configs.split_last() else { return Ok(()) };
        let checked = Source::resolve(entry).and_then(|source| check_files(&source.endpoint));
        checked.map_err(|e| e.context(source_place(others.len(), entry)))
    }

    /// Checks the entries of `loki_configs`.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn validate_lokis(&self) -> Result<(), Error> {
        lokis(self).map(drop)
    }

    /// As [`Config::check_source_files`], for the last Loki.
    ///
    /// # Errors
    /// As [`Config::check_source_files`].
    pub fn check_loki_files(&self) -> Result<(), Error> {
        let Some((entry, others)) = self.loki_configs.split_last() else { return Ok(()) };
        let checked = Loki::resolve(entry).and_then(|loki| check_files(&loki.endpoint));
        checked.map_err(|e| e.context(loki_place(others.len(), entry)))
    }

    /// As [`Config::check_source_files`], for the last job.
    ///
    /// # Errors
    /// As [`Config::check_source_files`].
    pub fn check_job_files(&self) -> Result<(), Error> {
        let Some((entry, others)) = self.scrape_configs.split_last() else { return Ok(()) };
        let checked = Job::resolve(entry, Arc::default()).and_then(|job| job.check_files());
        checked.map_err(|e| e.context(job_place(others.len(), entry)))
    }

    /// Checks the last job, alone and beside the others. A file is read entry by entry, so that a mistake has its place; to
    /// check all of them each time would take the square of their number.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn validate_last_job(&self) -> Result<(), Error> {
        let Some((entry, others)) = self.scrape_configs.split_last() else { return Ok(()) };
        let checked = entry.validate().and_then(|()| check_name(entry, others));
        checked.map_err(|e| e.context(job_place(others.len(), entry)))
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

fn lokis(config: &Config) -> Result<Vec<Arc<Loki>>, Error> {
    let mut lokis: Vec<Arc<Loki>> = Vec::with_capacity(config.loki_configs.len());
    for (index, entry) in config.loki_configs.iter().enumerate() {
        let place = |e: Error| e.context(loki_place(index, entry));
        let loki = Loki::resolve(entry).map_err(place)?;
        if let Some(twin) = lokis.iter().position(|other| other.id == loki.id) {
            return Err(place(Error::invalid(format!(
                "the same cluster, job_name {:?} and host as loki_configs[{twin}], give it another job_name",
                entry.job_name
            ))));
        }
        lokis.push(Arc::new(loki));
    }
    Ok(lokis)
}

fn loki_place(index: usize, config: &LokiConfig) -> String {
    format!("loki_configs[{index}] (cluster {:?}, {})", config.cluster, config.url)
}

fn source_place(index: usize, config: &FederateConfig) -> String {
    format!("federate_configs[{index}] (cluster {:?}, {})", config.cluster, config.url)
}
