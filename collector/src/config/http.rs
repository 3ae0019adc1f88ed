//! How another server is asked, whatever it is asked for.

use std::collections::BTreeMap;

use model::Error;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Authorization, BasicAuth, TlsConfig};

/// Headers that decide how an answer is read, or that have fields of their own.
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

/// Credentials, TLS, headers, redirects and proxy. Every kind of source has these fields among its own, as in Prometheus.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpConfig {
    pub(crate) basic_auth: Option<BasicAuth>,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) tls_config: TlsConfig,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) follow_redirects: bool,
    pub(crate) proxy_url: Option<String>,
}

impl HttpConfig {
    /// Checks what can be known without asking anyone or reading a file.
    ///
    /// # Errors
    /// `Invalid`, with the field.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.basic_auth.is_some() && self.authorization.is_some() {
            return Err(Error::invalid("basic_auth and authorization exclude each other"));
        }
        self.basic_auth.as_ref().map_or(Ok(()), BasicAuth::validate)?;
        self.authorization.as_ref().map_or(Ok(()), Authorization::validate)?;
        self.tls_config.validate()?;
        self.proxy().map(drop)?;
        self.header_map().map(drop)
    }

    /// The configured headers.
    ///
    /// # Errors
    /// `Invalid` if one cannot be sent or has a field of its own.
    pub(crate) fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
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

    /// The proxy that stands between, if there is one.
    ///
    /// # Errors
    /// `Invalid` if it is no URL of a proxy, or holds a password.
    pub(crate) fn proxy(&self) -> Result<Option<Url>, Error> {
        let Some(text) = &self.proxy_url else { return Ok(None) };
        let url = Url::parse(text)
            .map_err(|e| Error::invalid(format!("proxy_url {text:?} is not a URL like http://proxy:3128: {e}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Error::invalid(format!("proxy_url {text:?} does not begin with http:// or https://")));
        }
        if url.password().is_some() {
            return Err(Error::invalid("proxy_url holds a password, which does not belong into the configuration"));
        }
        if self.tls_config.server_name.is_some() {
            return Err(Error::invalid("proxy_url and tls_config.server_name exclude each other"));
        }
        Ok(Some(url))
    }
}

/// The URL of a server as a field `url` gives it; `example` is one for messages.
///
/// # Errors
/// `Invalid` if it is none of HTTP, or holds credentials.
pub(super) fn server_url(text: &str, example: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|e| Error::invalid(format!("url {text:?} is not a URL like {example}: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::invalid(format!("url {text:?} does not begin with http:// or https://")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid("url holds credentials, put them into basic_auth"));
    }
    Ok(url)
}
