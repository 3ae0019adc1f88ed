//! One federated Prometheus server.

use std::collections::BTreeMap;
use std::time::Duration;

use decode::remote_read::Matcher;
use model::{Error, duration, size};
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::server_url;
use super::selector;
use super::{Authorization, BasicAuth, HttpConfig, TlsConfig, check_times};

/// The longest a request takes where `scrape_timeout` is left out, as in Prometheus.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Series of a batch are 32-bit ranges of its body, and a body takes up the labels of vanished series too.
const MAX_BODY_SIZE_LIMIT: u64 = 1 << 30;

/// How long after its time a sample of the source is there at the latest, where `delay` is left out: a scrape has the time
/// at which it began and may take 10 s (Prometheus' own `scrape_timeout`) ...
const LEAST_DELAY: Duration = Duration::from_secs(15);
/// ... and the markers of a target that has left come 1.1 intervals after their time (`endOfRunStaleness` in Prometheus'
/// `scrape/scrape.go`).
const DELAY_INTERVALS: f64 = 1.25;
const DELAY_MARGIN: Duration = Duration::from_secs(5);
const DEFAULT_BACKFILL: Duration = Duration::from_secs(86_400);
const DEFAULT_BACKFILL_RATE: u64 = 250_000;

/// The ways of reading a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The newest sample of each series, from `/federate`. What is missed stays missed.
    #[default]
    Federate,
    /// Every sample, by remote read: from where the last reading ended, so that holes are filled later.
    RemoteRead,
}

/// A Prometheus server whose samples are fetched, with their own timestamps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederateConfig {
    /// The `job` of the rows that tell of the fetching itself (`up`, `scrape_*`). Default `federate`.
    #[serde(default = "default_job_name")]
    pub job_name: String,
    /// The cluster that every row of this server is stamped with. Required.
    pub cluster: String,
    /// Where the server is: scheme, host, port, and a path if it is not at the root. Required.
    pub url: String,
    /// The way it is read. Default `federate`.
    #[serde(default)]
    pub via: Via,
    /// The path of the endpoint below `url`. Default `/federate`; `/api/v1/read` for remote read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_path: Option<String>,
    /// The series to fetch, each a selector; a series that any of them selects comes. Default `{__name__!=""}`: every
    /// series, those of recording rules without a `job` among them.
    #[serde(rename = "match", alias = "match[]", default = "default_matchers")]
    pub matchers: Vec<String>,
    /// Further URL parameters. Default none.
    #[serde(default)]
    pub params: BTreeMap<String, Vec<String>>,
    /// Further request headers; no secrets. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The time between two fetches; choose the interval at which the server itself scrapes. Default `15s`.
    #[serde(with = "duration", default = "default_interval")]
    pub scrape_interval: Duration,
    /// The time one fetch may take, body included. Default `10s`, or the interval if that is shorter.
    #[serde(with = "duration::option", default)]
    pub scrape_timeout: Option<Duration>,
    /// The bytes of an answer after decompression, above which it is refused; at most `1GB`. Default `256MB`.
    #[serde(with = "size", default = "default_body_size_limit")]
    pub body_size_limit: u64,
    /// Remote read: how old a sample must be before it is read. One that the server takes in later than that after its
    /// time is missed: choose more than its longest scrape, and more than 1.1 of its longest intervals, after which the
    /// series of a target that has left end. Default one and a quarter of `scrape_interval` and 5s, at least `15s`.
    #[serde(with = "duration::option", default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// Remote read: how far back holes are filled, and how much of the past of a new server is read. Default `1d`.
    #[serde(with = "duration::option", default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Duration>,
    /// Remote read: samples of the past that are read a second, at most. Default 250,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill_rate: Option<u64>,
    /// User and password. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// The `Authorization` header. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Certificates and names of a source that is asked by `https`. Default the authorities of the system.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; never to another server. Default `true`.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub follow_redirects: bool,
    /// The HTTP proxy to ask through. Default none, whatever the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
}

impl FederateConfig {
    /// A server of `cluster` at `url`, everything else by default.
    pub fn new(cluster: impl Into<String>, url: impl Into<String>) -> Self {
        FederateConfig {
            job_name: default_job_name(),
            cluster: cluster.into(),
            url: url.into(),
            via: Via::default(),
            metrics_path: None,
            matchers: default_matchers(),
            params: BTreeMap::new(),
            headers: BTreeMap::new(),
            scrape_interval: default_interval(),
            scrape_timeout: None,
            body_size_limit: default_body_size_limit(),
            delay: None,
            backfill: None,
            backfill_rate: None,
            basic_auth: None,
            authorization: None,
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: None,
        }
    }

    /// How it is asked.
    pub(crate) fn http(&self) -> HttpConfig {
        HttpConfig {
            basic_auth: self.basic_auth.clone(),
            authorization: self.authorization.clone(),
            tls_config: self.tls_config.clone(),
            headers: self.headers.clone(),
            follow_redirects: self.follow_redirects,
            proxy_url: self.proxy_url.clone(),
        }
    }

    /// The time one fetch may take.
    pub fn timeout(&self) -> Duration {
        self.scrape_timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(self.scrape_interval))
    }

    /// How old a sample must be before it is read by remote read.
    pub(crate) fn delay(&self) -> Duration {
        let default = || LEAST_DELAY.max(self.scrape_interval.mul_f64(DELAY_INTERVALS) + DELAY_MARGIN);
        self.delay.unwrap_or_else(default)
    }

    /// How far back holes are filled.
    pub(crate) fn backfill(&self) -> Duration {
        self.backfill.unwrap_or(DEFAULT_BACKFILL)
    }

    /// Samples of the past a second, at most.
    pub(crate) fn backfill_rate(&self) -> u64 {
        self.backfill_rate.unwrap_or(DEFAULT_BACKFILL_RATE)
    }

    /// The conditions of each selector, for remote read.
    ///
    /// # Errors
    /// `Invalid` if one cannot be read; the message names it.
    pub(crate) fn selections(&self) -> Result<Vec<Vec<Matcher>>, Error> {
        self.matchers.iter().map(|text| selector::parse(text).map_err(|e| e.context("match"))).collect()
    }

    /// Checks the fields that need no resolving.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        for (field, value) in [("job_name", &self.job_name), ("cluster", &self.cluster)] {
            if value.is_empty() {
                return Err(Error::invalid(format!("{field} is empty")));
            }
        }
        check_times(self.scrape_interval, self.timeout())?;
        if self.body_size_limit == 0 || self.body_size_limit > MAX_BODY_SIZE_LIMIT {
            return Err(Error::invalid("body_size_limit is not between 1B and 1GB"));
        }
        if self.matchers.is_empty() || self.matchers.iter().any(|m| m.trim().is_empty()) {
            return Err(Error::invalid("match is empty, leave it out for every series"));
        }
        if self.params.contains_key("match[]") {
            return Err(Error::invalid("params: match[] has a field of its own, match"));
        }
        match self.via {
            Via::Federate => {
                let foreign = [self.delay.is_some(), self.backfill.is_some(), self.backfill_rate.is_some()];
                if foreign.contains(&true) {
                    return Err(Error::invalid("delay, backfill and backfill_rate belong to via: remote_read"));
                }
            }
            Via::RemoteRead => {
                if self.backfill_rate == Some(0) {
                    return Err(Error::invalid("backfill_rate is 0: to read nothing of the past say backfill: 0s"));
                }
                self.selections()?;
            }
        }
        self.http().validate()
    }

    /// The URL that is asked, parameters included.
    pub(crate) fn request_url(&self) -> Result<Url, Error> {
        let mut url = server_url(&self.url, "http://prometheus:9090")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::invalid("url holds parameters, put them into params"));
        }
        let default_path = match self.via {
            Via::Federate => "/federate",
            Via::RemoteRead => "/api/v1/read",
        };
        let path = self.metrics_path.as_deref().unwrap_or(default_path);
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(Error::invalid(format!("metrics_path {path:?} is not a path like {default_path}")));
        }
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        if self.via == Via::Federate {
            url.query_pairs_mut().extend_pairs(self.matchers.iter().map(|matcher| ("match[]", matcher)));
        }
        let params = self.params.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        if !self.params.is_empty() {
            url.query_pairs_mut().extend_pairs(params);
        }
        Ok(url)
    }
}

fn is_default(tls: &TlsConfig) -> bool {
    *tls == TlsConfig::default()
}

fn yes() -> bool {
    true
}

fn is_yes(given: &bool) -> bool {
    *given
}

fn default_job_name() -> String {
    "federate".to_owned()
}

fn default_matchers() -> Vec<String> {
    vec![r#"{__name__!=""}"#.to_owned()]
}

fn default_interval() -> Duration {
    Duration::from_secs(15)
}

fn default_body_size_limit() -> u64 {
    256 << 20
}
