//! `POST /api/v1/write`: Prometheus remote write 1.0 and 2.0, the acknowledged way in.
//!
//! 204 means that every row of the request is durable, but for series with bad labels in 1.0; 400 with a list of rows that
//! every other row is (`remote_write/answer.rs` has all answers). Anything else means that none is promised.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>,
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>

mod answer;
mod negotiation;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use bytes::Bytes;
use decode::Decoded;
use decode::body::ContentEncoding;
use model::Error;
use tokio::time::Instant;

use self::answer::{Failure, Written};
use self::negotiation::Message;
use super::budget::Share;
use super::{Receiver, Settings, body};

/// The [`model::source::SourceId::kind`] of senders.
const KIND: &str = "remote_write";
/// Bodies up to this size are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// What became of a request.
type Outcome = Result<Written, Failure>;

/// Extract, call, encode.
pub(super) async fn handle(State(receiver): State<Receiver>, request: Request) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let settings = receiver.0.settings.read().clone();
    let message = negotiation::message(request.headers());
    let (message, outcome) = match message {
        Ok(message) => (message, receive(&receiver, &settings, message, request).await),
        Err(text) => (Message::V1, Err(Failure::Unsupported(text))),
    };
    tell(&receiver, &settings, peer, started, &outcome);
    let response = answer::response(message, &outcome);
    let metrics = &receiver.0.metrics.remote_write;
    if let Ok(written) = &outcome {
        metrics.acknowledged(written.samples, written.histograms, written.exemplars);
        metrics.refused(&written.refused);
    }
    metrics.answered(response.status().as_u16());
    response
}

async fn receive(receiver: &Receiver, settings: &Arc<Settings>, message: Message, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    let mut share = settings.budget.enter()?;
    let config = &settings.config;
    let wire = body::read(body, &head.headers, settings.limits.max_body_bytes, config.body_timeout, &mut share).await?;
    let wire_bytes = wire.len();
    let future_ms = i64::try_from(config.future_limit.as_millis()).unwrap_or(i64::MAX);
    let latest_ms = receiver.0.parts.clock.now_ms().saturating_add(future_ms);
    let (Decoded { batch, refused }, share) = decode(wire, message, latest_ms, settings, share).await?;
    receiver.0.metrics.remote_write.received(wire_bytes, batch.body.len());
    let (samples, histograms, exemplars) = (batch.samples.len(), batch.histograms.len(), batch.exemplars.len());
    let written = Written { samples, histograms, exemplars, refused };
    if batch.is_empty() {
        return Ok(written);
    }
    let batch = match &settings.cluster {
        Some(cluster) => batch.stamped(cluster.clone()),
        None => batch,
    };
    receiver.0.parts.ingest.write(batch).await?;
    drop(share);
    Ok(written)
}

/// Decompresses and decodes, on another thread if that may take long.
async fn decode(
    wire: Bytes,
    message: Message,
    latest_ms: i64,
    settings: &Arc<Settings>,
    mut share: Share,
) -> Result<(Decoded, Share), Error> {
    // The claim is in the first bytes; one that lies is refused by the decompressor without allocating what it claims.
    let claimed = snappy_claim(&wire).min(settings.limits.max_decoded_bytes);
    share.grow_to(wire.len() + claimed)?;
    let settings = settings.clone();
    let is_small = claimed <= INLINE_BYTES;
    let work = move || {
        let body = decode::body::decompress(ContentEncoding::Snappy, &wire, &settings.limits).map_err(bad_request)?;
        drop(wire);
        let decoded = match message {
            Message::V1 => decode::remote_write::decode(&body, latest_ms, &settings.limits),
            Message::V2 => decode::remote_write::v2::decode(&body, latest_ms, &settings.limits),
        };
        Ok((decoded.map_err(bad_request)?, share))
    };
    if is_small {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::internal("the decoding of the request broke off"))?
}

/// A body that was read whole and then is too large is a bad request to a sender, not one that a proxy would have kept out.
fn bad_request(error: decode::Error) -> Error {
    Error::invalid(error.message())
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

/// Puts the outcome on the board.
fn tell(receiver: &Receiver, settings: &Settings, peer: Option<IpAddr>, started: Instant, outcome: &Outcome) {
    let now_ms = receiver.0.parts.clock.now_ms();
    let cluster = settings.cluster.as_deref().unwrap_or("");
    receiver.0.senders.update(KIND, cluster, peer, |status| {
        status.last_attempt_ms = Some(now_ms);
        status.duration_seconds = started.elapsed().as_secs_f64();
        status.error = match outcome {
            Ok(written) => written.faults(),
            Err(failure) => Some(failure.text()),
        };
        if let Ok(written) = outcome {
            status.last_success_ms = Some(now_ms);
            // A Prometheus sends its metadata in requests without samples; they say nothing of how much it sends.
            let rows = written.samples + written.histograms;
            if rows > 0 {
                status.samples = rows as u64;
            }
        }
    });
}
