//! The receivers: HTTP routes at which others push their telemetry.
//!
//! Owns: the routes, who sends and how much he may, the limits on what is received at once, the status of each sender.
//! Does not own: the listener and its TLS (the binary), wire formats (`decode`), the store ([`model::Ingest`]).

mod body;
mod budget;
mod identity;
mod intake;
mod log_push;
mod otlp;
mod remote_write;
mod senders;
mod state;
mod unpack;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

pub(crate) use self::identity::{Identity, Reason};
pub(crate) use self::log_push::LogPush;
pub(crate) use self::otlp::{Otlp, Signal};
use self::state::State;
use crate::Parts;
use crate::config::ReceiverConfig;
use crate::metrics::Metrics;

/// Where remote write is received: as Prometheus itself does, as one that is served below a path, and as Mimir does.
const REMOTE_WRITE_PATHS: [&str; 3] = ["/api/v1/write", "/prometheus/api/v1/write", "/api/v1/push"];

/// What the routes share. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Receiver(Arc<State>);

impl Receiver {
    /// A receiver that writes to `parts` what `identity` lets in.
    pub(crate) fn new(config: &ReceiverConfig, identity: Identity, parts: Parts, metrics: Arc<Metrics>) -> Self {
        Receiver(State::new("remote_write", config, identity, parts, metrics))
    }

    /// Goes over to another configuration; requests that have begun end under the old one.
    pub(crate) fn reload(&self, config: &ReceiverConfig) {
        self.0.reload(config);
    }

    /// The routes of all receivers.
    pub(crate) fn routes(&self) -> Router {
        let mut routes = Router::new();
        for path in REMOTE_WRITE_PATHS {
            routes = routes.route(path, post(remote_write::handle).fallback(only_post));
        }
        routes.with_state(self.clone())
    }
}

/// A header's text in lower case, empty if there is none; one that is no text is of no use, whatever it says.
fn header(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).map_or(Ok(""), |value| value.to_str()).unwrap_or("?").trim().to_ascii_lowercase()
}

/// What whoever comes with another method is told.
async fn only_post(request: Request) -> Response {
    let text = format!("{} is not taken at {}: send POST\n", request.method(), request.uri().path());
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], text).into_response()
}
