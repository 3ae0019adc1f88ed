//! A source as its configuration resolves: what the request is, who it is on the board, how large an answer may be.

use std::sync::Arc;

use model::Error;
use model::source::SourceId;
use url::Url;

use crate::config::{FederateConfig, Via};
use crate::fetch::Endpoint;

/// Labels of one series. An answer is refused whole, and one node with many labels must not cost a cluster its rows:
/// `kube_node_labels` has been seen with more than 64.
const MAX_LABELS: usize = 512;

/// One federated server, checked and resolved.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Who it is on the board.
    pub(crate) id: SourceId,
    /// [`SourceId::cluster`], to stamp batches with.
    pub(crate) cluster: Arc<str>,
    /// The request.
    pub(crate) endpoint: Endpoint,
    /// How large an answer may be.
    pub(crate) limits: decode::Limits,
    /// What it was resolved from.
    pub(crate) config: FederateConfig,
}

impl Source {
    /// Checks and resolves a configuration.
    ///
    /// # Errors
    /// `Invalid` if it is wrong.
    pub(crate) fn resolve(config: &FederateConfig) -> Result<Self, Error> {
        config.validate()?;
        let url = config.request_url()?;
        let id = SourceId {
            kind: match config.via {
                Via::Federate => "federate",
                Via::RemoteRead => "remote_read",
            },
            cluster: config.cluster.clone(),
            job: config.job_name.clone(),
            instance: instance(&url),
            // Its rows are told apart by nothing else.
            url: String::new(),
            labels: String::new(),
        };
        let max_decoded_bytes = usize::try_from(config.body_size_limit).unwrap_or(usize::MAX);
        // One limit for both: what is not compressed may be as large as what was.
        let limits = decode::Limits {
            max_body_bytes: max_decoded_bytes,
            max_decoded_bytes,
            max_labels: MAX_LABELS,
            ..decode::Limits::federation()
        };
        Ok(Source {
            cluster: Arc::from(config.cluster.as_str()),
            endpoint: Endpoint::new(url, config.timeout(), max_decoded_bytes, Arc::new(config.http()))?,
            config: config.clone(),
            id,
            limits,
        })
    }

    /// Whether this is the same source, by whatever way it is read: the rows that tell of it are the same.
    pub(crate) fn is_twin(&self, other: &Source) -> bool {
        self.is_same_host(other) && self.id.job == other.id.job
    }

    /// Whether this is a server of the same cluster at the same host and port.
    pub(crate) fn is_same_host(&self, other: &Source) -> bool {
        (&self.id.cluster, &self.id.instance) == (&other.id.cluster, &other.id.instance)
    }

    /// What decides the instants at which it is asked.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{}\n{}", self.id.cluster, self.id.job, self.endpoint.url)
    }
}

/// Host and port, the port spelt out.
pub(crate) fn instance(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}:{port}", url.host_str().unwrap_or(""))
}
