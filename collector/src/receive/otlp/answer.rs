//! What senders are answered: the few messages of OTLP's answers, as protobuf and as JSON.
//!
//! ```text
//! ExportMetricsServiceResponse { partial_success = 1: { rejected_data_points = 1: int64, error_message = 2 } }
//! ExportLogsServiceResponse, ExportTraceServiceResponse: the same with rejected_log_records, rejected_spans
//! google.rpc.Status { code = 1: int32, message = 2, details = 3: Any }
//! Any { type_url = 1, value = 2 }     google.rpc.RetryInfo { retry_delay = 1: Duration { seconds = 1, nanos = 2 } }
//! ```
//!
//! Written by hand: they are four, and a library for them would bring a second protobuf reader with it.

use std::time::Duration;

use decode::otlp::Refused;
use model::{Error, ErrorKind, LeftOut};
use serde_json::json;

use super::deltas::NotAdded;
use super::{Signal, Taken};

/// When a sender should come again if the error does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The code of gRPC for an error.
///
/// Senders send again after UNAVAILABLE, and drop what they sent after any other of these. RESOURCE_EXHAUSTED they send again
/// only if they know `RetryInfo`, so it is not used: back-pressure must not become loss.
pub(super) fn code(kind: ErrorKind) -> u32 {
    const INVALID_ARGUMENT: u32 = 3;
    const NOT_FOUND: u32 = 5;
    const PERMISSION_DENIED: u32 = 7;
    const INTERNAL: u32 = 13;
    const UNAVAILABLE: u32 = 14;
    match kind {
        ErrorKind::Invalid | ErrorKind::TooLarge => INVALID_ARGUMENT,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Forbidden => PERMISSION_DENIED,
        ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Conflict => {
            UNAVAILABLE
        }
        ErrorKind::Corrupt | ErrorKind::Internal => INTERNAL,
    }
}

/// When the sender should come again, if that helps.
pub(super) fn retry_after(error: &Error) -> Option<Duration> {
    let passes = crate::http::error::status(error.kind()) == axum::http::StatusCode::SERVICE_UNAVAILABLE;
    passes.then(|| error.retry_after().unwrap_or(DEFAULT_RETRY_AFTER))
}

/// What is to be said of what was left out, or read with a doubt.
pub(super) fn partial_message(signal: Signal, taken: &Taken) -> Option<String> {
    let reasons = &taken.refused.reasons;
    (!reasons.is_empty()).then(|| match taken.refused.points {
        0 => reasons.join("; "),
        1 => format!("1 {} was refused: {}", signal.item(), reasons.join("; ")),
        items => format!("{items} {}s were refused: {}", signal.item(), reasons.join("; ")),
    })
}

/// Takes in what deltas were not added. Of those that are in the sum already only as a warning: they were taken before.
pub(super) fn note_not_added(refused: &mut Refused, not_added: &NotAdded) {
    match not_added.repeated.len() {
        0 => {}
        1 => refused.add(0, "1 delta was not added again, it is the last one of its series already"),
        points => refused.add(0, format!("{points} deltas were not added again, their series have them already")),
    }
    if !not_added.late.is_empty() {
        let text = "deltas are before the last one of their series and cannot be added any more: send the points of a series \
                    in order, and from one sender";
        refused.add(not_added.late.len() as u64, text);
    }
}

/// Takes in so many points, records or spans that the store has left out.
pub(super) fn note_left_out(refused: &mut Refused, mut items: u64, left_out: &LeftOut) {
    for (_, message) in left_out.messages() {
        refused.add(std::mem::take(&mut items), message);
    }
}

/// The answer to a request whose rows are durable, as protobuf: the same numbers of fields whatever the signal.
pub(super) fn success(signal: Signal, taken: &Taken) -> Vec<u8> {
    let mut response = Vec::new();
    if let Some(message) = partial_message(signal, taken) {
        let mut partial = Vec::new();
        number(&mut partial, 1, taken.refused.points);
        bytes(&mut partial, 2, message.as_bytes());
        bytes(&mut response, 1, &partial);
    }
    response
}

/// The same as JSON.
pub(super) fn success_json(signal: Signal, taken: &Taken) -> String {
    let response = match partial_message(signal, taken) {
        None => json!({}),
        Some(message) => json!({
            "partialSuccess": { signal.rejected_field(): taken.refused.points.to_string(), "errorMessage": message },
        }),
    };
    response.to_string()
}

/// The `Status` of an error, as protobuf.
pub(super) fn failure(error: &Error) -> Vec<u8> {
    let mut status = Vec::new();
    number(&mut status, 1, u64::from(code(error.kind())));
    bytes(&mut status, 2, error.to_string().as_bytes());
    if let Some(after) = retry_after(error) {
        let mut duration = Vec::new();
        number(&mut duration, 1, after.as_secs());
        number(&mut duration, 2, u64::from(after.subsec_nanos()));
        let (mut retry_info, mut any) = (Vec::new(), Vec::new());
        bytes(&mut retry_info, 1, &duration);
        bytes(&mut any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
        bytes(&mut any, 2, &retry_info);
        bytes(&mut status, 3, &any);
    }
    status
}

/// The same as JSON.
pub(super) fn failure_json(error: &Error) -> String {
    let details = retry_after(error).map(|after| {
        json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", after.as_secs_f64()),
        })
    });
    let details: Vec<_> = details.into_iter().collect();
    json!({ "code": code(error.kind()), "message": error.to_string(), "details": details }).to_string()
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A number is left out if it is zero, as everywhere in this encoding.
fn number(out: &mut Vec<u8>, field: u8, number: u64) {
    if number != 0 {
        out.push(field << 3);
        varint(out, number);
    }
}

fn bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests;
