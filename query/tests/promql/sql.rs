//! The same cases through `promql()` in SQL, held against what the HTTP API of Prometheus has answered.

use std::collections::BTreeMap;

use super::*;

/// Labels, time in milliseconds, and the value: a number, or a histogram as JSON.
type Row = (BTreeMap<String, String>, i64, String);

/// What differs, if anything does. The HTTP API has answered with `expected`.
pub(crate) async fn difference(api: &Router, case: &Case, expected: &Value) -> Option<String> {
    let seconds = |time_ms: i64| time_ms as f64 / 1000.0;
    let (call, params) = match case.times {
        Times::At(time_ms) => ("promql($1, $2)", serde_json::json!([case.expression, seconds(time_ms)])),
        Times::Range { start_ms, end_ms, step_ms } => {
            let times = [start_ms, end_ms, step_ms].map(seconds);
            ("promql($1, $2, $3, $4)", serde_json::json!([case.expression, times[0], times[1], times[2]]))
        }
    };
    // A number in JSON would be read one off in its last digit, now and then.
    let columns = "ts, cluster, name, labels, value::text AS value, histogram";
    let request = serde_json::json!({"query": format!("SELECT {columns} FROM {call}"), "params": params});
    let request = Request::post("/api/v1/sql").body(Body::from(request.to_string())).unwrap();
    let response = api.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let Ok(body) = to_bytes(response.into_body(), 64 << 20).await else {
        return (expected["status"] == "success").then(|| "the answer of SQL breaks off".to_owned());
    };
    let found: Value = serde_json::from_slice(&body).unwrap();
    if expected["status"] != "success" || expected["data"]["resultType"] == "string" {
        // A parameter that the API names is an argument of SQL, which has another name.
        let told = expected["error"].as_str().unwrap_or("which has no series: ask for a vector or a scalar");
        let told = told.strip_prefix("invalid parameter \"query\": ").unwrap_or(told);
        let fits = status.is_client_error() && found["message"].as_str().is_some_and(|message| message.ends_with(told));
        let of_argument =
            ["invalid parameter", "exceeded maximum resolution"].iter().any(|other| told.starts_with(other));
        return (!(fits || of_argument && status.is_client_error()))
            .then(|| format!("expected the error {told:?}, found {found}"));
    }
    for key in ["warnings", "infos"] {
        if found[key] != expected[key] {
            return Some(format!("expected {key} {}, found {}", expected[key], found[key]));
        }
    }
    let Some(rows) = found["rows"].as_array() else { return Some(format!("found {found}")) };
    let (mut found, mut expected) = (rows.iter().map(row).collect::<Vec<_>>(), rows_of(&expected["data"]));
    found.sort();
    expected.sort();
    (found != expected).then(|| format!("expected rows {expected:#?}\nfound {found:#?}"))
}

/// A row of SQL.
fn row(row: &Value) -> Row {
    let texts = row["labels"].as_object().unwrap().iter();
    let mut labels: BTreeMap<String, String> =
        texts.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    for (column, label) in [("cluster", "cluster"), ("name", "__name__")] {
        let value = row[column].as_str().unwrap();
        if !value.is_empty() {
            labels.insert(label.to_owned(), value.to_owned());
        }
    }
    let time = chrono::DateTime::parse_from_rfc3339(row["ts"].as_str().unwrap()).unwrap();
    let value = match (&row["value"], &row["histogram"]) {
        (Value::Null, Value::String(histogram)) => serde_json::from_str::<Value>(histogram).unwrap().to_string(),
        (Value::String(number), Value::Null) => number_text(number.parse().unwrap()),
        other => panic!("neither a number nor a histogram: {other:?}"),
    };
    (labels, time.timestamp_millis(), value)
}

fn number_text(number: f64) -> String {
    format!("{number:?}")
}

/// The values of an answer of the API.
fn rows_of(data: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut push = |labels: &BTreeMap<String, String>, point: &Value| {
        let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
        let value = match &point[1] {
            Value::String(number) => number_text(number.parse().unwrap()),
            histogram => histogram.to_string(),
        };
        rows.push((labels.clone(), time_ms, value));
    };
    if data["resultType"] == "scalar" {
        push(&BTreeMap::new(), &data["result"]);
        return rows;
    }
    for series in data["result"].as_array().unwrap() {
        let texts = series["metric"].as_object().unwrap().iter();
        let labels = texts.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        for key in ["value", "histogram"] {
            series.get(key).iter().for_each(|point| push(&labels, point));
        }
        for key in ["values", "histograms"] {
            series[key].as_array().iter().flat_map(|points| points.iter()).for_each(|point| push(&labels, point));
        }
    }
    rows
}
