//! The configuration: one YAML file in Prometheus' own words where Prometheus has a word.
//!
//! Owns: reading the file, naming the place of every mistake, and turning what is written into the settings of each
//! crate. Does not own: what a setting does, nor its default (both are the crate's).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::Cluster;

mod file;
mod mistake;

use file::Depth;
pub use file::{Door, Log, LogFormat, OtlpListen, Readers, Telemetry, TlsServer};
pub use mistake::Mistake;

/// The default address: this machine only.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9911);

/// All settings, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file this was read from, if there was one.
    pub path: Option<PathBuf>,
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// Where OTLP listens besides.
    pub otlp_listen: OtlpListen,
    /// What is logged, and how.
    pub log: Log,
    /// To whom we send traces of ourselves.
    pub telemetry: Telemetry,
    /// The store.
    pub storage: storage::Config,
    /// The clusters and their attributes.
    pub clusters: Vec<Cluster>,
    /// Who may read.
    pub readers: Readers,
    /// The certificate of all listeners; without one they speak plain HTTP.
    pub tls_server_config: Option<TlsServer>,
    /// What is collected, and how.
    pub collector: collector::Config,
    /// The limits of queries.
    pub query: query::Config,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            path: None,
            listen: DEFAULT_LISTEN,
            otlp_listen: OtlpListen::default(),
            log: Log::default(),
            telemetry: Telemetry::default(),
            storage: storage::Config::default(),
            clusters: Vec::new(),
            readers: Readers::default(),
            tls_server_config: None,
            collector: collector::Config::default(),
            query: query::Config::default(),
        }
    }
}

impl Config {
    /// Reads and validates a file; without a path, the defaults.
    ///
    /// # Errors
    /// The first mistake of the file, with its place.
    pub fn load(path: Option<&Path>) -> Result<Self, Mistake> {
        let Some(path) = path else { return Ok(Config::default()) };
        let config = Config::parse(&text_of(path)?, path)?;
        Ok(Config { path: Some(path.to_owned()), ..config })
    }

    /// As [`Config::load`], and also looks into the files that the configuration names: credentials and certificates.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn check(path: &Path) -> Result<Self, Mistake> {
        let read = file::read(&text_of(path)?).and_then(|file| file.resolve(Depth::NamedFiles));
        let config = read.map_err(|mistake| mistake.in_file(path))?;
        Ok(Config { path: Some(path.to_owned()), ..config })
    }

    /// What it holds, in a few words.
    pub fn summary(&self) -> String {
        let (clusters, collector) = (self.clusters.len(), &self.collector);
        let (jobs, sources) = (collector.scrape_configs.len(), collector.federate_configs.len());
        format!("{clusters} clusters, {jobs} scrape jobs, {sources} federated sources")
    }

    /// What differs from `other` among the settings that only a restart can change.
    pub fn needs_restart(&self, other: &Config) -> Vec<&'static str> {
        let changed = [
            ("listen", self.listen != other.listen),
            ("otlp_listen", self.otlp_listen != other.otlp_listen),
            ("log", self.log != other.log),
            ("telemetry", self.telemetry != other.telemetry),
            ("storage", self.storage != other.storage),
            ("query", self.query != other.query),
            ("tls_server_config", self.tls_server_config != other.tls_server_config),
        ];
        changed.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }

    /// Validates the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// The first mistake of the text, with its place.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Mistake> {
        file::read(text).and_then(|file| file.resolve(Depth::Text)).map_err(|mistake| mistake.in_file(path))
    }
}

fn text_of(path: &Path) -> Result<String, Mistake> {
    std::fs::read_to_string(path).map_err(|e| Mistake::new(path, None, format!("cannot be read: {e}")))
}

#[cfg(test)]
mod tests;
