//! One job of targets that are scraped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use model::{Error, duration, size};
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::discovery::{FileSdConfig, HttpSdConfig, StaticConfig};
use super::{Authorization, BasicAuth, HttpConfig, RelabelConfig, TlsConfig};
use crate::relabel::Rules;

/// The longest a scrape takes where `scrape_timeout` is left out, as in Prometheus.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Where `body_size_limit` is left out or 0: memory must end somewhere.
const DEFAULT_BODY_SIZE_LIMIT: u64 = 256 << 20;
/// Series of a batch are 32-bit ranges of its body.
const MAX_BODY_SIZE_LIMIT: u64 = 1 << 30;

/// Targets that are scraped in the same way: an entry of Prometheus' `scrape_configs`, with the cluster it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrapeConfig {
    /// The label `job` of its rows unless relabeling sets another. Required.
    pub job_name: String,
    /// The cluster that every row of its targets is stamped with. Required.
    pub cluster: String,
    /// The time between two scrapes of a target. Default `15s`.
    #[serde(with = "duration", default = "default_interval")]
    pub scrape_interval: Duration,
    /// The time one scrape may take, body included. Default `10s`, or the interval if that is shorter.
    #[serde(with = "duration::option", default)]
    pub scrape_timeout: Option<Duration>,
    /// The path of the page. Default `/metrics`.
    #[serde(default = "default_metrics_path")]
    pub metrics_path: String,
    /// `http` or `https`. Default `http`.
    #[serde(default = "default_scheme")]
    pub scheme: String,
    /// URL parameters. Default none.
    #[serde(default)]
    pub params: BTreeMap<String, Vec<String>>,
    /// Further request headers; no secrets. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether a label of the page wins over the target's label of that name; else it becomes `exported_…`. Default
    /// `false`. `cluster` is never the page's to decide.
    #[serde(default)]
    pub honor_labels: bool,
    /// Whether timestamps of the page count. Default `true`.
    #[serde(default = "yes")]
    pub honor_timestamps: bool,
    /// Whether series with timestamps of their own get staleness markers when they go. Default `false`.
    #[serde(default)]
    pub track_timestamps_staleness: bool,
    /// Whether compressed pages are asked for. Default `true`.
    #[serde(default = "yes")]
    pub enable_compression: bool,
    /// The forms of a page that are asked for, best liked first. Default `[OpenMetricsText1.0.0, OpenMetricsText0.0.1,
    /// PrometheusText1.0.0, PrometheusText0.0.4]`, and `PrometheusProto` before them with `scrape_native_histograms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    /// The form of a page that does not say its form, or says one that does not exist. Default none: it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_scrape_protocol: Option<ScrapeProtocol>,
    /// Whether native histograms of a page are kept, which only `PrometheusProto` has; else each is what its classic
    /// buckets say. Default `false`.
    #[serde(default)]
    pub scrape_native_histograms: bool,
    /// Whether the classic buckets of a histogram are kept beside the native one. Default `false`.
    #[serde(default)]
    pub always_scrape_classic_histograms: bool,
    /// User and password. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// The `Authorization` header. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// As `authorization` with this `credentials_file`: Prometheus' older word. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Certificates and names of targets that are asked by `https`. Default the authorities of the system.
    #[serde(default)]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; never to another server. Default `true`.
    #[serde(default = "yes")]
    pub follow_redirects: bool,
    /// The HTTP proxy to ask through. Default none, whatever the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
    /// Targets that stand here. Default none.
    #[serde(default)]
    pub static_configs: Vec<StaticConfig>,
    /// Targets that stand in files. Default none.
    #[serde(default)]
    pub file_sd_configs: Vec<FileSdConfig>,
    /// Targets that servers tell. Default none.
    #[serde(default)]
    pub http_sd_configs: Vec<HttpSdConfig>,
    /// Targets that Kubernetes tells: not served yet.
    #[serde(default, skip_serializing)]
    pub kubernetes_sd_configs: Unserved,
    /// Rules for the labels of targets. Default none.
    #[serde(default)]
    pub relabel_configs: Vec<RelabelConfig>,
    /// Rules for the labels of series. Default none.
    #[serde(default)]
    pub metric_relabel_configs: Vec<RelabelConfig>,
    /// The bytes of a page after decompression, above which the scrape fails. Default 0, which means `256MB`; at most `1GB`.
    #[serde(with = "size", default)]
    pub body_size_limit: u64,
    /// Samples after relabeling, above which the scrape fails. Default 0: no limit.
    #[serde(default)]
    pub sample_limit: usize,
    /// Labels of a series after relabeling, its name one of them, above which the scrape fails. Default 0: no limit.
    #[serde(default)]
    pub label_limit: usize,
    /// Bytes of a label's name after relabeling, above which the scrape fails. Default 0: no limit.
    #[serde(default)]
    pub label_name_length_limit: usize,
    /// Bytes of a label's value after relabeling, above which the scrape fails. Default 0: no limit.
    #[serde(default)]
    pub label_value_length_limit: usize,
    /// Targets after relabeling, above which none of them is scraped. Default 0: no limit.
    #[serde(default)]
    pub target_limit: usize,
}

/// A form of a page, in Prometheus' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScrapeProtocol {
    /// The text format.
    #[serde(rename = "PrometheusText0.0.4")]
    Text004,
    /// The text format with UTF-8 names.
    #[serde(rename = "PrometheusText1.0.0")]
    Text100,
    /// OpenMetrics before it was finished.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetrics001,
    /// OpenMetrics.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetrics100,
    /// Delimited protobuf: the one form that has native histograms.
    #[serde(rename = "PrometheusProto")]
    Protobuf,
}

/// A key of Prometheus that is known here and not served yet: whether it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unserved(bool);

impl<'de> Deserialize<'de> for Unserved {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Unserved(true))
    }
}

impl ScrapeProtocol {
    /// How many there are.
    pub(crate) const COUNT: usize = 5;
    /// What is asked for if nothing is said.
    const TEXTS: [Self; 4] = [Self::OpenMetrics100, Self::OpenMetrics001, Self::Text100, Self::Text004];

    /// How it is asked for in the `Accept` header.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            ScrapeProtocol::Text004 => "text/plain;version=0.0.4",
            ScrapeProtocol::Text100 => "text/plain;version=1.0.0;escaping=allow-utf-8",
            ScrapeProtocol::OpenMetrics001 => "application/openmetrics-text;version=0.0.1",
            ScrapeProtocol::OpenMetrics100 => "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
            ScrapeProtocol::Protobuf => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
        }
    }
}

impl ScrapeConfig {
    /// A job of `cluster` without targets, everything else by default.
    pub fn new(job_name: impl Into<String>, cluster: impl Into<String>) -> Self {
        ScrapeConfig {
            job_name: job_name.into(),
            cluster: cluster.into(),
            scrape_interval: default_interval(),
            scrape_timeout: None,
            metrics_path: default_metrics_path(),
            scheme: default_scheme(),
            params: BTreeMap::new(),
            headers: BTreeMap::new(),
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            enable_compression: true,
            scrape_protocols: None,
            fallback_scrape_protocol: None,
            scrape_native_histograms: false,
            always_scrape_classic_histograms: false,
            basic_auth: None,
            authorization: None,
            bearer_token_file: None,
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: None,
            static_configs: Vec::new(),
            file_sd_configs: Vec::new(),
            http_sd_configs: Vec::new(),
            kubernetes_sd_configs: Unserved::default(),
            relabel_configs: Vec::new(),
            metric_relabel_configs: Vec::new(),
            body_size_limit: 0,
            sample_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            target_limit: 0,
        }
    }

    /// The time one scrape may take.
    pub fn timeout(&self) -> Duration {
        self.scrape_timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(self.scrape_interval))
    }

    /// The forms of a page that are asked for, best liked first.
    pub(crate) fn protocols(&self) -> Vec<ScrapeProtocol> {
        let proto = self.scrape_native_histograms.then_some(ScrapeProtocol::Protobuf);
        let default = || proto.into_iter().chain(ScrapeProtocol::TEXTS).collect();
        self.scrape_protocols.clone().unwrap_or_else(default)
    }

    /// The bytes of a page after decompression.
    pub(crate) fn max_body_bytes(&self) -> usize {
        let bytes = if self.body_size_limit == 0 { DEFAULT_BODY_SIZE_LIMIT } else { self.body_size_limit };
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// How targets are asked.
    pub(crate) fn http(&self) -> HttpConfig {
        let token = self.bearer_token_file.clone().map(Authorization::bearer);
        HttpConfig {
            basic_auth: self.basic_auth.clone(),
            authorization: self.authorization.clone().or(token),
            tls_config: self.tls_config.clone(),
            headers: self.headers.clone(),
            follow_redirects: self.follow_redirects,
            proxy_url: self.proxy_url.clone(),
        }
    }

    /// Checks everything that can be known without asking a target or reading a file.
    ///
    /// # Errors
    /// `Invalid`; the message names the field.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        for (field, value) in [("job_name", &self.job_name), ("cluster", &self.cluster)] {
            if value.is_empty() {
                return Err(Error::invalid(format!("{field} is empty")));
            }
        }
        if self.kubernetes_sd_configs.0 {
            return Err(Error::invalid(
                "kubernetes_sd_configs is not served yet: list the targets by file_sd_configs or http_sd_configs, or \
                 federate the cluster's own Prometheus",
            ));
        }
        check_times(self.scrape_interval, self.timeout())?;
        if self.body_size_limit > MAX_BODY_SIZE_LIMIT {
            return Err(Error::invalid("body_size_limit is above 1GB"));
        }
        if !matches!(&*self.scheme, "http" | "https") {
            return Err(Error::invalid(format!("scheme {:?} is neither http nor https", self.scheme)));
        }
        self.validate_protocols()?;
        if self.bearer_token_file.is_some() && (self.authorization.is_some() || self.basic_auth.is_some()) {
            return Err(Error::invalid("bearer_token_file excludes authorization and basic_auth"));
        }
        self.http().validate()?;
        let rules = |field, rules| Rules::new(rules).map(drop).map_err(|e| e.context(field));
        rules("relabel_configs", &self.relabel_configs)?;
        rules("metric_relabel_configs", &self.metric_relabel_configs)?;
        for (index, config) in self.static_configs.iter().enumerate() {
            config.validate().map_err(|e| e.context(format!("static_configs[{index}]")))?;
        }
        for (index, config) in self.file_sd_configs.iter().enumerate() {
            config.validate().map_err(|e| e.context(format!("file_sd_configs[{index}]")))?;
        }
        for (index, config) in self.http_sd_configs.iter().enumerate() {
            config.validate().map_err(|e| e.context(format!("http_sd_configs[{index}]")))?;
        }
        Ok(())
    }

    fn validate_protocols(&self) -> Result<(), Error> {
        let Some(all) = &self.scrape_protocols else { return Ok(()) };
        if all.is_empty() {
            return Err(Error::invalid("scrape_protocols is empty, leave it out for all"));
        }
        if let Some(twice) = all.iter().enumerate().find(|(at, one)| all[..*at].contains(one)) {
            return Err(Error::invalid(format!("scrape_protocols holds {:?} twice", twice.1)));
        }
        Ok(())
    }
}

/// Checks the interval and the timeout of a job or a target.
///
/// # Errors
/// `Invalid` if they do not go together.
pub(crate) fn check_times(interval: Duration, timeout: Duration) -> Result<(), Error> {
    if interval < Duration::from_millis(100) {
        return Err(Error::invalid("scrape_interval is shorter than 100ms"));
    }
    if timeout.is_zero() || timeout > interval {
        return Err(Error::invalid(format!(
            "scrape_timeout {} is not between 1ms and scrape_interval {}",
            duration::format(timeout),
            duration::format(interval)
        )));
    }
    Ok(())
}

fn yes() -> bool {
    true
}

fn default_interval() -> Duration {
    Duration::from_secs(15)
}

fn default_metrics_path() -> String {
    "/metrics".to_owned()
}

fn default_scheme() -> String {
    "http".to_owned()
}
