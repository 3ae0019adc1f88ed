//! A source as its configuration resolves: what the request is, who it is on the board, how large an answer may be.

use std::sync::Arc;
use std::time::Duration;

use model::Error;
use model::source::SourceId;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::FederateConfig;

/// The [`SourceId::kind`] of federated servers.
pub(crate) const KIND: &str = "federate";

/// Labels of one series. An answer is refused whole, and one node with many labels must not cost a cluster its rows:
/// `kube_node_labels` has been seen with more than 64.
const MAX_LABELS: usize = 512;

/// Headers that decide how the answer is read, or that have fields of their own.
const RESERVED: [&str; 8] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "x-prometheus-scrape-timeout-seconds",
];

/// One federated server, checked and resolved.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Who it is on the board.
    pub(crate) id: SourceId,
    /// [`SourceId::cluster`], to stamp batches with.
    pub(crate) cluster: Arc<str>,
    /// The whole request, parameters included.
    pub(crate) url: Url,
    /// The URL to connect to: `url`, with the name that its certificate must be for in place of its host.
    pub(crate) target: Url,
    /// The configured headers.
    pub(crate) headers: HeaderMap,
    /// The time one fetch may take.
    pub(crate) timeout: Duration,
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
            kind: KIND,
            cluster: config.cluster.clone(),
            job: config.job_name.clone(),
            instance: instance(&url),
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
            target: target(&url, config)?,
            headers: headers(config)?,
            timeout: config.timeout(),
            config: config.clone(),
            id,
            url,
            limits,
        })
    }

    /// What decides the instants at which it is asked.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{}\n{}", self.id.cluster, self.id.job, self.url)
    }
}

/// A TLS library takes the name it asks for, and checks, from the host of the URL; so `server_name` becomes that, and the
/// client's resolver leads it to where the host is.
fn target(url: &Url, config: &FederateConfig) -> Result<Url, Error> {
    let mut target = url.clone();
    if let (Some(name), "https") = (&config.tls_config.server_name, url.scheme()) {
        let wrong = |e| Error::invalid(format!("tls_config: server_name {name:?}: {e}"));
        target.set_host(Some(name)).map_err(wrong)?;
    }
    Ok(target)
}

/// Host and port, the port spelt out.
fn instance(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}:{port}", url.host_str().unwrap_or(""))
}

fn headers(config: &FederateConfig) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let wrong = |what: &str| Error::invalid(format!("headers: {name:?} {what}"));
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("is not a header name"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(wrong("cannot be set here, credentials go into authorization or basic_auth"));
        }
        let value = HeaderValue::from_str(value).map_err(|_| wrong("has a value that no header can carry"))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}
