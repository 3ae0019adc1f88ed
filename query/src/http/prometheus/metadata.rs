//! `metadata`: what is said of metrics, by all clusters.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use axum::extract::Request;
use axum::response::Response;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use model::ErrorKind;
use serde_json::{Value, json};

use super::envelope::{Failure, Success, respond};
use super::form::Form;
use crate::engine::Engine;
use crate::error::Error;
use crate::http::asked::Asked;
use crate::params::Params;

/// What is said of a metric: its type, help and unit.
pub(super) type Said = (String, String, String);

/// `metadata`: of each metric what is said of it.
pub(super) async fn metadata(Asked(engine): Asked, request: Request) -> Response {
    respond(answer(&engine, request).await)
}

async fn answer(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    let (limit, of_metric) = (limit(&form, "limit")?, limit(&form, "limit_per_metric")?);
    let metrics = said(engine, Some(form.get("metric")).filter(|metric| !metric.is_empty())).await?;
    let object = |(kind, help, unit): Said| json!({ "type": kind, "help": help, "unit": unit });
    let shown = metrics
        .into_iter()
        .take(limit)
        .map(|(name, all)| (name, Value::from(all.into_iter().take(of_metric).map(object).collect::<Vec<_>>())));
    Ok(Success::of(Value::Object(shown.collect())))
}

/// Of each metric, or of one alone, what is said of it.
///
/// # Errors
/// Those of a query.
pub(super) async fn said(engine: &Engine, metric: Option<&str>) -> Result<BTreeMap<String, BTreeSet<Said>>, Error> {
    let mut sql = "SELECT DISTINCT name, kind, help, unit FROM metadata".to_owned();
    let mut params = Params::None;
    if let Some(metric) = metric {
        sql.push_str(" WHERE name = $1");
        params = Params::Positional(vec![ScalarValue::Utf8(Some(metric.to_owned()))]);
    }
    let rows = engine.sql(&sql, params).await?;
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    let mut metrics = BTreeMap::<String, BTreeSet<Said>>::new();
    for batch in &batches {
        let texts = |column: usize| {
            let column = arrow::compute::cast(batch.column(column), &arrow::datatypes::DataType::Utf8);
            column.map_err(|e| Error::new(ErrorKind::Internal, format!("the metadata is no text: {e}")))
        };
        let columns = [texts(0)?, texts(1)?, texts(2)?, texts(3)?];
        for row in 0..batch.num_rows() {
            let [name, kind, help, unit] =
                columns.each_ref().map(|column| column.as_string::<i32>().value(row).to_owned());
            metrics.entry(name).or_default().insert((kind, help, unit));
        }
    }
    Ok(metrics)
}

/// How many are wanted at most; a negative or missing number, and zero, ask for all.
fn limit(form: &Form, name: &str) -> Result<usize, Failure> {
    let text = form.get(name);
    if text.is_empty() {
        return Ok(usize::MAX);
    }
    let number: i64 = text.parse().map_err(|_| Failure::bad_data(format!("{name} must be a number")))?;
    Ok(usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(usize::MAX))
}
