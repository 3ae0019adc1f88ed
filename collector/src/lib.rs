//! Brings telemetry in: the scraping of targets, federation and remote read of Prometheus servers, the reading of Loki servers, and the receivers
//! of remote write, OTLP and log shippers.
//!
//! Owns: connections to sources and from senders, when they are asked, what their answers mean as rows, what is known of
//! each ([`model::Sources`]).
//! Does not own: wire formats (`decode`), where rows are kept (it knows only [`model::Ingest`] and [`model::Recall`]), the
//! listener, the configuration file, signals (the binary).
//!
//! ```text
//! scrape ─────── asks targets ────────────────────────────────┐
//! federate ───── asks other servers for what is newest ───────┤
//!                                                             ├─> decode ─> model::Ingest
//! remote_read ── asks other servers for all since last time ──┤
//! loki_read ──── asks Loki servers for all since last time ───┤
//! receive ────── is pushed to ────────────────────────────────┘
//! ```

pub mod config;
mod discovery;
mod federate;
mod fetch;
mod http;
mod keyring;
mod loki_read;
mod metrics;
mod plan;
mod receive;
pub mod relabel;
mod remote_read;
mod report;
mod schedule;
mod scrape;
mod source_key;
mod task;
mod teller;
mod token;
mod write;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use model::worker::Worker;
use model::{Clock, Error, Ingest, Recall, Sources};

pub use config::Config;
pub use keyring::Keyring;
pub use metrics::Metrics;
pub use token::{Token, TokenHash};

use federate::Federation;
use loki_read::LokiReading;
use plan::Plan;
use receive::{Identity, LogPush, Otlp, Receiver};
use remote_read::Reading;
use scrape::Scraping;

/// What the collectors stand on.
#[derive(Clone)]
pub struct Parts {
    /// Where rows go.
    pub ingest: Arc<dyn Ingest>,
    /// Where they are found again.
    pub recall: Arc<dyn Recall>,
    /// Where the state of each source is written.
    pub sources: Sources,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("sources", &self.sources).field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// All collectors of one process.
#[derive(Debug)]
pub struct Collectors {
    federation: Federation,
    reading: Reading,
    loki_reading: LokiReading,
    scraping: Scraping,
    receiver: Receiver,
    identity: Identity,
    token_watch: Worker,
    otlp: Otlp,
    log_push: LogPush,
    metrics: Arc<Metrics>,
}

impl Collectors {
    /// Begins to ask the configured sources. To be called on a tokio runtime.
    ///
    /// # Errors
    /// `Invalid` if the configuration is wrong.
    pub fn start(config: &Config, parts: Parts) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::default());
        let plan = plan(config, &metrics)?;
        let identity = Identity::new(config, parts.clock.clone(), metrics.clone());
        let receiver = Receiver::new(&config.remote_write, identity.clone(), parts.clone(), metrics.clone());
        let otlp = Otlp::new(&config.otlp, identity.clone(), parts.clone(), metrics.clone());
        let log_push = LogPush::new(&config.log_push, identity.clone(), parts.clone(), metrics.clone());
        let federation = Federation::start(&plan.federated, parts.clone(), metrics.clone());
        let reading = Reading::start(&plan.read, parts.clone(), metrics.clone());
        let loki_reading = LokiReading::start(&plan.lokis, parts.clone(), metrics.clone());
        let scraping = Scraping::start(&plan.jobs, parts)?;
        let token_watch = identity.watch();
        Ok(Collectors {
            federation,
            reading,
            loki_reading,
            scraping,
            receiver,
            otlp,
            log_push,
            identity,
            token_watch,
            metrics,
        })
    }

    /// The routes of the receivers. They go on to work, with the newest settings, after [`Collectors::reload`].
    ///
    /// To tell senders apart they need the address of the peer: serve them with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    pub fn routes(&self) -> Router {
        self.receiver.routes().merge(self.otlp.http_routes()).merge(self.log_push.routes())
    }

    /// The routes of OTLP over HTTP, which are among [`Collectors::routes`], for the port that its senders expect.
    pub fn otlp_http_routes(&self) -> Router {
        self.otlp.http_routes()
    }

    /// The routes of OTLP over gRPC. They need a server that speaks HTTP/2 without TLS before it, and of each call the
    /// address of the peer, as [`Collectors::routes`].
    pub fn otlp_grpc_routes(&self) -> Router {
        self.otlp.grpc_routes()
    }

    /// The counters of all collectors.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Goes over to another configuration. Sources whose entry is the same are not touched; the series of a source that
    /// is gone end with staleness markers. To be awaited to its end: dropped before, it may leave sources unasked.
    ///
    /// # Errors
    /// As [`Collectors::start`]; everything goes on as it was then.
    pub async fn reload(&mut self, config: &Config) -> Result<(), Error> {
        let plan = plan(config, &self.metrics)?;
        let read: Vec<_> = plan.read.iter().map(|server| &server.source).collect();
        self.federation.reload(&plan.federated, &read).await;
        self.reading.reload(&plan.read, &plan.federated).await;
        self.loki_reading.reload(&plan.lokis).await;
        self.scraping.reload(&plan.jobs).await?;
        drop(plan);
        self.metrics.forget_unused();
        self.receiver.reload(&config.remote_write);
        self.otlp.reload(&config.otlp);
        self.log_push.reload(&config.log_push);
        self.identity.reload(config).await
    }

    /// Stops asking sources. What is being written is written; no series is marked as ended.
    pub async fn stop(self) {
        tokio::join!(
            self.federation.stop(),
            self.reading.stop(),
            self.loki_reading.stop(),
            self.scraping.stop(),
            self.token_watch.stop()
        );
    }
}

/// Checks a configuration whole, and resolves it once for all collectors.
fn plan(config: &Config, metrics: &Arc<Metrics>) -> Result<Plan, Error> {
    config.validate_receivers()?;
    Plan::new(config, metrics)
}
