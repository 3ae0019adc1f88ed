//! A push that is refused for who sends it, or for how much.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

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
    /// More log rows and spans in a second.
    RowRate,
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
            Reason::RowRate => "row_rate",
        }
    }
}

/// The refusal of somebody who is not known, counted already. It tells nothing: not whether the token is wrong, nor whose others
/// are.
#[derive(Debug)]
pub(crate) struct Unauthorized(());

impl Unauthorized {
    pub(super) fn new() -> Self {
        Unauthorized(())
    }

    /// What is to be shown.
    pub(crate) fn message(&self) -> &'static str {
        "unauthorized: show the token of a cluster, as a bearer token or as the password of basic authentication"
    }

    /// The whole answer over HTTP.
    pub(crate) fn response(&self) -> Response {
        let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))];
        (StatusCode::UNAUTHORIZED, challenge, format!("{}\n", self.message())).into_response()
    }
}
