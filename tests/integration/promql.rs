//! PromQL beside Debian's Prometheus 2.42: the same samples in both, the same queries, the same answers; and its clients
//! (those that read all samples are in `clients`).
//!
//! What 3.x does otherwise than 2.42 is kept out by the data: no sample lies on a multiple of a second, so that it makes no
//! difference whether a range is open on the left.

mod clients;
mod data;
mod expressions;
mod random;

use std::collections::BTreeMap;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::peers::Prometheus;
use crate::remote_write::{HEADERS, body, write};
use crate::server::{Server, Setup};

/// Numbers may differ by this part of the larger one.
const TOLERANCE: f64 = 1e-9;
/// Steps of a range query.
const STEP_SECONDS: i64 = 60;

/// The series of an answer by their labels, and of each the values by time in milliseconds.
type Series = BTreeMap<String, BTreeMap<i64, f64>>;

async fn post(url: &str, parameters: &[(&str, String)]) -> Value {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let request =
        reqwest::Client::new().post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The answer of a range query, or the error.
async fn range(url: &str, expression: &str, (start, end): (i64, i64)) -> Result<Series, String> {
    let parameters = [
        ("query", expression.to_owned()),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("step", STEP_SECONDS.to_string()),
    ];
    let answer = post(&format!("{url}/api/v1/query_range"), &parameters).await;
    if answer["status"] != "success" {
        return Err(answer["error"].to_string());
    }
    let number = |text: &Value| text.as_str().unwrap().parse::<f64>().unwrap();
    let mut found = Series::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let point = |point: &Value| ((point[0].as_f64().unwrap() * 1000.0).round() as i64, number(&point[1]));
        let points = series["values"].as_array().unwrap().iter().map(point).collect();
        assert!(found.insert(series["metric"].to_string(), points).is_none(), "{expression}: a series twice");
    }
    Ok(found)
}

fn is_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// What the first difference of two answers is.
fn difference(ours: &Series, theirs: &Series) -> Option<String> {
    for (labels, points) in theirs {
        let Some(found) = ours.get(labels) else { return Some(format!("{labels} is missing")) };
        for (time_ms, value) in points {
            match found.get(time_ms) {
                Some(ours) if is_same(*ours, *value) => {}
                ours => return Some(format!("{labels} at {time_ms}: {ours:?}, Prometheus has {value}")),
            }
        }
        if let Some(time_ms) = found.keys().find(|time_ms| !points.contains_key(time_ms)) {
            return Some(format!("{labels} at {time_ms}: Prometheus has nothing"));
        }
    }
    let more = ours.keys().find(|labels| !theirs.contains_key(*labels));
    more.map(|labels| format!("{labels}: Prometheus has no such series"))
}

/// What comes of asking both.
enum Outcome {
    /// The same answer.
    Same { is_empty: bool },
    /// Both have refused it.
    BothErrors,
    /// What the first difference is.
    Different(String),
}

/// Our server and a Prometheus that have the same samples.
struct Beside {
    server: Server,
    prometheus: Prometheus,
    data: data::Data,
    _folder: TempDir,
}

impl Beside {
    async fn start() -> Self {
        let folder = tempdir().unwrap();
        let prometheus = Prometheus::start_receiving(&folder.path().join("prometheus")).await;
        // Cuts come while the samples do: some are in blocks, some in the head.
        let server = Server::start(&Setup::new(folder.path(), "storage: {cut_every: 2s}\n")).await;
        let data = data::Data::new();
        for part in data.in_parts() {
            let series: Vec<_> = part.iter().map(|(labels, samples)| (labels.as_slice(), samples.as_slice())).collect();
            let bytes = body(&series);
            let (status, text) = server.post("/api/v1/write", &HEADERS, bytes.clone()).await;
            assert!(status.is_success(), "{status}: {text}");
            let push = reqwest::Client::new().post(format!("{}/api/v1/write", prometheus.url));
            let push = HEADERS.iter().fold(push, |push, (name, value)| push.header(*name, *value));
            let answer = push.body(bytes).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
        Beside { server, prometheus, data, _folder: folder }
    }

    /// Asks both over all of the data.
    async fn compare(&self, expression: &str) -> Outcome {
        let ours = range(&self.server.url("/prometheus"), expression, self.data.range()).await;
        let theirs = range(&self.prometheus.url, expression, self.data.range()).await;
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => match difference(&ours, &theirs) {
                Some(what) => Outcome::Different(what),
                None => Outcome::Same { is_empty: theirs.is_empty() },
            },
            (Err(_), Err(_)) => Outcome::BothErrors,
            (ours, theirs) => Outcome::Different(format!("{ours:?}, Prometheus: {theirs:?}")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn range_queries_are_answered_as_by_prometheus() {
    let beside = Beside::start().await;
    let expressions = expressions::all();
    assert!(expressions.len() >= 600, "{} expressions", expressions.len());
    let (mut wrong, mut empty) = (Vec::new(), 0);
    for expression in &expressions {
        match beside.compare(expression).await {
            Outcome::Same { is_empty } => empty += usize::from(is_empty),
            Outcome::BothErrors => {}
            Outcome::Different(what) => wrong.push(format!("{expression}: {what}")),
        }
    }
    println!("{} expressions, {empty} of them with an empty answer, {} wrong", expressions.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), expressions.len(), wrong.join("\n"));
    assert!(empty * 10 < expressions.len(), "{empty} empty answers say little");
    beside.server.terminate().await;
}

/// Gives the server all samples.
async fn fill(server: &Server, data: &data::Data) {
    for part in data.in_parts() {
        let series: Vec<_> = part.iter().map(|(labels, samples)| (labels.as_slice(), samples.as_slice())).collect();
        write(server, &series).await;
    }
}

fn promtool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).output().expect("promtool comes with Debian's prometheus");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_asks_us_as_it_asks_prometheus() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    let data = data::Data::new();
    fill(&server, &data).await;
    let (start, end) = data.range();
    let middle = ((start + end) / 2).to_string();
    let (url, start, end) = (server.url("/prometheus"), start.to_string(), end.to_string());
    let asked = |arguments: &[&str]| {
        let (success, text) = promtool(arguments);
        assert!(success, "promtool {arguments:?}: {text}");
        text
    };
    let time = format!("--time={middle}");
    let instant = asked(&["query", "instant", &time, &url, "count by (cluster) (up)"]);
    assert!(instant.contains(r#"{cluster="berlin"} => 3"#), "{instant}");
    let (from, to) = (format!("--start={start}"), format!("--end={end}"));
    let matrix = asked(&["query", "range", &from, &to, "--step=1m", &url, "sum(rate(requests_total[5m]))"]);
    assert!(matrix.lines().count() > 10, "{matrix}");
    let series = asked(&["query", "series", &from, &to, "--match=up{cluster=\"berlin\"}", &url]);
    assert_eq!(series.lines().count(), 3, "{series}");
    let labels = asked(&["query", "labels", &from, &to, &url, "cluster"]);
    assert_eq!(labels.lines().collect::<Vec<_>>(), ["berlin", "dublin"]);
    let (success, text) = promtool(&["query", "instant", &url, "sum("]);
    assert!(!success && text.contains("parse error"), "{text}");
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grafana_sends_first_is_answered() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    let (status, text) = server.get("/prometheus/api/v1/query?query=1%2B1&time=4").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text, r#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#);
    let (_, text) = server.get("/prometheus/api/v1/status/buildinfo").await;
    let build: Value = serde_json::from_str(&text).unwrap();
    assert!(build["data"]["version"].is_string() && build["data"].get("features").is_none(), "{text}");
    for (path, says) in [
        ("query?query=foo%20bar", "invalid parameter \\\"query\\\": 1:5: parse error"),
        ("query_range?query=up&start=2&end=1&step=1", "end timestamp must not be before start time"),
        ("query_range?query=up&start=0&end=1&step=0", "zero or negative query resolution step widths"),
        ("query_range?query=up&start=0&end=11001&step=1", "exceeded maximum resolution of 11,000 points"),
        ("query_range?query=up%5B5m%5D&start=0&end=1&step=1", "invalid expression type"),
        ("query?query=up&time=yesterday", "invalid parameter \\\"time\\\""),
        ("series", "no match[] parameter provided"),
        ("series?match[]=%7B%7D", "match[]"),
        ("labels?limit=-1", "limit must be non-negative"),
    ] {
        let (status, text) = server.get(&format!("/prometheus/api/v1/{path}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {text}");
        assert!(text.contains(r#""errorType":"bad_data""#) && text.contains(says), "{path}: {text}");
    }
    let (status, _) = server.get("/prometheus/api/v1/status/flags").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "Grafana takes whoever has flags for a Thanos");
    server.terminate().await;
}
