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

use self::deltas::{Deltas, NotAdded};
use super::budget::Share;
use super::identity::{Caller, Identity, Reason, Unauthorized};
use super::intake::Intake;
use super::senders::Senders;
use super::unpack::unpack;
use crate::config::OtlpConfig;
use crate::metrics::Metrics;

/// The [`model::source::SourceId::kind`] of senders.
const KIND: &str = "otlp";
/// Bodies up to this size on the wire are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 16 << 10;
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
    /// Data points of which every row is durable.
    points: u64,
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
        let wire_bytes = sent.wire.len();
        let (decoded, share) = decode(sent, settings, origin, share).await?;
        let Decoded { batch, deltas, points, mut refused } = decoded;
        let (refused_before, mut not_added) = (refused.points, NotAdded::default());
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
            not_added = written.not_added;
            counters.repeated(not_added.repeated.len() as u64);
            origin.caller.out_of_order(not_added.late_rows);
            answer::note_not_added(&mut refused, &not_added);
            written.receipt
        };
        if let Some(left_out) = &receipt.left_out {
            let mut of_store = decode::Refused::default();
            of_store.note_left_out(left_out);
            origin.caller.left_out(&of_store);
            // A point is not taken if one of its series is not, whatever number of rows it is.
            let is_new = |place: u32| !not_added.late.contains(&place) && !not_added.repeated.contains(&place);
            let missing = (0u32..).zip(&points).filter(|(place, series)| left_out.has_any(series) && is_new(*place));
            let mut count = missing.count() as u64;
            for (_, message) in left_out.messages() {
                refused.add(std::mem::take(&mut count), message);
            }
        }
        let points = points.len() as u64 - (refused.points - refused_before);
        counters.took(points, refused.points, receipt.samples);
        Ok(Taken { receipt, points, refused })
    }

    /// Puts the outcome on the board.
    fn tell(&self, origin: &Origin, started: Instant, outcome: &Result<Taken, Error>) {
        let now_ms = self.0.parts.clock.now_ms();
        let cluster = origin.caller.cluster().map_or("", |cluster| &**cluster);
        self.0.senders.update(KIND, cluster, origin.peer, |status| {
            status.last_attempt_ms = Some(now_ms);
            status.duration_seconds = started.elapsed().as_secs_f64();
            status.error = match outcome {
                Ok(taken) => answer::partial_message(taken),
                Err(error) => Some(error.to_string()),
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
) -> Result<(Decoded, Share), Error> {
    let (limits, latest_ms) = (settings.intake.limits(&origin.caller), origin.caller.latest_ms());
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
    done.map_err(|error| origin.caller.too_large(Reason::RequestSize, error))
}

fn decode_within(
    sent: Sent,
    settings: &Settings,
    limits: &decode::Limits,
    latest_ms: i64,
    share: &mut Share,
) -> Result<Decoded, Error> {
    let wire_bytes = sent.wire.len();
    let mut body = unpack(sent.encoding, &sent.wire, limits, share)?;
    drop(sent.wire);
    if sent.form == Form::Json {
        share.grow_to(wire_bytes + body.len() * 2)?;
        body = decode::otlp::json::to_protobuf(decode::otlp::json::Request::Metrics, &body, limits)?;
    }
    let held_bytes = wire_bytes + body.len();
    let most = settings.intake.memory_bytes().saturating_sub(held_bytes);
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
