//! The HTTP API of Prometheus, below `/prometheus/api/v1`: what Grafana, promtool and other clients of Prometheus speak.
//!
//! Owns: parameters, statuses and JSON as Prometheus has them.
//! Does not own: what an expression means (`promql`), how it is planned and run (`crate::promql`).

mod envelope;
mod exemplars;
mod expression;
mod form;
mod json;
mod labels;
mod metadata;
mod query;
mod status;
mod time;

use axum::Router;
use axum::routing::get;

use crate::engine::Engine;

/// The routes, each below `/prometheus/api/v1`.
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
        .route("/series", get(labels::series).post(labels::series))
        .route("/status/buildinfo", get(status::buildinfo))
        .route("/rules", get(status::rules))
        .route("/alerts", get(status::alerts));
    Router::new().nest("/prometheus/api/v1", api)
}
