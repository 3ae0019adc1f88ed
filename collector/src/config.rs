//! The settings of the collectors, in Prometheus' words where Prometheus has a word.
//!
//! Owns: the shape of `scrape_configs`, `federate_configs`, `loki_configs`, `remote_write`, `log_push`, `otlp`, `push` and of what a cluster says of its
//! pushes, their defaults, and what makes an entry wrong.
//! Does not own: what makes several wrong together (`plan`), the file they stand in (`config` of the binary), the attributes
//! of clusters ([`model::Cluster`]).

mod credentials;
mod discovery;
mod federate;
mod http;
mod limits;
mod loki;
mod otlp;
mod push;
mod receiver;
mod relabel;
mod scrape;
mod selector;
mod tls;
mod token;

use serde::{Deserialize, Serialize};

pub use credentials::{Authorization, BasicAuth};
pub use discovery::{FileSdConfig, HttpSdConfig, StaticConfig};
pub use federate::{FederateConfig, Via};
pub(crate) use http::HttpConfig;
pub use limits::{Bytes, LimitsConfig, PushLimits};
pub use loki::LokiConfig;
pub use otlp::{OtlpConfig, TranslationStrategy};
pub use push::{ClusterConfig, PushConfig};
pub use receiver::ReceiverConfig;
pub use relabel::{RelabelAction, RelabelConfig};
pub(crate) use scrape::check_times;
pub use scrape::{ScrapeConfig, ScrapeProtocol};
pub use tls::TlsConfig;
pub use token::{Holders, TokenConfig};

/// What is collected, and how.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The Prometheus servers that are federated. Default: none.
    pub federate_configs: Vec<FederateConfig>,
    /// The Loki servers whose lines are fetched. Default: none.
    pub loki_configs: Vec<LokiConfig>,
    /// The targets that are scraped. Default: none.
    pub scrape_configs: Vec<ScrapeConfig>,
    /// How pushed samples are received at `/api/v1/write`.
    pub remote_write: ReceiverConfig,
    /// How log rows are received that are pushed as to Loki or as to Elasticsearch.
    pub log_push: ReceiverConfig,
    /// Who may push without a token, and how much is taken.
    pub push: PushConfig,
    /// How pushes of clusters are known, and how much each may push. Default: none, every push is taken.
    pub clusters: Vec<ClusterConfig>,
    /// How OTLP metrics are received.
    pub otlp: OtlpConfig,
}

#[cfg(test)]
mod tests;
