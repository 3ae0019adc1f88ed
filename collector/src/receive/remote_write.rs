//! `POST /api/v1/write`: Prometheus remote write 1.0, the acknowledged way in.
//!
//! 204 means that every row of the request is durable. Anything else means that none is promised.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>; types and encodings as Prometheus' own receiver
//! takes them (`storage/remote/write_handler.go`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use decode::body::ContentEncoding;
use model::{Batch, Error, ErrorKind, Receipt};
use tokio::time::Instant;

use super::budget::Share;
use super::identity::{Admitted, Caller, Reason, Refused};
use super::{Receiver, Settings, body};
use crate::http::error;

/// The [`model::source::SourceId::kind`] of senders.
const KIND: &str = "remote_write";
/// Bodies up to this size are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// What is told of a request on the board.
type Outcome = Result<Receipt, Refusal>;

/// Why a request was refused.
enum Refusal {
    /// By its headers.
    Unsupported(String),
    /// For how much its sender sends.
    Refused(Refused),
    /// By anything later.
    Error(Error),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Refusal::Refused(refused)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

/// Extract, call, encode.
pub(super) async fn handle(State(receiver): State<Receiver>, request: Request) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let settings = receiver.0.settings.read().clone();
    let caller = match receiver.0.identity.caller(request.headers()) {
        Ok(caller) => caller,
        // It is not put on the board, which whoever can reach us could fill.
        Err(refused) => {
            let response = refused.into_response();
            receiver.0.metrics.remote_write.answered(response.status().as_u16());
            return response;
        }
    };
    let outcome = receive(&receiver, &settings, &caller, request).await;
    tell(&receiver, &caller, peer, started, &outcome);
    let response = match outcome {
        Ok(receipt) => {
            receiver.0.metrics.remote_write.acknowledged(receipt.samples);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(Refusal::Unsupported(text)) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{text}\n")).into_response(),
        Err(Refusal::Refused(refused)) => refused.into_response(),
        Err(Refusal::Error(error)) => error::response(&error),
    };
    receiver.0.metrics.remote_write.answered(response.status().as_u16());
    response
}

async fn receive(receiver: &Receiver, settings: &Arc<Settings>, caller: &Caller, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    check_headers(&head.headers).map_err(Refusal::Unsupported)?;
    let mut share = settings.budget.enter()?;
    let limits = caller.limits(&settings.limits);
    let timeout = settings.config.body_timeout;
    let wire = body::read(body, &head.headers, limits.max_body_bytes, timeout, &mut share).await;
    let wire = wire.map_err(|e| too_large(caller, Reason::RequestSize, e))?;
    caller.take_bytes(wire.len())?;
    let wire_bytes = wire.len();
    let (batch, share) = decode(wire, limits, caller, share).await?;
    receiver.0.metrics.remote_write.received(wire_bytes, batch.body.len());
    let Admitted { batches, refused } = caller.admit(batch)?;
    let mut receipt = Receipt::default();
    for batch in batches {
        let written = receiver.0.parts.ingest.write(batch).await?;
        receipt.samples += written.samples;
    }
    drop(share);
    refused.map_or(Ok(receipt), |refused| Err(refused.into()))
}

/// Counts a push that is too large for its sender; any other error goes on as it is.
fn too_large(caller: &Caller, reason: Reason, error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::TooLarge => caller.refused(reason, error).into(),
        _ => error.into(),
    }
}

/// Decompresses and decodes, on another thread if that may take long.
async fn decode(
    wire: Bytes,
    limits: decode::Limits,
    caller: &Caller,
    mut share: Share,
) -> Result<(Batch, Share), Refusal> {
    // The claim is in the first bytes; one that lies is refused by the decompressor without allocating what it claims.
    let claimed = snappy_claim(&wire).min(limits.max_decoded_bytes);
    share.grow_to(wire.len() + claimed)?;
    let is_small = claimed <= INLINE_BYTES;
    let work = move || {
        let body = decode::body::decompress(ContentEncoding::Snappy, &wire, &limits);
        let body = body.map_err(|e| (Reason::RequestSize, e))?;
        drop(wire);
        let batch = decode::remote_write::decode(&body, &limits).map_err(|e| (Reason::Labels, e))?;
        Ok((batch, share))
    };
    let done = if is_small {
        work()
    } else {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Error::internal("the decoding of the request broke off"))?
    };
    done.map_err(|(reason, error): (Reason, decode::Error)| too_large(caller, reason, error.into()))
}

/// The length that a snappy block says it has when decompressed: a little-endian base-128 number at its start.
///
/// Source: "Snappy compressed format description", section 1.
fn snappy_claim(wire: &[u8]) -> usize {
    let digits = wire.iter().take(5).enumerate();
    let mut claim = 0u64;
    for (place, byte) in digits {
        claim |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    usize::try_from(claim).unwrap_or(usize::MAX)
}

/// Only remote write 1.0, snappy: an absent header means that.
fn check_headers(headers: &HeaderMap) -> Result<(), String> {
    let text = |name: HeaderName| headers.get(name).map_or(Ok(""), |value| value.to_str()).unwrap_or("?");
    let content_type = text(CONTENT_TYPE).to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or("");
    if !matches!(media, "" | "application/x-protobuf") {
        return Err(format!("the content type {media:?} is not accepted: send application/x-protobuf"));
    }
    let proto = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "proto");
    match proto.map(|(_, message)| message.trim()) {
        None | Some("prometheus.writerequest") => {}
        Some("io.prometheus.write.v2.request") => {
            return Err("remote write 2.0 is not accepted: send 1.0, in Prometheus with \
                        protobuf_message: prometheus.WriteRequest"
                .to_owned());
        }
        Some(other) => return Err(format!("the message {other:?} is not accepted: send prometheus.WriteRequest")),
    }
    let encoding = text(CONTENT_ENCODING).to_ascii_lowercase();
    if !matches!(encoding.as_str(), "" | "snappy") {
        return Err(format!("the content encoding {encoding:?} is not accepted: send snappy"));
    }
    Ok(())
}

/// Puts the outcome on the board.
fn tell(receiver: &Receiver, caller: &Caller, peer: Option<IpAddr>, started: Instant, outcome: &Outcome) {
    let now_ms = receiver.0.parts.clock.now_ms();
    let cluster = caller.cluster().map_or("", |cluster| &**cluster);
    receiver.0.senders.update(KIND, cluster, peer, |status| {
        status.last_attempt_ms = Some(now_ms);
        status.duration_seconds = started.elapsed().as_secs_f64();
        status.error = match outcome {
            Ok(_) => None,
            Err(Refusal::Unsupported(text)) => Some(text.clone()),
            Err(Refusal::Refused(refused)) => Some(refused.error().to_string()),
            Err(Refusal::Error(error)) => Some(error.to_string()),
        };
        if let Ok(receipt) = outcome {
            status.last_success_ms = Some(now_ms);
            // A Prometheus sends its metadata in requests without samples; they say nothing of how much it sends.
            if receipt.samples > 0 {
                status.samples = receipt.samples as u64;
            }
        }
    });
}
