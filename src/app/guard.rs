//! Lets readers in: those who show one of their tokens, or everybody where there are none.

use axum::extract::{Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use collector::Keyring;
use model::{Error, ErrorKind};

/// What a reader without a known token is asked for.
const CHALLENGE: &str = "Bearer, Basic realm=\"fleetscope\"";

/// Whether whoever sends a request with these headers is a reader.
pub(super) fn may_read(readers: &Keyring, headers: &HeaderMap) -> bool {
    readers.is_empty() || readers.holder(headers).is_some()
}

/// Goes on to the route with a token that is known. The refusal tells nothing else.
pub(super) async fn check(State(readers): State<Keyring>, request: Request, next: Next) -> Response {
    if may_read(&readers, request.headers()) {
        return next.run(request).await;
    }
    let mut response = query::Error::from(Error::new(ErrorKind::Forbidden, "unauthorized")).into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}
