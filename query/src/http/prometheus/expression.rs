//! `format_query` and `parse_query`: what an expression says, without an answer to it.

use axum::extract::Request;
use axum::response::Response;

use super::envelope::{Failure, Success, respond};
use super::form::Form;

/// `format_query`: the expression as it should be written.
pub(super) async fn format(request: Request) -> Response {
    respond(parsed(request).await.map(|expr| Success::of(expr.pretty().into())))
}

/// `parse_query`: the expression as a tree.
pub(super) async fn parse(request: Request) -> Response {
    respond(parsed(request).await.map(|expr| Success::text(expr.to_json())))
}

async fn parsed(request: Request) -> Result<promql::ast::Expr, Failure> {
    let form = Form::read(request).await?;
    let text = form.get("query");
    promql::parse(text).map_err(|error| Failure::parameter("query", error.display(text)))
}
