//! `query_exemplars`: the exemplars of the series that an expression selects.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use axum::extract::Request;
use axum::response::Response;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use model::ErrorKind;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use promql::number;
use serde_json::{Map, Value, json};
use storage::{Selection, SeriesInfo};

use super::envelope::{Failure, Success, respond};
use super::form::Form;
use super::time;
use crate::engine::Engine;
use crate::error::Error;
use crate::http::asked::Asked;
use crate::params::Params;
use crate::promql::labels::LabelSet;
use crate::promql::selection::matchers;

/// Where the exemplars of a time are.
const SQL: &str = "SELECT name, cluster, series_id, time_ms, value, trace_id, span_id, labels FROM exemplars \
                   WHERE time_ms >= $1 AND time_ms <= $2 ORDER BY time_ms";

/// `query_exemplars`.
pub(super) async fn exemplars(Asked(engine): Asked, request: Request) -> Response {
    respond(answer(&engine, request).await)
}

async fn answer(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    let start_ms = time::parameter("start", form.get("start"), None)?.clamp(MIN_TIME_MS, MAX_TIME_MS);
    let end_ms = time::parameter("end", form.get("end"), None)?.clamp(MIN_TIME_MS, MAX_TIME_MS);
    if end_ms < start_ms {
        return Err(Failure::parameter("end", "end timestamp must not be before start timestamp"));
    }
    let text = form.get("query");
    let expr = promql::parse(text).map_err(|error| Failure::parameter("query", error.display(text)))?;
    let source = engine.source();
    let mut wanted = HashMap::<(String, String, i64), Arc<SeriesInfo>>::new();
    for selector in expr.selectors() {
        let selection = Selection { matchers: matchers(&selector.matchers), time_ms: start_ms..=end_ms };
        for series in source.resolve(&selection).await.map_err(Error::from)?.series {
            wanted.insert((series.key.name.to_string(), series.key.cluster.to_string(), series.id), series);
        }
    }
    if wanted.is_empty() {
        return Ok(Success::of(json!([])));
    }
    let params = [start_ms, end_ms].map(|time_ms| ScalarValue::Int64(Some(time_ms))).to_vec();
    let batches: Vec<RecordBatch> = engine.sql(SQL, Params::Positional(params)).await?.try_collect().await?;
    let mut found = BTreeMap::<LabelSet, Vec<Value>>::new();
    for batch in &batches {
        read(batch, &wanted, &mut found)?;
    }
    let series = found.into_iter().map(|(labels, exemplars)| {
        let labels: Map<String, Value> = labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        json!({ "seriesLabels": labels, "exemplars": exemplars })
    });
    Ok(Success::of(series.collect()))
}

/// Adds the exemplars of a batch to those of their series.
fn read(
    batch: &RecordBatch,
    wanted: &HashMap<(String, String, i64), Arc<SeriesInfo>>,
    found: &mut BTreeMap<LabelSet, Vec<Value>>,
) -> Result<(), Error> {
    let foreign = |what: &str| Error::new(ErrorKind::Internal, format!("exemplars have another {what}"));
    let text = |column: usize| {
        let text = arrow::compute::cast(batch.column(column), &arrow::datatypes::DataType::Utf8);
        text.map_err(|_| foreign("text"))
    };
    let (names, clusters, traces, spans) = (text(0)?, text(1)?, text(5)?, text(6)?);
    let texts = [&names, &clusters, &traces, &spans].map(|column| column.as_string::<i32>());
    let ids = batch.column(2).as_primitive_opt::<Int64Type>().ok_or_else(|| foreign("id"))?;
    let times_ms = batch.column(3).as_primitive_opt::<Int64Type>().ok_or_else(|| foreign("time"))?;
    let values = batch.column(4).as_primitive_opt::<Float64Type>().ok_or_else(|| foreign("value"))?;
    let maps = batch.column(7).as_map_opt().ok_or_else(|| foreign("kind of labels"))?;
    for row in 0..batch.num_rows() {
        let key = (texts[0].value(row).to_owned(), texts[1].value(row).to_owned(), ids.value(row));
        let Some(series) = wanted.get(&key) else { continue };
        let mut labels = Map::new();
        for (name, column) in [("trace_id", texts[2]), ("span_id", texts[3])] {
            if column.is_valid(row) && !column.value(row).is_empty() {
                labels.insert(name.to_owned(), column.value(row).into());
            }
        }
        let entries = maps.value(row);
        let pairs = [entries.column(0), entries.column(1)]
            .map(|column| arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8));
        let [Ok(keys), Ok(others)] = pairs else { return Err(foreign("kind of labels")) };
        let (keys, others) = (keys.as_string::<i32>(), others.as_string::<i32>());
        labels.extend((0..keys.len()).map(|at| (keys.value(at).to_owned(), others.value(at).into())));
        found.entry(LabelSet::of(&series.key)).or_default().push(json!({
            "labels": labels,
            "value": number::answer_text(values.value(row)),
            "timestamp": times_ms.value(row) as f64 / 1000.0,
        }));
    }
    Ok(())
}
