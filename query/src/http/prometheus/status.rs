//! `status/buildinfo` and what else clients ask to know whom they talk to.

use axum::response::Response;

use super::envelope::{Success, respond};

/// The Prometheus whose API this is: clients decide by it what they may ask.
const LIKE_VERSION: &str = "3.14.0";

/// `status/buildinfo`. Without `features`, which would make Grafana take it for a Mimir.
pub(super) async fn buildinfo() -> Response {
    let data = serde_json::json!({
        "version": LIKE_VERSION,
        "revision": env!("CARGO_PKG_VERSION"),
        "branch": "fleetscope",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    });
    respond(Ok(Success::of(data)))
}

/// `/prometheus/`, which some clients ask to know whether there is a server at all.
pub(super) async fn root() -> &'static str {
    "fleetscope answers here as Prometheus does: /prometheus/api/v1/query, /prometheus/federate and others\n"
}

/// `rules`: there are none.
pub(super) async fn rules() -> Response {
    respond(Ok(Success::of(serde_json::json!({ "groups": [] }))))
}

/// `alerts`: there are none.
pub(super) async fn alerts() -> Response {
    respond(Ok(Success::of(serde_json::json!({ "alerts": [] }))))
}
