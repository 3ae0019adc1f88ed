//! What stands around every answer: status, warnings, the kind of an error.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use model::ErrorKind;
use serde_json::json;

use crate::error::Error;
use crate::http::annotations::push_keys;
use crate::promql::Annotations;

/// Why there is no answer, in the words of Prometheus.
#[derive(Debug)]
pub(super) struct Failure {
    kind: &'static str,
    status: StatusCode,
    message: String,
}

impl Failure {
    /// The request is wrong.
    pub(super) fn bad_data(message: impl Into<String>) -> Self {
        Failure { kind: "bad_data", status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// A parameter is wrong.
    pub(super) fn parameter(name: &str, message: impl std::fmt::Display) -> Self {
        Self::bad_data(format!("invalid parameter {name:?}: {message}"))
    }

    /// As an error of ours, for a route that tells no kinds: what is wrong with the request.
    pub(super) fn into_invalid(self) -> Error {
        Error::new(ErrorKind::Invalid, self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, status) = match error.kind() {
            ErrorKind::Invalid => ("execution", StatusCode::UNPROCESSABLE_ENTITY),
            ErrorKind::TooLarge => ("execution", StatusCode::UNPROCESSABLE_ENTITY),
            ErrorKind::Timeout => ("timeout", StatusCode::SERVICE_UNAVAILABLE),
            ErrorKind::Cancelled => ("canceled", StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)),
            ErrorKind::NotFound => ("not_found", StatusCode::NOT_FOUND),
            ErrorKind::Forbidden => ("bad_data", StatusCode::BAD_REQUEST),
            // A client that is told `unavailable` with 503 shows the message and may come again.
            ErrorKind::Busy | ErrorKind::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            ErrorKind::Conflict | ErrorKind::Corrupt | ErrorKind::Internal => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        Failure { kind, status, message: error.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": self.kind, "error": self.message });
        (self.status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

/// An answer with its data as JSON text.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) data: String,
    pub(super) annotations: Annotations,
}

impl Success {
    /// Data without warnings.
    pub(super) fn of(data: serde_json::Value) -> Self {
        Self::text(data.to_string())
    }

    /// Data that is JSON text already, without warnings.
    pub(super) fn text(data: String) -> Self {
        Success { data, annotations: Annotations::default() }
    }
}

/// The response of a route.
pub(super) fn respond(answer: Result<Success, Failure>) -> Response {
    match answer {
        Ok(success) => success.into_response(),
        Err(failure) => failure.into_response(),
    }
}

impl IntoResponse for Success {
    fn into_response(self) -> Response {
        let mut body = String::with_capacity(self.data.len() + 64);
        body.push_str("{\"status\":\"success\",\"data\":");
        body.push_str(&self.data);
        push_keys(&self.annotations, &mut body);
        body.push('}');
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }
}
