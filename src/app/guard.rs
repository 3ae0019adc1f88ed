//! Lets readers in: those who show one of their tokens, or everybody where there are none. And says whose turn a query is.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use collector::{Keyring, Token};
use model::{Error, ErrorKind};
use query::Client;

/// What a reader without a known token is asked for.
const CHALLENGE: &str = "Bearer, Basic realm=\"fleetscope\"";

/// Whether whoever sends a request with these headers is a reader.
pub(super) fn may_read(readers: &Keyring, headers: &HeaderMap) -> bool {
    readers.is_empty() || readers.holder(headers).is_some()
}

/// Who asks: the holder of a token where there are tokens, else an address. What a proxy says of others is not believed.
fn client(readers: &Keyring, request: &Request) -> Client {
    if !readers.is_empty() {
        let token = Token::of_request(request.headers());
        return token.map_or(Client::Unnamed, |token| Client::Token(token.hash().to_string().into()));
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Client::Unnamed, |ConnectInfo(address)| Client::at(address.ip()))
}

/// Goes on to the route with a token that is known. The refusal tells nothing else.
pub(super) async fn check(State(readers): State<Keyring>, mut request: Request, next: Next) -> Response {
    if may_read(&readers, request.headers()) {
        let client = client(&readers, &request);
        request.extensions_mut().insert(client);
        return next.run(request).await;
    }
    let mut response = query::Error::from(Error::new(ErrorKind::Forbidden, "unauthorized")).into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}
