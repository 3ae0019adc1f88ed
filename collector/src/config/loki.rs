//! A Loki whose lines are fetched.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Error, duration, size};
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::server_url;
use super::{Authorization, BasicAuth, HttpConfig, TlsConfig, check_times};

/// The longest a request takes where `scrape_timeout` is left out.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Texts of rows have places of 32 bits.
const MAX_BODY_SIZE_LIMIT: u64 = 1 << 30;
/// More lines in one answer than we decode at once.
const MAX_LIMIT: usize = 1_000_000;
/// The path of the endpoint below `url`.
const PATH: &str = "/loki/api/v1/query_range";
/// Asks that structured metadata stands beside the labels of a stream, and not among them.
const ENCODING_FLAGS: (&str, &str) = ("X-Loki-Response-Encoding-Flags", "categorize-labels");

/// A Loki whose lines are fetched from where the last reading ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LokiConfig {
    /// The `job` of the rows that tell of the fetching itself (`up`, `scrape_*`). Default `loki`.
    #[serde(default = "default_job_name")]
    pub job_name: String,
    /// The cluster that every row of this server is stamped with. Required.
    pub cluster: String,
    /// Where the server is: scheme, host, port, and a path if it is not at the root. Required.
    pub url: String,
    /// The lines to fetch: a query of LogQL that gives lines. Default `{job=~".+"}`: all streams that have a `job`. A Loki wants
    /// one condition at least that an empty label does not fulfil.
    #[serde(default = "default_query")]
    pub query: String,
    /// Further request headers; no secrets. `X-Scope-OrgID` names the tenant. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The time between two readings. Default `15s`.
    #[serde(with = "duration", default = "default_interval")]
    pub scrape_interval: Duration,
    /// The time one request may take, body included. Default `10s`, or the interval if that is shorter.
    #[serde(with = "duration::option", default)]
    pub scrape_timeout: Option<Duration>,
    /// The bytes of an answer after decompression, above which it is refused; at most `1GB`. Default `256MB`.
    #[serde(with = "size", default = "default_body_size_limit")]
    pub body_size_limit: u64,
    /// The lines of one answer, not more than the server's `max_entries_limit_per_query`. Default 5000.
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// How old a line must be before it is read. One that the server takes in later than that after its time is missed. Default
    /// `1m`.
    #[serde(with = "duration", default = "default_delay")]
    pub delay: Duration,
    /// How far back is read: of a new server, and after an outage. Default `1d`.
    #[serde(with = "duration", default = "default_backfill")]
    pub backfill: Duration,
    /// User and password. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// The `Authorization` header. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Certificates and names of a source that is asked by `https`. Default the authorities of the system.
    #[serde(default)]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; never to another server. Default `true`.
    #[serde(default = "yes")]
    pub follow_redirects: bool,
    /// The HTTP proxy to ask through. Default none, whatever the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
}

impl LokiConfig {
    /// A server of `cluster` at `url`, everything else by default.
    pub fn new(cluster: impl Into<String>, url: impl Into<String>) -> Self {
        LokiConfig {
            job_name: default_job_name(),
            cluster: cluster.into(),
            url: url.into(),
            query: default_query(),
            headers: BTreeMap::new(),
            scrape_interval: default_interval(),
            scrape_timeout: None,
            body_size_limit: default_body_size_limit(),
            limit: default_limit(),
            delay: default_delay(),
            backfill: default_backfill(),
            basic_auth: None,
            authorization: None,
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: None,
        }
    }

    /// How it is asked.
    pub(crate) fn http(&self) -> HttpConfig {
        let (name, value) = ENCODING_FLAGS;
        let mut headers = self.headers.clone();
        headers.insert(name.to_owned(), value.to_owned());
        HttpConfig {
            basic_auth: self.basic_auth.clone(),
            authorization: self.authorization.clone(),
            tls_config: self.tls_config.clone(),
            headers,
            follow_redirects: self.follow_redirects,
            proxy_url: self.proxy_url.clone(),
        }
    }

    /// The time one request may take.
    pub fn timeout(&self) -> Duration {
        self.scrape_timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(self.scrape_interval))
    }

    /// Checks the fields that need no resolving.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        for (field, value) in [("job_name", &self.job_name), ("cluster", &self.cluster), ("query", &self.query)] {
            if value.trim().is_empty() {
                return Err(Error::invalid(format!("{field} is empty")));
            }
        }
        check_times(self.scrape_interval, self.timeout())?;
        if self.body_size_limit == 0 || self.body_size_limit > MAX_BODY_SIZE_LIMIT {
            return Err(Error::invalid("body_size_limit is not between 1B and 1GB"));
        }
        if self.limit == 0 || self.limit > MAX_LIMIT {
            return Err(Error::invalid(format!("limit is not between 1 and {MAX_LIMIT}")));
        }
        self.http().validate()
    }

    /// The URL that is asked, without the times.
    pub(crate) fn request_url(&self) -> Result<Url, Error> {
        let mut url = server_url(&self.url, "http://loki:3100")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::invalid("url holds parameters, only query and the times of a reading are sent"));
        }
        let path = format!("{}{PATH}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut().append_pair("query", &self.query).append_pair("direction", "forward");
        Ok(url)
    }
}

fn yes() -> bool {
    true
}

fn default_job_name() -> String {
    "loki".to_owned()
}

fn default_query() -> String {
    r#"{job=~".+"}"#.to_owned()
}

fn default_interval() -> Duration {
    Duration::from_secs(15)
}

fn default_body_size_limit() -> u64 {
    256 << 20
}

fn default_limit() -> usize {
    5000
}

fn default_delay() -> Duration {
    Duration::from_secs(60)
}

fn default_backfill() -> Duration {
    Duration::from_secs(86_400)
}

#[cfg(test)]
mod tests;
