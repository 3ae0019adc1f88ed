//! What the file says, key by key, before it is resolved.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use collector::config::{FederateConfig, LokiConfig, OtlpConfig, PushConfig, ReceiverConfig, ScrapeConfig};
use model::{duration, size};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::{Config, DEFAULT_LISTEN, Mistake};

mod access;
mod otlp_listen;

pub use access::{Readers, TlsServer};
pub use otlp_listen::{Door, OtlpListen};

/// What is logged, and how. Logs go to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least level that is written, or directives such as `info,storage=debug`. Default: `info`.
    pub level: String,
    /// Default: `text`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: "info".into(), format: LogFormat::Text }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For the eye.
    Text,
    /// One JSON object a line.
    Json,
}

/// To whom we send traces of ourselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// The address of a receiver of OTLP over gRPC, `http://host:4317`; it may be our own. Without it nothing is sent.
    pub otlp_endpoint: Option<String>,
    /// A file with the token that the receiver asks for.
    pub token_file: Option<PathBuf>,
}

/// How far a check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the text says. Enough to start with: a secret may be put into its place later.
    Text,
    /// Also the credentials and certificates in the files that it names.
    NamedFiles,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    listen: Option<SocketAddr>,
    log: Option<Spanned<Log>>,
    telemetry: Option<Spanned<Telemetry>>,
    storage: Storage,
    global: Global,
    clusters: Vec<Spanned<access::ClusterEntry>>,
    scrape_configs: Vec<Spanned<ScrapeConfig>>,
    federate_configs: Vec<Spanned<FederateConfig>>,
    loki_configs: Vec<Spanned<LokiConfig>>,
    remote_write: Option<Spanned<ReceiverConfig>>,
    log_push: Option<Spanned<ReceiverConfig>>,
    push: Option<Spanned<PushConfig>>,
    otlp: Option<Spanned<OtlpConfig>>,
    otlp_listen: OtlpListen,
    readers: Option<Spanned<Readers>>,
    tls_server_config: Option<Spanned<TlsServer>>,
    query: query::Config,
}

/// What every source has unless it says otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Global {
    #[serde(with = "duration::option")]
    scrape_interval: Option<Duration>,
    #[serde(with = "duration::option")]
    scrape_timeout: Option<Duration>,
}

impl Global {
    /// Sets what a source does not say itself.
    fn fill_in(&self, interval: &mut Duration, timeout: &mut Option<Duration>, own: &OwnTimes) {
        if let (Some(global), None) = (self.scrape_interval, &own.scrape_interval) {
            *interval = global;
        }
        if let (Some(global), None) = (self.scrape_timeout, &own.scrape_timeout) {
            *timeout = Some(global.min(*interval));
        }
    }
}

/// Which sources say otherwise; everything else of the file is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Own {
    scrape_configs: Vec<OwnTimes>,
    federate_configs: Vec<OwnTimes>,
    loki_configs: Vec<OwnTimes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnTimes {
    scrape_interval: Option<IgnoredAny>,
    scrape_timeout: Option<IgnoredAny>,
}

/// A duration with its place.
#[derive(Debug, Deserialize)]
struct Span(#[serde(with = "duration")] Duration);

/// A size in bytes with its place: `512MB`, or a bare number.
#[derive(Debug, Deserialize)]
struct Bytes(#[serde(deserialize_with = "size::deserialize_or_bytes")] u64);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Storage {
    url: Option<Spanned<String>>,
    local_dir: Option<String>,
    cut_every: Option<Spanned<Span>>,
    series_idle: Option<Spanned<Span>>,
    retention: Option<Spanned<Span>>,
    cut_bytes: Option<Spanned<Bytes>>,
    memory_bytes: Option<Spanned<Bytes>>,
    journal_bytes: Option<Spanned<Bytes>>,
    reserve_bytes: Option<Spanned<Bytes>>,
    cache_bytes: Option<Spanned<Bytes>>,
}

/// Reads the text; the error has its place but not the name of the file.
pub(super) fn read(text: &str) -> Result<File, Mistake> {
    // A file of comments alone is an empty configuration.
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(File::default());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let mut file: File = serde_saphyr::from_str_with_options(text, options.clone())?;
    let own: Own = serde_saphyr::from_str_with_options(text, options)?;
    for (job, own) in file.scrape_configs.iter_mut().zip(own.scrape_configs) {
        let job = &mut job.value;
        file.global.fill_in(&mut job.scrape_interval, &mut job.scrape_timeout, &own);
    }
    for (source, own) in file.federate_configs.iter_mut().zip(own.federate_configs) {
        let source = &mut source.value;
        file.global.fill_in(&mut source.scrape_interval, &mut source.scrape_timeout, &own);
    }
    for (loki, own) in file.loki_configs.iter_mut().zip(own.loki_configs) {
        let loki = &mut loki.value;
        file.global.fill_in(&mut loki.scrape_interval, &mut loki.scrape_timeout, &own);
    }
    Ok(file)
}

impl File {
    /// Checks what no single key can show, and fills in the defaults.
    pub(super) fn resolve(self, depth: Depth) -> Result<Config, Mistake> {
        let storage = self.storage.resolve()?;
        for source in &self.federate_configs {
            backfill_is_kept(source, storage.retention)?;
        }
        let push_place = self.push.as_ref().map(|given| given.referenced);
        let access = access::resolve(self.clusters, self.push, self.readers, self.tls_server_config, depth)?;
        let receivers = Receivers { remote_write: self.remote_write, log_push: self.log_push, otlp: self.otlp };
        let mut collector = collector_config(self.scrape_configs, self.federate_configs, receivers, depth)?;
        add_lokis(&mut collector, self.loki_configs, depth)?;
        (collector.push, collector.clusters) = (access.push, access.pushing);
        // What each says alone has been checked; together the cluster of pushes without a token can be wrong.
        collector.validate_push().map_err(|e| Mistake::new(Path::new(""), push_place, e.to_string()))?;
        Ok(Config {
            path: None,
            listen: self.listen.unwrap_or(DEFAULT_LISTEN),
            otlp_listen: self.otlp_listen,
            log: log(self.log)?,
            telemetry: telemetry(self.telemetry)?,
            storage,
            clusters: access.clusters,
            readers: access.readers,
            tls_server_config: access.tls,
            collector,
            query: self.query,
        })
    }
}

impl Storage {
    fn resolve(self) -> Result<storage::Config, Mistake> {
        let mut config = storage::Config::default();
        if let Some(url) = self.url {
            if url.value.is_empty() {
                return Err(Mistake::at(url.referenced, "storage.url is empty: name a folder or a bucket's URL"));
            }
            config.url = url.value;
        }
        config.local_dir = self.local_dir.or(config.local_dir);
        config.cut_every = at_least(self.cut_every, "storage.cut_every", Duration::from_secs(1), config.cut_every)?;
        config.series_idle =
            at_least(self.series_idle, "storage.series_idle", Duration::from_secs(1), config.series_idle)?;
        config.retention =
            at_least(self.retention, "storage.retention", Duration::from_secs(86_400), config.retention)?;
        config.cut_bytes = at_least_bytes(self.cut_bytes, "storage.cut_bytes", config.cut_bytes)?;
        config.memory_bytes = at_least_bytes(self.memory_bytes, "storage.memory_bytes", config.memory_bytes)?;
        config.journal_bytes = at_least_bytes(self.journal_bytes, "storage.journal_bytes", config.journal_bytes)?;
        config.reserve_bytes = self.reserve_bytes.map_or(config.reserve_bytes, |bytes| bytes.value.0);
        config.cache_bytes = at_least_bytes(self.cache_bytes, "storage.cache_bytes", config.cache_bytes)?;
        Ok(config)
    }
}

fn telemetry(given: Option<Spanned<Telemetry>>) -> Result<Telemetry, Mistake> {
    let Some(given) = given else { return Ok(Telemetry::default()) };
    match given.value.otlp_endpoint.as_deref() {
        Some(endpoint) if !endpoint.starts_with("http://") => {
            let what = format!("telemetry.otlp_endpoint is {endpoint:?}, write it like http://127.0.0.1:4317");
            Err(Mistake::at(given.referenced, what))
        }
        None if given.value.token_file.is_some() => {
            Err(Mistake::at(given.referenced, "telemetry.token_file is of no use without telemetry.otlp_endpoint"))
        }
        _ => Ok(given.value),
    }
}

fn at_least(given: Option<Spanned<Span>>, key: &str, least: Duration, default: Duration) -> Result<Duration, Mistake> {
    match given {
        None => Ok(default),
        Some(span) if span.value.0 >= least => Ok(span.value.0),
        Some(span) => Err(Mistake::at(span.referenced, format!("{key} must be at least {} seconds", least.as_secs()))),
    }
}

fn at_least_bytes(given: Option<Spanned<Bytes>>, key: &str, default: u64) -> Result<u64, Mistake> {
    const LEAST: u64 = 1 << 20;
    match given {
        None => Ok(default),
        Some(bytes) if bytes.value.0 >= LEAST => Ok(bytes.value.0),
        Some(bytes) => Err(Mistake::at(bytes.referenced, format!("{key} must be at least 1MiB"))),
    }
}

fn log(given: Option<Spanned<Log>>) -> Result<Log, Mistake> {
    let Some(log) = given else { return Ok(Log::default()) };
    match tracing_subscriber::EnvFilter::try_new(&log.value.level) {
        Ok(_) => Ok(log.value),
        Err(e) => Err(Mistake::at(log.referenced, format!("log.level {:?}: {e}", log.value.level))),
    }
}

/// The sections of the receivers.
#[derive(Debug)]
struct Receivers {
    remote_write: Option<Spanned<ReceiverConfig>>,
    log_push: Option<Spanned<ReceiverConfig>>,
    otlp: Option<Spanned<OtlpConfig>>,
}

/// Each job and source is checked alone, so that the mistake has the place of its entry, then all together.
fn collector_config(
    jobs: Vec<Spanned<ScrapeConfig>>,
    sources: Vec<Spanned<FederateConfig>>,
    receivers: Receivers,
    depth: Depth,
) -> Result<collector::Config, Mistake> {
    let mut config = collector::Config::default();
    if let Some(given) = receivers.remote_write {
        config.remote_write = given.value;
        config.validate().map_err(|e| Mistake::at(given.referenced, e.to_string()))?;
    }
    if let Some(given) = receivers.log_push {
        config.log_push = given.value;
        config.validate().map_err(|e| Mistake::at(given.referenced, e.to_string()))?;
    }
    if let Some(given) = receivers.otlp {
        config.otlp = given.value;
        config.validate().map_err(|e| Mistake::at(given.referenced, e.to_string()))?;
    }
    for job in jobs {
        config.scrape_configs.push(job.value);
        let files = || if depth == Depth::NamedFiles { config.check_job_files() } else { Ok(()) };
        config.validate_last_job().and_then(|()| files()).map_err(|e| Mistake::at(job.referenced, e.to_string()))?;
    }
    // Jobs have been checked, and are not checked once more with each source.
    let jobs = std::mem::take(&mut config.scrape_configs);
    for source in sources {
        config.federate_configs.push(source.value);
        let files = || if depth == Depth::NamedFiles { config.check_source_files() } else { Ok(()) };
        config.validate().and_then(|()| files()).map_err(|e| Mistake::at(source.referenced, e.to_string()))?;
    }
    config.scrape_configs = jobs;
    Ok(config)
}

/// As [`collector_config`], of the Loki servers.
fn add_lokis(config: &mut collector::Config, lokis: Vec<Spanned<LokiConfig>>, depth: Depth) -> Result<(), Mistake> {
    for loki in lokis {
        config.loki_configs.push(loki.value);
        let files = || if depth == Depth::NamedFiles { config.check_loki_files() } else { Ok(()) };
        config.validate_lokis().and_then(|()| files()).map_err(|e| Mistake::at(loki.referenced, e.to_string()))?;
    }
    Ok(())
}

/// What is older than the retention would be read, dropped, and read again after the next start.
fn backfill_is_kept(source: &Spanned<FederateConfig>, retention: Duration) -> Result<(), Mistake> {
    match source.value.backfill {
        Some(backfill) if backfill > retention => {
            let (backfill, retention) = (duration::format(backfill), duration::format(retention));
            let text = format!("backfill {backfill} reaches further back than storage.retention keeps, {retention}");
            Err(Mistake::at(source.referenced, text))
        }
        _ => Ok(()),
    }
}
