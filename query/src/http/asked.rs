//! The engine, as whoever sends a request asks it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::engine::Engine;
use crate::run::Client;

/// Takes the engine for the client of a request: the one that whoever lets requests in has put among its extensions, else one
/// without a name.
pub(super) struct Asked(pub(super) Engine);

impl FromRequestParts<Engine> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, engine: &Engine) -> Result<Self, Infallible> {
        let client = request.extensions.get::<Client>().cloned().unwrap_or_default();
        Ok(Asked(engine.asked_by(client)))
    }
}
