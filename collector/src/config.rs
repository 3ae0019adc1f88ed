//! The settings of the collectors, in Prometheus' words where Prometheus has a word.
//!
//! Owns: the shape of `federate_configs` and `remote_write`, their defaults, and what makes them wrong.
//! Does not own: the file they stand in (`config` of the binary), clusters and their attributes ([`model::Cluster`]).

mod credentials;
mod federate;
mod http;
mod relabel;
mod remote_write;
mod tls;

use model::Error;
use serde::{Deserialize, Serialize};

pub use credentials::{Authorization, BasicAuth};
pub use federate::FederateConfig;
pub(crate) use http::HttpConfig;
pub use relabel::{RelabelAction, RelabelConfig};
pub use remote_write::RemoteWriteConfig;
pub use tls::TlsConfig;

use crate::federate::Source;
use crate::fetch::check_files;

/// What is collected, and how.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The Prometheus servers that are federated. Default: none.
    pub federate_configs: Vec<FederateConfig>,
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
        self.remote_write.validate().map_err(|e| e.context("remote_write"))
    }

    /// Checks the files that the last source names: credentials and certificates. A server that runs does not ask this: it
    /// tells a file that is missing as the failure of an attempt, and heals once it is there.
    ///
    /// # Errors
    /// `Invalid`; the message names the entry and the file.
    pub fn check_files(&self) -> Result<(), Error> {
        let Some(config) = self.federate_configs.last() else { return Ok(()) };
        let place = format!(
            "federate_configs[{}] (cluster {:?}, {})",
            self.federate_configs.len() - 1,
            config.cluster,
            config.url
        );
        Source::resolve(config).and_then(|source| check_files(&source.endpoint)).map_err(|e| e.context(place))
    }

    /// The federated sources, resolved and told apart.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, Error> {
        let mut sources: Vec<Source> = Vec::with_capacity(self.federate_configs.len());
        for (index, config) in self.federate_configs.iter().enumerate() {
            let place = || format!("federate_configs[{index}] (cluster {:?}, {})", config.cluster, config.url);
            let source = Source::resolve(config).map_err(|e| e.context(place()))?;
            if let Some(twin) = sources.iter().position(|other| other.id == source.id) {
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

#[cfg(test)]
mod tests;
