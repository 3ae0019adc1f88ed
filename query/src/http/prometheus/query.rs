//! `query` and `query_range`.

use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use promql::ast::{Expr, VectorSelector};

use super::envelope::{Failure, Success, respond};
use super::form::Form;
use super::{json, time};
use crate::engine::Engine;
use crate::http::asked::Asked;
use crate::promql::{MAX_STEPS, Query};

/// `query`: an expression at one instant.
pub(super) async fn instant(Asked(engine): Asked, request: Request) -> Response {
    respond(answer_instant(&engine, request).await)
}

/// `query_range`: an expression at instants of equal distance.
pub(super) async fn range(Asked(engine): Asked, request: Request) -> Response {
    respond(answer_range(&engine, request).await)
}

async fn answer_instant(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    let time_ms = time::parameter("time", form.get("time"), Some(engine.now_ms()))?;
    let query = Query {
        text: form.get("query").to_owned(),
        range: None,
        end_ms: time_ms,
        lookback_ms: None,
        timeout: None,
        dedup: true,
    };
    run(engine, &form, query).await
}

async fn answer_range(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    let start_ms = time::parameter("start", form.get("start"), None)?;
    let end_ms = time::parameter("end", form.get("end"), None)?;
    if end_ms < start_ms {
        return Err(Failure::parameter("end", "end timestamp must not be before start time"));
    }
    let step_ms = time::duration("step", form.get("step"))?;
    if step_ms <= 0 {
        let what = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(Failure::parameter("step", what));
    }
    if end_ms.saturating_sub(start_ms) / step_ms > MAX_STEPS {
        return Err(Failure::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ));
    }
    let query = Query {
        text: form.get("query").to_owned(),
        range: Some((start_ms, step_ms)),
        end_ms,
        lookback_ms: None,
        timeout: None,
        dedup: true,
    };
    run(engine, &form, query).await
}

async fn run(engine: &Engine, form: &Form, mut query: Query) -> Result<Success, Failure> {
    if !form.get("lookback_delta").is_empty() {
        query.lookback_ms = Some(time::duration("lookback_delta", form.get("lookback_delta"))?);
    }
    if !form.get("timeout").is_empty() {
        let ms = time::duration("timeout", form.get("timeout"))?;
        query.timeout = Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    }
    query.dedup = match form.get("dedup") {
        "" | "true" | "1" => true,
        "false" | "0" => false,
        other => return Err(Failure::parameter("dedup", format!("{other:?} is neither true nor false"))),
    };
    let answer = engine.promql(query).await.map_err(|error| match error {
        crate::promql::Failure::Parse(message) => Failure::parameter("query", message),
        crate::promql::Failure::Run(error) => Failure::from(error),
    })?;
    // Writing millions of numbers takes longer than a poll may.
    let with_stats = !form.get("stats").is_empty();
    let data = tokio::task::spawn_blocking(move || (json::data(&answer, with_stats), answer)).await;
    let (data, answer) = data.map_err(|_| Failure::bad_data("writing the answer panicked"))?;
    Ok(Success { data, annotations: answer.annotations })
}

/// The selector that a parameter holds.
///
/// # Errors
/// `bad_data` if it is none.
pub(super) fn selector(name: &str, text: &str) -> Result<VectorSelector, Failure> {
    let expr = promql::parse(text).map_err(|error| Failure::parameter(name, error.display(text)))?;
    match expr {
        Expr::Vector(selector) => Ok(selector),
        other => {
            let what = format!("expected type vector selector, got {}", other.value_type().as_str());
            Err(Failure::parameter(name, what))
        }
    }
}
