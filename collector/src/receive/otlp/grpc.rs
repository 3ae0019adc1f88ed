//! `MetricsService/Export`, `LogsService/Export`, `TraceService/Export`: OTLP over gRPC.
//!
//! A call with one message each way needs of gRPC a prefix of five bytes and a few headers. So it is spoken here, on the
//! same HTTP server, budget and decompressors as everything else: libraries for it hold what a sender claims to send,
//! unpack on the threads that serve, and wait for a body without end.
//!
//! Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf, Bytes};
use decode::body::ContentEncoding;
use http_body_util::{BodyExt, Full};
use model::Error;
use tokio::time::Instant;

use super::{Form, Origin, Otlp, Sent, Settings, Signal, Taken, answer};
use crate::receive::only_post;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// Whether a message is compressed, and its length.
const PREFIX_BYTES: usize = 5;
const UNIMPLEMENTED: u32 = 12;
const UNAUTHENTICATED: u32 = 16;

pub(super) fn routes(otlp: Otlp) -> Router {
    let mut routes = Router::new();
    for signal in Signal::ALL {
        let taking = move |State(otlp): State<Otlp>, request: Request| handle(otlp, signal, request);
        routes = routes.route(signal.grpc_path(), post(taking).fallback(only_post));
    }
    routes.fallback(unknown).with_state(otlp)
}

/// What is called here that there is not.
async fn unknown(request: Request) -> Response {
    let path = request.uri().path();
    let text = format!("there is no {path}, only Export of OTLP's MetricsService, LogsService and TraceService");
    refusal(UNIMPLEMENTED, &text, None)
}

/// Extract, call, encode.
async fn handle(otlp: Otlp, signal: Signal, request: Request) -> Response {
    let started = Instant::now();
    let settings = otlp.settings();
    let (head, body) = request.into_parts();
    if !is_grpc(&head.headers) {
        let text = "only gRPC is spoken here: OTLP over HTTP has a port of its own\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let origin = match otlp.origin(&head) {
        Ok(origin) => origin,
        // It is not put on the board, which whoever can reach us could fill.
        Err(refused) => {
            otlp.0.metrics.otlp.answered(signal, "grpc", UNAUTHENTICATED);
            return refusal(UNAUTHENTICATED, refused.message(), None);
        }
    };
    let outcome = receive(&otlp, &settings, &origin, signal, &head.headers, body).await;
    otlp.tell(signal, &origin, started, &outcome);
    let code = outcome.as_ref().map_or_else(|error| answer::code(error.kind()), |_| 0);
    otlp.0.metrics.otlp.answered(signal, "grpc", code);
    match outcome {
        Ok(taken) => success(signal, &taken),
        Err(error) => refusal(code, &error.to_string(), Some(&answer::failure(&error))),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim();
    matches!(media, "application/grpc" | "application/grpc+proto")
}

async fn receive(
    otlp: &Otlp,
    settings: &Arc<Settings>,
    origin: &Origin,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken, Error> {
    let (wire, share) = settings.intake.read(&origin.caller, signal.unit(), headers, body, PREFIX_BYTES).await?;
    let (wire, encoding) = unwrap(wire, headers, signal)?;
    otlp.take(settings, origin, Sent { signal, wire, encoding, form: Form::Protobuf }, share).await
}

/// The message behind its prefix, and how it is compressed.
fn unwrap(mut wire: Bytes, headers: &HeaderMap, signal: Signal) -> Result<(Bytes, ContentEncoding), Error> {
    if wire.len() < PREFIX_BYTES {
        return Err(Error::invalid(format!("the call has no message: send one {}", signal.message())));
    }
    let (is_compressed, length) = (wire.get_u8(), wire.get_u32() as usize);
    if length != wire.len() {
        let text = format!("the message claims {length} bytes and has {}, a call has one message", wire.len());
        return Err(Error::invalid(text));
    }
    let word = headers.get(GRPC_ENCODING).map_or(Ok(""), |value| value.to_str()).unwrap_or("?");
    match is_compressed {
        0 => Ok((wire, ContentEncoding::Identity)),
        1 => match ContentEncoding::parse(word)? {
            ContentEncoding::Identity => {
                Err(Error::invalid("the message is compressed, and grpc-encoding does not say how: send gzip or zstd"))
            }
            encoding => Ok((wire, encoding)),
        },
        other => Err(Error::invalid(format!("the message begins with {other}, neither 0 nor 1"))),
    }
}

fn success(signal: Signal, taken: &Taken) -> Response {
    let message = answer::success(signal, taken);
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(0));
    let body = Full::new(Bytes::from(framed)).with_trailers(std::future::ready(Some(Ok(trailers))));
    response(Body::new(body))
}

/// An answer without a message: the status stands among the headers.
fn refusal(code: u32, text: &str, details: Option<&[u8]>) -> Response {
    let mut response = response(Body::empty());
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    for (name, value) in [(GRPC_MESSAGE, Some(percent_encoded(text))), (GRPC_DETAILS, details.map(base64))] {
        // Both are made of letters that a header takes.
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip,zstd"));
    response
}

/// Text as gRPC wants it: printable ASCII but for `%`, anything else as `%` and two digits.
fn percent_encoded(text: &str) -> String {
    /// Servers and clients give up on headers that are much longer.
    const MAX_BYTES: usize = 4 << 10;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if out.len() >= MAX_BYTES {
            break;
        }
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Without the signs that fill up: gRPC wants none.
fn base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests;
