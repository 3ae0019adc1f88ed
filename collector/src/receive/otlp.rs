//! The receivers of OTLP metrics, logs and traces: HTTP with protobuf or JSON, and gRPC, before one way into the store.
//!
//! Owns: what they have in common: room, unpacking, decoding, whose rows they are, deltas, the write, what is told of it.
//! Does not own: headers and answers ([`http`], [`grpc`]), what becomes of a record (`decode::otlp`), the listeners (the
//! binary).
//!
//! ```text
//! http ─┐                                               ┌─ data points ─> stamped ─> deltas ─┐
//!       ├─> body, in the budget ─> unpacked ─> decoded ─┤                                    ├─> model::Ingest
//! grpc ─┘                                               └─ records ─────> stamped ───────────┘
//! ```
//!
//! An answer of success means that every row of the data points, log records or spans that were not refused is durable.

mod answer;
mod decoding;
mod deltas;
mod grpc;
mod http;
mod points;
mod records;
mod signal;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use bytes::Bytes;
use decode::body::ContentEncoding;
use decode::otlp::{Refused, Translation};
use model::Error;
use parking_lot::RwLock;
use tokio::time::Instant;

use self::decoding::Decoded;
use self::deltas::Deltas;
pub(crate) use self::signal::Signal;
use super::budget::Share;
use super::identity::{Caller, Identity, Unauthorized};
use super::intake::Intake;
use super::senders::Senders;
use crate::config::OtlpConfig;
use crate::metrics::Metrics;

/// What the routes share. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Otlp(Arc<State>);

#[derive(Debug)]
struct State {
    parts: crate::Parts,
    metrics: Arc<Metrics>,
    senders: Senders,
    identity: Identity,
    deltas: Arc<Deltas>,
    settings: RwLock<Arc<Settings>>,
}

/// What a reload replaces as a whole.
#[derive(Debug)]
struct Settings {
    config: OtlpConfig,
    translation: Translation,
    intake: Intake,
}

impl Settings {
    fn new(config: &OtlpConfig) -> Arc<Self> {
        Arc::new(Settings {
            translation: config.translation(),
            intake: Intake::new("otlp", &config.receiver()),
            config: config.clone(),
        })
    }
}

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

/// A request whose body is here.
#[derive(Debug)]
struct Sent {
    signal: Signal,
    wire: Bytes,
    encoding: ContentEncoding,
    form: Form,
}

/// Whose rows a request brings.
#[derive(Debug, Clone)]
struct Origin {
    caller: Caller,
    peer: Option<IpAddr>,
}

/// A request whose rows are durable.
#[derive(Debug, Default)]
struct Taken {
    /// Data points, log records or spans of which every row is durable.
    items: u64,
    /// The rows that they are: samples, log rows, spans.
    rows: usize,
    refused: Refused,
}

impl Otlp {
    /// A receiver that writes to `parts` what `identity` lets in.
    pub(crate) fn new(config: &OtlpConfig, identity: Identity, parts: crate::Parts, metrics: Arc<Metrics>) -> Self {
        let senders = Senders::new(parts.sources.clone());
        let deltas = Deltas::new(parts.recall.clone(), config.max_delta_series, config.delta_idle);
        let settings = RwLock::new(Settings::new(config));
        Otlp(Arc::new(State { parts, metrics, senders, identity, deltas, settings }))
    }

    /// Goes over to another configuration; requests that have begun end under the old one.
    pub(crate) fn reload(&self, config: &OtlpConfig) {
        let is_same = self.0.settings.read().config == *config;
        if !is_same {
            *self.0.settings.write() = Settings::new(config);
            self.0.deltas.reload(config.max_delta_series, config.delta_idle);
        }
    }

    /// The routes of OTLP over HTTP.
    pub(crate) fn http_routes(&self) -> Router {
        http::routes(self.clone())
    }

    /// The routes of OTLP over gRPC.
    pub(crate) fn grpc_routes(&self) -> Router {
        grpc::routes(self.clone())
    }

    fn settings(&self) -> Arc<Settings> {
        self.0.settings.read().clone()
    }

    /// Whose rows a request with this head brings. The one place that decides it, for both protocols.
    fn origin(&self, head: &Parts) -> Result<Origin, Unauthorized> {
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Origin { caller: self.0.identity.caller(&head.headers)?, peer })
    }

    /// Takes a request up to its rows being durable.
    async fn take(&self, settings: &Arc<Settings>, origin: &Origin, sent: Sent, share: Share) -> Result<Taken, Error> {
        let counters = &self.0.metrics.otlp;
        let (signal, wire_bytes) = (sent.signal, sent.wire.len());
        let now_ms = self.0.parts.clock.now_ms();
        let (decoded, share) = decoding::decode(sent, settings, origin, now_ms, share).await?;
        counters.received(signal, wire_bytes);
        let taken = match decoded {
            Decoded::Metrics(points) => self.write_points(origin, points, now_ms, share).await?,
            Decoded::Records(records, mut refused) => {
                let rows = records.write(&origin.caller, &*self.0.parts.ingest, &mut refused).await?;
                drop(share);
                Taken { items: rows as u64, rows, refused }
            }
        };
        counters.took(signal, taken.items, taken.refused.points);
        Ok(taken)
    }

    /// Puts the outcome on the board.
    fn tell(&self, signal: Signal, origin: &Origin, started: Instant, outcome: &Result<Taken, Error>) {
        let now_ms = self.0.parts.clock.now_ms();
        let cluster = origin.caller.cluster().map_or("", |cluster| &**cluster);
        self.0.senders.update(signal.source_kind(), cluster, origin.peer, |status| {
            status.last_attempt_ms = Some(now_ms);
            status.duration_seconds = started.elapsed().as_secs_f64();
            status.error = match outcome {
                Ok(taken) => answer::partial_message(signal, taken),
                Err(error) => Some(error.to_string()),
            };
            if let Ok(taken) = outcome {
                status.last_success_ms = Some(now_ms);
                if taken.items > 0 {
                    status.samples = taken.rows as u64;
                }
            }
        });
    }
}
