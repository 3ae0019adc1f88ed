//! The receivers of log rows, as shippers push them to a Loki and to an Elasticsearch, before one way into the store.
//!
//! Owns: what both have in common: room, unpacking, decoding, whose rows they are, the write, what is told of it.
//! Does not own: headers and answers ([`loki`], [`elasticsearch`]), the formats (`decode`), the listener (the binary).
//!
//! An answer of success means that every row that was not refused is durable.

mod elasticsearch;
mod loki;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use bytes::Bytes;
use decode::body::ContentEncoding;
use decode::{Arrival, DecodedLines, Limits, Refused};
use model::time::MS_NANOS;
use model::{Error, ErrorKind, LeftOut, Receipt};
use tokio::time::Instant;

use super::budget::Share;
use super::identity::{Caller, Identity, Reason, Unauthorized};
use super::state::{Settings, State};
use super::unpack::{snappy_claim, unpack};
use crate::config::ReceiverConfig;
use crate::metrics::Metrics;

/// Bodies up to this size are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// What the routes share. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct LogPush(Arc<State>);

/// Who sends a request, and as to what. Its protocol is the [`model::source::SourceId::kind`] of senders.
#[derive(Debug)]
struct Origin {
    protocol: &'static str,
    caller: Caller,
    peer: Option<IpAddr>,
    started: Instant,
}

/// A request whose body is here.
#[derive(Debug)]
struct Sent {
    wire: Bytes,
    encoding: ContentEncoding,
    share: Share,
}

/// What a body has become.
#[derive(Debug)]
struct Read<T> {
    decoded: DecodedLines,
    /// What its protocol wants to know besides, and how many bytes its answer may take.
    more: T,
    answer_bytes: usize,
}

/// A request whose rows are durable.
#[derive(Debug)]
struct Taken<T> {
    rows: usize,
    refused: Refused,
    /// Those of the refused ones that the store has left out, by their places among the decoded rows.
    left_out: Option<Box<LeftOut>>,
    more: T,
}

impl<T> Taken<T> {
    /// How many rows are not among them.
    fn refused_rows(&self) -> u64 {
        self.refused.counts().map(|(_, rows)| rows).sum()
    }

    /// What was left out, with the first messages; `None` if all was written.
    fn faults(&self) -> Option<String> {
        let shown: Vec<&str> = self.refused.messages().map(|(_, what)| what).take(Refused::MAX_MESSAGES).collect();
        let shown = shown.join("; ");
        match self.refused_rows() {
            0 => None,
            1 => Some(format!("1 row was not written, the others were: {shown}")),
            rows => Some(format!("{rows} rows were not written, the others were: {shown}")),
        }
    }
}

impl LogPush {
    /// A receiver that writes to `parts` what `identity` lets in.
    pub(crate) fn new(config: &ReceiverConfig, identity: Identity, parts: crate::Parts, metrics: Arc<Metrics>) -> Self {
        LogPush(State::new("log_push", config, identity, parts, metrics))
    }

    /// Goes over to another configuration; requests that have begun end under the old one.
    pub(crate) fn reload(&self, config: &ReceiverConfig) {
        self.0.reload(config);
    }

    /// The routes of all protocols.
    pub(crate) fn routes(&self) -> Router {
        loki::routes(self.clone()).merge(elasticsearch::routes(self.clone()))
    }

    fn origin(&self, protocol: &'static str, head: &Parts) -> Result<Origin, Unauthorized> {
        let started = Instant::now();
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Origin { protocol, caller: self.0.identity.caller(&head.headers)?, peer, started })
    }

    /// Takes a request up to its rows being durable, and counts what has become of them.
    ///
    /// # Errors
    /// Those of `decode`, `TooLarge` as a refusal that is counted; `Busy` if there is no room; the store's.
    async fn take<T: Send + 'static>(
        &self,
        settings: &Settings,
        origin: &Origin,
        sent: Sent,
        decode: impl FnOnce(&[u8], Arrival, &Limits) -> Result<Read<T>, decode::Error> + Send + 'static,
    ) -> Result<Taken<T>, Error> {
        let counters = &self.0.metrics.log_push;
        let (wire_bytes, now_ms) = (sent.wire.len(), self.0.parts.clock.now_ms());
        let arrival = Arrival {
            unix_nano: now_ms.saturating_mul(MS_NANOS),
            latest_unix_nano: origin.caller.latest_ms().saturating_mul(MS_NANOS),
        };
        let (limits, memory_bytes) = (settings.intake.limits(&origin.caller), settings.intake.memory_bytes());
        let is_small = is_small(&sent);
        let work = move || {
            let Sent { wire, encoding, mut share } = sent;
            let body = unpack(encoding, &wire, &limits, &mut share)?;
            let held_bytes = wire.len() + body.len();
            share.grow_to((held_bytes + body.len()).min(memory_bytes))?;
            let read = decode(&body, arrival, &limits)?;
            let bytes = held_bytes + read.decoded.logs.memory_bytes() + read.answer_bytes;
            if bytes > memory_bytes {
                let text =
                    format!("body and rows take {bytes} bytes, there is room for {memory_bytes}: send it in parts");
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
            share.grow_to(bytes)?;
            Ok::<_, Error>((body.len(), read, share))
        };
        let done = if is_small {
            work()
        } else {
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|_| Error::internal("the decoding of the request broke off"))?
        };
        let done = done.map_err(|error| origin.caller.too_large(Reason::RequestSize, error));
        let (body_bytes, Read { decoded: DecodedLines { logs, mut refused }, more, .. }, share) = done?;
        counters.received(origin.protocol, wire_bytes, body_bytes);
        origin.caller.take_rows(logs.len())?;
        let receipt = match logs.is_empty() {
            true => Receipt::default(),
            false => self.0.parts.ingest.write_logs(origin.caller.admit_logs(logs)).await?,
        };
        drop(share);
        let (rows, left_out) = (receipt.samples, receipt.left_out);
        if let Some(left_out) = &left_out {
            refused.note_left_out(left_out);
        }
        let taken = Taken { rows, refused, left_out, more };
        origin.caller.left_out(&taken.refused);
        counters.took(origin.protocol, rows as u64, taken.refused_rows());
        Ok(taken)
    }

    /// Puts the outcome on the board.
    fn tell<T>(&self, origin: &Origin, outcome: &Result<Taken<T>, Error>) {
        let now_ms = self.0.parts.clock.now_ms();
        let cluster = origin.caller.cluster().map_or("", |cluster| &**cluster);
        self.0.senders.update(origin.protocol, cluster, origin.peer, |status| {
            status.last_attempt_ms = Some(now_ms);
            status.duration_seconds = origin.started.elapsed().as_secs_f64();
            status.error = match outcome {
                Ok(taken) => taken.faults(),
                Err(error) => Some(error.to_string()),
            };
            if let Ok(taken) = outcome {
                status.last_success_ms = Some(now_ms);
                status.samples = taken.rows as u64;
            }
        });
    }
}

/// Whether a body is decoded in less time than it takes to move it to another thread.
fn is_small(sent: &Sent) -> bool {
    match sent.encoding {
        ContentEncoding::Identity => sent.wire.len() <= INLINE_BYTES,
        ContentEncoding::Snappy => snappy_claim(&sent.wire) <= INLINE_BYTES,
        ContentEncoding::Gzip | ContentEncoding::Zstd => false,
    }
}
