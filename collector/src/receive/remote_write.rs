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
use model::{Error, ErrorKind};
use tokio::time::Instant;

use self::answer::{Failure, Written};
use self::negotiation::Message;
use super::Receiver;
use super::budget::Share;
use super::identity::{Caller, Reason, Unit};
use super::state::Settings;
use super::unpack::snappy_claim;

/// The [`model::source::SourceId::kind`] of senders.
const KIND: &str = "remote_write";
/// Bodies up to this size are decoded where they are: a tenth of a millisecond, where moving them to another thread and back
/// takes as long.
const INLINE_BYTES: usize = 512 << 10;

/// What became of a request.
type Outcome = Result<Written, Failure>;

/// Extract, call, encode.
pub(super) async fn handle(State(receiver): State<Receiver>, request: Request) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let settings = receiver.0.settings();
    let caller = match receiver.0.identity.caller(request.headers()) {
        Ok(caller) => caller,
        // It is not put on the board, which whoever can reach us could fill.
        Err(refused) => {
            let response = refused.response();
            receiver.0.metrics.remote_write.answered(response.status().as_u16());
            return response;
        }
    };
    let message = negotiation::message(request.headers());
    let (message, outcome) = match message {
        Ok(message) => (message, receive(&receiver, &settings, &caller, message, request).await),
        Err(text) => (Message::V1, Err(Failure::Unsupported(text))),
    };
    tell(&receiver, &caller, peer, started, &outcome);
    let response = answer::response(message, &outcome);
    let metrics = &receiver.0.metrics.remote_write;
    if let Ok(written) = &outcome {
        metrics.acknowledged(written.samples, written.histograms, written.exemplars);
        caller.left_out(&written.refused);
    }
    metrics.answered(response.status().as_u16());
    response
}

async fn receive(
    receiver: &Receiver,
    settings: &Arc<Settings>,
    caller: &Caller,
    message: Message,
    request: Request,
) -> Outcome {
    let (head, body) = request.into_parts();
    let (wire, share) = settings.intake.read(caller, Unit::Samples, &head.headers, body, 0).await?;
    let limits = settings.intake.limits(caller);
    let wire_bytes = wire.len();
    let latest_ms = caller.latest_ms();
    let (Decoded { batch, refused }, share) = decode(wire, message, latest_ms, limits, caller, share).await?;
    receiver.0.metrics.remote_write.received(wire_bytes, batch.body.len());
    let mut written = Written { refused, ..Written::default() };
    for batch in caller.admit(batch)? {
        let (samples, histograms, exemplars) = (batch.samples.len(), batch.histograms.len(), batch.exemplars.len());
        let receipt = match receiver.0.parts.ingest.write(batch).await {
            Ok(receipt) => receipt,
            // What was written before stays written, and a sender that sends it again writes it again.
            Err(error) if written.has_rows() && !error.kind().is_retryable() => {
                written.refused.note_refused(error.message(), samples + histograms + exemplars);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let missing = receipt.left_out.unwrap_or_default();
        written.samples += samples - missing.samples;
        written.histograms += histograms - missing.histograms;
        written.exemplars += exemplars - missing.exemplars;
        written.refused.note_left_out(&missing);
    }
    drop(share);
    Ok(written)
}

/// Decompresses and decodes, on another thread if that may take long.
async fn decode(
    wire: Bytes,
    message: Message,
    latest_ms: i64,
    limits: decode::Limits,
    caller: &Caller,
    mut share: Share,
) -> Result<(Decoded, Share), Error> {
    // The claim is in the first bytes; one that lies is refused by the decompressor without allocating what it claims.
    let claimed = snappy_claim(&wire).min(limits.max_decoded_bytes);
    share.grow_to(wire.len() + claimed)?;
    let is_small = claimed <= INLINE_BYTES;
    let work = move || {
        let body = decode::body::decompress(ContentEncoding::Snappy, &wire, &limits);
        let body = body.map_err(|error| (Reason::RequestSize, error))?;
        drop(wire);
        let decoded = match message {
            Message::V1 => decode::remote_write::decode_leaving_labels(&body, latest_ms, &limits),
            Message::V2 => decode::remote_write::v2::decode(&body, latest_ms, &limits),
        };
        Ok((decoded.map_err(|error| (Reason::Labels, error))?, share))
    };
    let done = if is_small {
        work()
    } else {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Error::internal("the decoding of the request broke off"))?
    };
    done.map_err(|(reason, error): (Reason, decode::Error)| bad_request(caller, reason, &error))
}

/// A body that was read whole and then is too large is a bad request to a sender, not one that a proxy would have kept out.
fn bad_request(caller: &Caller, reason: Reason, error: &decode::Error) -> Error {
    let told = Error::invalid(error.message());
    match error.kind() {
        ErrorKind::TooLarge => caller.refused(reason, told),
        _ => told,
    }
}

/// Puts the outcome on the board.
fn tell(receiver: &Receiver, caller: &Caller, peer: Option<IpAddr>, started: Instant, outcome: &Outcome) {
    let now_ms = receiver.0.parts.clock.now_ms();
    let cluster = caller.cluster().map_or("", |cluster| &**cluster);
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
