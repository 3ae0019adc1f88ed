//! The receivers of OTLP metrics: HTTP with protobuf or JSON, and gRPC, before one way into the store.
//!
//! Owns: what both have in common: room, unpacking, decoding, whose rows they are, deltas, the write, what is told of it.
//! Does not own: headers and answers ([`http`], [`grpc`]), the translation (`decode::otlp`), the listeners (the binary).
//!
//! ```text
//! http ─┐                                                         ┌─ deltas ─┐
//!       ├─> body, in the budget ─> unpacked ─> decoded ─> stamped ┤          ├─> model::Ingest
//! grpc ─┘                                                         └──────────┘
//! ```
//!
//! An answer of success means that every row of the points that were not refused is durable.

mod answer;
mod deltas;
mod grpc;
mod http;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use bytes::Bytes;
use decode::body::ContentEncoding;
use decode::otlp::{Decoded, Refused, Translation};
use model::{Error, ErrorKind, Receipt};
use parking_lot::RwLock;
use tokio::time::Instant;

use self::deltas::Deltas;
use super::budget::{Budget, Share};
use super::identity::{self, Caller, Identity, Reason};
use super::senders::Senders;
use crate::config::OtlpConfig;
use crate::metrics::Metrics;

/// The [`model::source::SourceId::kind`] of senders.
const KIND: &str = "otlp";
/// Bodies up to this size on the wire are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 16 << 10;
/// Room that is taken for what a body may become, in multiples of it: most become less.
const USUAL_GROWTH: usize = 16;
/// Room for the labels of a body, in multiples of it, one tried after the other: enough for numbers, for histograms, and
/// for histograms with many buckets.
const LABEL_GROWTHS: [usize; 3] = [4, 16, 64];

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
    /// The cluster of those who show no token.
    cluster: Option<Arc<str>>,
    translation: Translation,
    limits: decode::Limits,
    budget: Budget,
}

impl Settings {
    fn new(config: &OtlpConfig) -> Arc<Self> {
        Arc::new(Settings {
            cluster: config.cluster.as_deref().map(Arc::from),
            translation: config.translation(),
            budget: Budget::new("otlp", config.max_concurrent_requests, config.memory_limit),
            limits: super::limits(config.body_size_limit, config.decoded_size_limit),
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
    receipt: Receipt,
    points: u64,
    refused: Refused,
}

/// Why nothing of a request was taken.
#[derive(Debug)]
enum Failure {
    /// For who sends it, or for how much.
    Refused(identity::Refused),
    /// For anything else.
    Error(Error),
}

impl Failure {
    fn error(&self) -> &Error {
        match self {
            Failure::Refused(refused) => refused.error(),
            Failure::Error(error) => error,
        }
    }
}

impl From<identity::Refused> for Failure {
    fn from(refused: identity::Refused) -> Self {
        Failure::Refused(refused)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
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
    fn origin(&self, settings: &Settings, head: &Parts) -> Result<Origin, identity::Refused> {
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Origin { caller: self.0.identity.caller(&head.headers, settings.cluster.as_ref())?, peer })
    }

    /// Takes a request up to its rows being durable.
    async fn take(
        &self,
        settings: &Arc<Settings>,
        origin: &Origin,
        sent: Sent,
        share: Share,
    ) -> Result<Taken, Failure> {
        let counters = &self.0.metrics.otlp;
        let wire_bytes = sent.wire.len();
        origin.caller.may_send()?;
        origin.caller.take_bytes(wire_bytes)?;
        let (decoded, share) = decode(sent, settings, origin, share).await?;
        let Decoded { batch, deltas, points, mut refused } = decoded;
        counters.received(wire_bytes, batch.body.len());
        let batch = origin.caller.admit_whole(batch)?;
        let receipt = if batch.is_empty() {
            Receipt::default()
        } else if deltas.is_empty() {
            let receipt = self.0.parts.ingest.write(batch).await?;
            drop(share);
            receipt
        } else {
            let now_ms = self.0.parts.clock.now_ms();
            let written = self.0.deltas.write(self.0.parts.ingest.clone(), batch, deltas, now_ms, share).await?;
            counters.repeated(written.repeated_points);
            if written.repeated_points > 0 {
                // As a warning: of a request that is sent again they are there already.
                let points = written.repeated_points;
                refused
                    .add(0, format!("{points} deltas were left out, they are not after the last one of their series"));
            }
            written.receipt
        };
        if let Some(left_out) = &receipt.left_out {
            let mut of_store = decode::Refused::default();
            of_store.note_left_out(left_out);
            origin.caller.left_out(&of_store);
            let mut rows = (left_out.samples + left_out.histograms) as u64;
            for (_, message) in left_out.messages() {
                refused.add(std::mem::take(&mut rows), message);
            }
        }
        counters.took(points, refused.points, receipt.samples);
        Ok(Taken { receipt, points, refused })
    }

    /// Puts the outcome on the board.
    fn tell(&self, origin: &Origin, started: Instant, outcome: &Result<Taken, Failure>) {
        let now_ms = self.0.parts.clock.now_ms();
        let cluster = origin.caller.cluster().map_or("", |cluster| &**cluster);
        self.0.senders.update(KIND, cluster, origin.peer, |status| {
            status.last_attempt_ms = Some(now_ms);
            status.duration_seconds = started.elapsed().as_secs_f64();
            status.error = match outcome {
                Ok(taken) => answer::partial_message(taken),
                Err(failure) => Some(failure.error().to_string()),
            };
            if let Ok(taken) = outcome {
                status.last_success_ms = Some(now_ms);
                if taken.points > 0 {
                    status.samples = taken.receipt.samples as u64;
                }
            }
        });
    }
}

/// Unpacks and decodes, on another thread if that may take long.
async fn decode(
    sent: Sent,
    settings: &Arc<Settings>,
    origin: &Origin,
    mut share: Share,
) -> Result<(Decoded, Share), Failure> {
    let (limits, latest_ms) = (origin.caller.limits(&settings.limits), origin.caller.latest_ms());
    let settings = settings.clone();
    let is_small = sent.wire.len() <= INLINE_BYTES && sent.encoding == ContentEncoding::Identity;
    let work = move || {
        let decoded = decode_within(sent, &settings, &limits, latest_ms, &mut share)?;
        Ok::<_, Error>((decoded, share))
    };
    let done = if is_small {
        work()
    } else {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Error::internal("the decoding of the request broke off"))?
    };
    done.map_err(|error| origin.caller.too_large::<Failure>(Reason::RequestSize, error))
}

fn decode_within(
    sent: Sent,
    settings: &Settings,
    limits: &decode::Limits,
    latest_ms: i64,
    share: &mut Share,
) -> Result<Decoded, Error> {
    let wire_bytes = sent.wire.len();
    let mut body = unpack(&sent, limits, share)?;
    drop(sent.wire);
    if sent.form == Form::Json {
        share.grow_to(wire_bytes + body.len() * 2)?;
        body = decode::otlp::json::to_protobuf(&body, limits)?;
    }
    let held_bytes = wire_bytes + body.len();
    let memory_limit = usize::try_from(settings.config.memory_limit).unwrap_or(usize::MAX);
    let most = memory_limit.saturating_sub(held_bytes);
    for growth in LABEL_GROWTHS {
        let room = body.len().saturating_mul(growth).saturating_add(INLINE_BYTES).min(most);
        share.grow_to(held_bytes + room)?;
        match decode::otlp::decode(&body, latest_ms, &settings.translation, limits, room) {
            Err(error) if error.kind() == ErrorKind::TooLarge && room < most => {}
            done => return Ok(done?),
        }
    }
    let text =
        format!("the labels of the request, written out for each series, are over {} times its size", LABEL_GROWTHS[2]);
    Err(Error::new(ErrorKind::TooLarge, text))
}

/// Takes the compression off, within room that is taken before: no format tells the size in a way that can be trusted.
fn unpack(sent: &Sent, limits: &decode::Limits, share: &mut Share) -> Result<Bytes, Error> {
    if sent.encoding == ContentEncoding::Identity {
        return Ok(decode::body::decompress(sent.encoding, &sent.wire, limits)?);
    }
    let wire_bytes = sent.wire.len();
    let usual = (wire_bytes * USUAL_GROWTH + INLINE_BYTES).min(limits.max_decoded_bytes);
    for room in [usual, limits.max_decoded_bytes] {
        share.grow_to(wire_bytes + room)?;
        let within = decode::Limits { max_decoded_bytes: room, ..limits.clone() };
        match decode::body::decompress(sent.encoding, &sent.wire, &within) {
            Err(error) if error.kind() == ErrorKind::TooLarge && room < limits.max_decoded_bytes => {}
            done => return Ok(done?),
        }
    }
    Err(Error::internal("a body was neither unpacked nor refused"))
}
