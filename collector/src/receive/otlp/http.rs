//! `POST /v1/metrics`, `/v1/logs`, `/v1/traces`: OTLP over HTTP, protobuf or JSON. The paths of the receivers of Prometheus and
//! Loki lead here too.
//!
//! 200 means that every row of what was not refused is durable. Anything else means that none is promised.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/>, "OTLP/HTTP"

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use decode::body::ContentEncoding;
use model::Error;
use tokio::time::Instant;

use super::{Form, Origin, Otlp, Sent, Settings, Signal, Taken, answer};
use crate::http::error;
use crate::receive::{header, only_post};

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Protobuf => "application/x-protobuf",
            Form::Json => "application/json",
        }
    }
}

pub(super) fn routes(otlp: Otlp) -> Router {
    let mut routes = Router::new();
    for signal in Signal::ALL {
        for path in signal.http_paths() {
            let taking = move |State(otlp): State<Otlp>, request: Request| handle(otlp, signal, request);
            routes = routes.route(path, post(taking).fallback(only_post));
        }
    }
    routes.with_state(otlp)
}

/// Extract, call, encode.
async fn handle(otlp: Otlp, signal: Signal, request: Request) -> Response {
    let started = Instant::now();
    let settings = otlp.settings();
    let (head, body) = request.into_parts();
    let response = match (otlp.origin(&head), form(&head.headers)) {
        // It is not put on the board, which whoever can reach us could fill.
        (Err(refused), _) => refused.response(),
        (Ok(origin), Ok(form)) => {
            let outcome = receive(&otlp, &settings, &origin, (signal, form), &head.headers, body).await;
            otlp.tell(signal, &origin, started, &outcome);
            encode(signal, form, &outcome)
        }
        // In which encoding to say so cannot be known.
        (Ok(_), Err(text)) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{text}\n")).into_response(),
    };
    otlp.0.metrics.otlp.answered(signal, "http", u32::from(response.status().as_u16()));
    response
}

async fn receive(
    otlp: &Otlp,
    settings: &Arc<Settings>,
    origin: &Origin,
    (signal, form): (Signal, Form),
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken, Error> {
    let encoding = ContentEncoding::parse(&header(headers, CONTENT_ENCODING)).map_err(Error::from)?;
    let (wire, share) = settings.intake.read(&origin.caller, signal.unit(), headers, body, 0).await?;
    otlp.take(settings, origin, Sent { signal, wire, encoding, form }, share).await
}

fn form(headers: &HeaderMap) -> Result<Form, String> {
    let content_type = header(headers, CONTENT_TYPE);
    match content_type.split(';').next().unwrap_or("").trim() {
        "application/x-protobuf" | "application/protobuf" => Ok(Form::Protobuf),
        "application/json" => Ok(Form::Json),
        other => {
            Err(format!("the content type {other:?} is not accepted: send application/x-protobuf or application/json"))
        }
    }
}

fn encode(signal: Signal, form: Form, outcome: &Result<Taken, Error>) -> Response {
    let (status, body) = match (outcome, form) {
        (Ok(taken), Form::Protobuf) => (StatusCode::OK, answer::success(signal, taken)),
        (Ok(taken), Form::Json) => (StatusCode::OK, answer::success_json(signal, taken).into_bytes()),
        (Err(error), Form::Protobuf) => (error::status(error.kind()), answer::failure(error)),
        (Err(error), Form::Json) => (error::status(error.kind()), answer::failure_json(error).into_bytes()),
    };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    if let Some(after) = outcome.as_ref().err().and_then(answer::retry_after) {
        // Whole seconds, rounded up: zero would mean at once.
        let seconds = (after.as_secs_f64().ceil() as u64).max(1);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
