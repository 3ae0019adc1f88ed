//! What is asked, resolved: where it is, with which headers, for how long, for how many bytes.

use std::sync::Arc;
use std::time::Duration;

use model::Error;
use reqwest::header::HeaderMap;
use url::Url;

use crate::config::HttpConfig;

/// One thing to ask again and again: a page of a target, a list of targets.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The whole request, parameters included.
    pub(crate) url: Url,
    /// The URL to connect to: `url`, with the name that its certificate must be for in place of its host.
    pub(super) target: Url,
    /// The configured headers.
    pub(super) headers: HeaderMap,
    /// The time one request may take, from the name to the last byte.
    pub(crate) timeout: Duration,
    /// The bytes that an answer may have on the wire.
    pub(crate) max_body_bytes: usize,
    /// Whether compressed answers are asked for.
    pub(super) compression: bool,
    /// Whether questions have a body, which not every redirect carries along.
    pub(super) has_body: bool,
    /// Credentials and the rest of how it is asked.
    pub(crate) http: Arc<HttpConfig>,
}

impl Endpoint {
    /// Resolves the names and headers of `http` for `url`.
    ///
    /// # Errors
    /// `Invalid` if they do not fit.
    pub(crate) fn new(
        url: Url,
        timeout: Duration,
        max_body_bytes: usize,
        http: Arc<HttpConfig>,
    ) -> Result<Self, Error> {
        let target = target(&url, &http)?;
        Ok(Endpoint {
            target,
            headers: http.header_map()?,
            url,
            timeout,
            max_body_bytes,
            compression: true,
            has_body: false,
            http,
        })
    }

    /// The same, without asking for compression.
    pub(crate) fn uncompressed(self) -> Self {
        Endpoint { compression: false, ..self }
    }

    /// The same, for questions with a body.
    pub(crate) fn with_body(self) -> Self {
        Endpoint { has_body: true, ..self }
    }

    /// The same, with further parameters.
    pub(crate) fn with_params(&self, params: &[(&str, &str)]) -> Self {
        let mut endpoint = self.clone();
        for url in [&mut endpoint.url, &mut endpoint.target] {
            url.query_pairs_mut().extend_pairs(params);
        }
        endpoint
    }

    /// Whether another name is asked for than the host's.
    pub(crate) fn has_server_name(&self) -> bool {
        self.target != self.url
    }
}

/// A TLS library takes the name it asks for, and checks, from the host of the URL; so `server_name` becomes that, and the
/// client's resolver leads it to where the host is.
fn target(url: &Url, http: &HttpConfig) -> Result<Url, Error> {
    let mut target = url.clone();
    if let (Some(name), "https") = (&http.tls_config.server_name, url.scheme()) {
        let wrong = |e| Error::invalid(format!("tls_config: server_name {name:?}: {e}"));
        target.set_host(Some(name)).map_err(wrong)?;
    }
    Ok(target)
}
