//! `POST /loki/api/v1/push`: what Promtail, Alloy and other shippers push to a Loki, protobuf or JSON.
//!
//! 204 means that every row is durable; 400 with a number of rows that every other one is. Anything else means that none is
//! promised.
//!
//! Source: <https://grafana.com/docs/loki/latest/reference/loki-http-api/>, "Ingest logs"

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use decode::body::ContentEncoding;
use model::Error;

use super::{LogPush, Origin, Read, Sent, Taken};
use crate::http::error;
use crate::receive::identity::Unit;
use crate::receive::{header, only_post};

const PROTOCOL: &str = "loki";
const PATH: &str = "/loki/api/v1/push";

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

pub(super) fn routes(push: LogPush) -> Router {
    Router::new().route(PATH, post(handle).fallback(only_post)).with_state(push)
}

/// Extract, call, encode.
async fn handle(State(push): State<LogPush>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let response = match (push.origin(PROTOCOL, &head), form(&head.headers)) {
        // It is not put on the board, which whoever can reach us could fill.
        (Err(refused), _) => refused.response(),
        (Ok(_), Err(text)) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{text}\n")).into_response(),
        (Ok(origin), Ok(form)) => {
            let outcome = receive(&push, &origin, form, &head.headers, body).await;
            push.tell(&origin, &outcome);
            encode(&outcome)
        }
    };
    push.0.metrics.log_push.answered(PROTOCOL, response.status().as_u16());
    response
}

async fn receive(
    push: &LogPush,
    origin: &Origin,
    (form, encoding): (Form, ContentEncoding),
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken<()>, Error> {
    let settings = push.0.settings();
    let (wire, share) = settings.intake.read(&origin.caller, Unit::Rows, headers, body, 0).await?;
    let decode = move |body: &[u8], arrival, limits: &_| {
        let decoded = match form {
            Form::Protobuf => decode::loki::decode(body, arrival, limits),
            Form::Json => decode::loki::json::decode(body, arrival, limits),
        };
        decoded.map(|decoded| Read { decoded, more: (), answer_bytes: 0 })
    };
    push.take(&settings, origin, Sent { wire, encoding, share }, decode).await
}

/// How a request with these headers is written and packed. As Loki takes it: one without a content type is protobuf, and
/// protobuf is in snappy whether it says so or not.
///
/// # Errors
/// What is to be sent instead.
fn form(headers: &HeaderMap) -> Result<(Form, ContentEncoding), String> {
    let (content_type, encoding) = (header(headers, CONTENT_TYPE), header(headers, CONTENT_ENCODING));
    match content_type.split(';').next().unwrap_or("").trim() {
        "" | "application/x-protobuf" => match encoding.as_str() {
            "" | "snappy" => Ok((Form::Protobuf, ContentEncoding::Snappy)),
            other => Err(format!("the content encoding {other:?} is not accepted with protobuf: send snappy")),
        },
        "application/json" => match ContentEncoding::parse(&encoding) {
            Ok(encoding) => Ok((Form::Json, encoding)),
            Err(error) => Err(error.message().to_owned()),
        },
        other => {
            Err(format!("the content type {other:?} is not accepted: send application/x-protobuf or application/json"))
        }
    }
}

/// Shippers drop what a 400 answers: the good rows are here, and the bad ones would be refused again.
fn encode(outcome: &Result<Taken<()>, Error>) -> Response {
    match outcome {
        Ok(taken) => match taken.faults() {
            None => StatusCode::NO_CONTENT.into_response(),
            Some(faults) => (StatusCode::BAD_REQUEST, faults + "\n").into_response(),
        },
        Err(error) => error::response(error),
    }
}
