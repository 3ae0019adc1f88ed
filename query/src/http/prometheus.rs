//! The HTTP API of Prometheus, below `/prometheus`: what Grafana, promtool and other clients of Prometheus speak, and what
//! another Prometheus reads and federates.
//!
//! Owns: parameters, statuses, JSON and texts as Prometheus has them.
//! Does not own: what an expression means (`promql`), how it is planned and run (`crate::promql`).

mod envelope;
mod exemplars;
mod expression;
mod federate;
mod form;
mod json;
mod labels;
mod metadata;
mod plain;
mod query;
mod readings;
mod remote_read;
mod status;
mod time;

use axum::Router;
use axum::routing::{get, post};

use crate::engine::Engine;

/// The routes, each below `/prometheus`.
pub(super) fn routes() -> Router<Engine> {
    let api = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/format_query", get(expression::format).post(expression::format))
        .route("/parse_query", get(expression::parse).post(expression::parse))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/metadata", get(metadata::metadata))
        .route("/query_exemplars", get(exemplars::exemplars).post(exemplars::exemplars))
        .route("/read", post(remote_read::read))
        .route("/series", get(labels::series).post(labels::series))
        .route("/status/buildinfo", get(status::buildinfo))
        .route("/rules", get(status::rules))
        .route("/alerts", get(status::alerts));
    Router::new()
        .route("/prometheus", get(status::root))
        .route("/prometheus/", get(status::root))
        .route("/prometheus/federate", get(federate::federate))
        .nest("/prometheus/api/v1", api)
}
