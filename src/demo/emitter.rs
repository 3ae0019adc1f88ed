//! Sends what the applications of the fleet emit, traces and logs, to the server's port for OTLP over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Fleet, Telemetry};
use model::{Clock, Error, ErrorKind};
use parking_lot::RwLock;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};

/// How much of the past is sent at first.
const PAST_MS: i64 = 3_600_000;
/// The longest interval that is sent at once: a minute is some 100 kB a cluster.
const LONGEST_MS: i64 = 60_000;
/// How often the present is sent.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends each interval once, in order of time, and for as long as the server is away not the next one.
///
/// The resources of what is sent name their cluster, since the clusters of the demo have no tokens.
#[derive(Debug)]
pub(super) struct Emitter {
    fleet: Arc<RwLock<Fleet>>,
    clock: Arc<dyn Clock>,
    client: Client,
}

impl Emitter {
    /// One for a fleet.
    ///
    /// # Errors
    /// `Internal` if there is no HTTP client.
    pub(super) fn new(fleet: Arc<RwLock<Fleet>>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let client = Client::builder().timeout(TIMEOUT).build();
        let client = client.map_err(|e| Error::internal("no HTTP client for the simulated fleet").with_source(e))?;
        Ok(Emitter { fleet, clock, client })
    }

    /// Sends the last hour to a server, then the present, without end.
    ///
    /// # Errors
    /// `Internal` if the simulation breaks off.
    pub(super) async fn run(&self, server: SocketAddr) -> Result<(), Error> {
        let mut sent_ms = self.clock.now_ms() - PAST_MS;
        loop {
            let until_ms = self.clock.now_ms().min(sent_ms + LONGEST_MS);
            for telemetry in self.emitted(sent_ms, until_ms).await? {
                self.deliver(server, &telemetry).await;
            }
            sent_ms = until_ms;
            if until_ms >= self.clock.now_ms() - 1000 {
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    /// What was emitted in an interval, made away from the runtime.
    async fn emitted(&self, from_ms: i64, to_ms: i64) -> Result<Vec<Telemetry>, Error> {
        let mut traffic = self.fleet.read().traffic();
        let made = tokio::task::spawn_blocking(move || traffic.between(from_ms, to_ms)).await;
        made.unwrap_or_else(|e| Err(Error::internal("the simulation broke off").with_source(e)))
    }

    /// Sends what a cluster emitted, again and again while the server is away; what it refuses is told and left out.
    async fn deliver(&self, server: SocketAddr, telemetry: &Telemetry) {
        for (path, body) in telemetry.requests() {
            while let Err(error) = self.send(&format!("http://{server}{path}"), body.clone()).await {
                if !error.kind().is_retryable() {
                    tracing::warn!(%error, cluster = telemetry.cluster, "the server does not take what was emitted");
                    break;
                }
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    async fn send(&self, url: &str, body: Vec<u8>) -> Result<(), Error> {
        let sent = self.client.post(url).header(CONTENT_TYPE, "application/x-protobuf").body(body).send().await;
        let answer =
            sent.map_err(|e| Error::new(ErrorKind::Unavailable, format!("cannot reach {url}")).with_source(e))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Error::new(ErrorKind::Unavailable, format!("{url} answered {status}")))
            }
            status => Err(Error::invalid(format!("{url} answered {status}"))),
        }
    }
}
