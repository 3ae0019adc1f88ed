//! From an error to the HTTP answer that all routes but those of the collectors give: its status, its JSON.
//!
//! The collectors have a table of their own, because senders decide by the status whether they send again.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use model::ErrorKind;
use serde_json::{Value, json};

use crate::error::Error;

/// The status of a kind of error.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Busy => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable | ErrorKind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// `{"kind": …, "message": …, "position": {"line": …, "column": …}}`; the position only where it is known.
pub(crate) fn json_of(error: &Error) -> Value {
    let mut value = json!({ "kind": error.kind().as_str(), "message": error.message() });
    if let Some(at) = error.position() {
        value["position"] = json!({ "line": at.line, "column": at.column });
    }
    value
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = json_of(&self).to_string();
        let mut response = (status(self.kind()), [(CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(after) = self.retry_after_hint() {
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        response
    }
}
