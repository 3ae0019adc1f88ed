//! The one place where an error of the collectors becomes an HTTP status.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use model::{Error, ErrorKind};

/// When a sender should come again if the error does not say, in seconds.
const DEFAULT_RETRY_AFTER_SECONDS: u64 = 5;

/// The status of a kind.
///
/// A Prometheus that sends sends again after 5xx; after a 4xx it drops what it sent, 429 among them unless
/// `retry_on_http_429` is set, which it is not by default. So everything that may pass is a 5xx: back-pressure must not
/// become loss.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Conflict => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The whole answer: status, the message as plain text, and `Retry-After` where coming again helps.
pub(crate) fn response(error: &Error) -> Response {
    let status = status(error.kind());
    let mut response = (status, format!("{error}\n")).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        // Whole seconds, rounded up: zero would mean at once.
        let seconds =
            error.retry_after().map_or(DEFAULT_RETRY_AFTER_SECONDS, |after| after.as_secs_f64().ceil() as u64);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

#[cfg(test)]
mod tests;
