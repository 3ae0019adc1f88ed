//! A push that is refused for who sends it, or for how much.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use model::{Error, ErrorKind};

use crate::http::error;

/// What a push without a known token is asked for.
const CHALLENGE: &str = "Bearer, Basic realm=\"fleetscope\"";

/// Why, in one word: the `reason` of `fleetscope_push_refused_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// No known token.
    Unauthorized,
    /// More bytes in a request than it may have, compressed or not.
    RequestSize,
    /// Too many labels or rows, or too long ones.
    Labels,
    /// More bytes in a second.
    ByteRate,
    /// More samples in a second.
    SampleRate,
}

impl Reason {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::Unauthorized => "unauthorized",
            Reason::RequestSize => "request_size",
            Reason::Labels => "labels",
            Reason::ByteRate => "byte_rate",
            Reason::SampleRate => "sample_rate",
        }
    }
}

/// A refusal, counted already. Its error is `Forbidden` without a known token, `Busy` with the time to wait above a rate,
/// `TooLarge` or `Invalid` otherwise.
#[derive(Debug)]
pub(crate) struct Refused {
    reason: Reason,
    error: Error,
}

impl Refused {
    pub(super) fn new(reason: Reason, error: Error) -> Self {
        Refused { reason, error }
    }

    /// One that tells nothing: not whether the token is wrong, nor whose others are.
    pub(super) fn unauthorized() -> Self {
        Refused { reason: Reason::Unauthorized, error: Error::new(ErrorKind::Forbidden, "unauthorized") }
    }

    /// Whether it is for want of a known token, and so to be told without a word more.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.reason == Reason::Unauthorized
    }

    /// What, the limit, how much it was.
    pub(crate) fn error(&self) -> &Error {
        &self.error
    }
}

impl Refused {
    /// The whole answer over HTTP.
    pub(crate) fn response(&self) -> Response {
        let mut response = error::response(&self.error);
        if self.is_unauthorized() {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        response
    }
}
