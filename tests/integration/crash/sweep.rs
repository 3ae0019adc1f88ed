//! One short life, the same each time, broken off or hurt at every file call there is.
//!
//! By default at every so-many-th call, from a drawn one on; `make chaos` sets FLEETSCOPE_STRIDE=1.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::json;
use tempfile::tempdir;

use super::{random, setting};
use crate::otlp_json;
use crate::peers::program;
use crate::remote_write::{HEADERS, Series, body, now_ms};
use crate::server::{Server, Setup};

/// Cuts come with the end of the process only, so that the calls are the same each time.
const YAML: &str = "storage: {cut_every: 15m, retention: 3650d}\n";
const REQUESTS: u32 = 3;
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const DAY_MS: i64 = 86_400_000;
/// What happens at a call, which calls are counted, and how often it is done more rarely than at every call.
const WAYS: [(&str, &str, &str, u64); 3] = [
    ("kill before", "change", "before,kill", 1),
    ("kill after", "change", "after,kill", 1),
    ("EIO", "any", "before,eio", 2),
];

/// The value of sample `at` of a request: no other has it.
fn value(request: u32, at: u32) -> u32 {
    request * 100 + at
}

/// Two series of five samples each, one of them two days late.
fn request(request: u32) -> Vec<u8> {
    let now_ms = 1_795_342_800_000 + i64::from(request) * 15_000;
    let samples = |from: u32| -> Vec<(i64, f64)> {
        (from..from + 5)
            .map(|at| {
                let late_ms = if at % 5 == 4 { 2 * DAY_MS } else { 0 };
                (now_ms + i64::from(at) - late_ms, f64::from(value(request, at)))
            })
            .collect()
    };
    let (first, second) = (samples(0), samples(5));
    let name = ("__name__", "sweep");
    let number = request.to_string();
    let series: [Series<'_>; 2] =
        [(&[("__name__", "sweep"), ("cluster", "a")], &first), (&[name, ("cluster", "b"), ("n", &number)], &second)];
    body(&series)
}

/// A number that was added, as OTLP says it in JSON. No two sums of some of them are the same. They are of today: sums are not
/// looked for where they are old.
fn delta(begin_ms: i64, request: u32) -> Vec<u8> {
    let time_ms = begin_ms + i64::from(request);
    let (value, labels) = (1 << request, r#"[{"key":"cluster","value":{"stringValue":"a"}}]"#);
    let point = format!(r#"{{"attributes":{labels},"timeUnixNano":"{time_ms}000000","asInt":"{value}"}}"#);
    let sum = format!(r#"{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{point}]}}"#);
    let metrics = format!(r#"[{{"name":"sweep_delta","sum":{sum}}}]"#);
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":{metrics}}}]}}]}}"#).into_bytes()
}

/// Logs and spans, each told from the others by a number: where they are sent, the table, the column of the number.
const RECORDS: [(&str, &str, &str); 2] = [("/v1/logs", "logs", "body"), ("/v1/traces", "spans", "name")];

/// Two log rows or spans, one of them two days late, as OTLP says them in JSON.
fn records(table: &str, begin_ms: i64, request: u32) -> Vec<u8> {
    let row = |at: u32| {
        let (number, time_ms) = (value(request, at), begin_ms + i64::from(request) - i64::from(at) * 2 * DAY_MS);
        let time = format!("{time_ms}000000");
        match table {
            "logs" => json!({ "timeUnixNano": time, "body": { "stringValue": number.to_string() } }),
            _ => json!({
                "traceId": format!("{:032x}", number + 1), "spanId": format!("{:016x}", number + 1),
                "name": number.to_string(), "startTimeUnixNano": time,
            }),
        }
    };
    let names = if table == "logs" { otlp_json::LOGS } else { otlp_json::SPANS };
    otlp_json::request(names, [(otlp_json::attributes(&[("service.name", "sweep")]), vec![row(0), row(1)])])
}

/// What a first life came to.
#[derive(Debug, Default)]
struct Life {
    /// The values that were acknowledged.
    acknowledged: BTreeSet<u32>,
    /// The numbers of logs and of spans that were.
    records: [BTreeSet<u32>; 2],
    /// How many deltas were: the first ones, since one that is not waits for its turn, and those behind it too.
    deltas: u32,
    stderr: String,
}

/// Lives once under a rule, then without; nothing acknowledged may be lost and nothing be there twice. Deltas that were not
/// acknowledged are sent again, and each must count once. True if the rule was met.
async fn broken_off(rule: &str) -> bool {
    let folder = tempdir().unwrap();
    let setup = Setup::new(folder.path(), YAML).with_binary(program("faulty-server"));
    let begin_ms = now_ms() - 1000;
    let Life { acknowledged, records, deltas, stderr } =
        first_life(&setup.clone().with_env("FLEETSCOPE_FAULTS", rule), begin_ms).await;
    assert!(!stderr.contains("panicked"), "{rule}: {stderr}");
    let server = Server::start(&setup).await;
    for n in deltas..REQUESTS {
        let (status, text) = server.post("/v1/metrics", &JSON, delta(begin_ms, n)).await;
        assert!(status.is_success(), "{rule}: {status} {text}");
    }
    let value = "coalesce(value, mantissa / power(10e0, scale))";
    let rows = server.rows(&format!("SELECT {value} FROM samples WHERE name = 'sweep'")).await;
    let mut found: Vec<Vec<u32>> = Vec::new();
    for (_, table, column) in RECORDS {
        let rows = server.rows(&format!("SELECT {column} FROM {table} WHERE service = 'sweep'")).await;
        found.push(rows.iter().map(|row| row[0].parse::<u32>().unwrap()).collect());
    }
    let sums =
        server.rows(&format!("SELECT {value} FROM samples WHERE name = 'sweep_delta_total' ORDER BY time_ms")).await;
    server.terminate().await;
    assert_eq!(sums.concat(), ["1.0", "3.0", "7.0"], "{rule}: {deltas} deltas were acknowledged: {stderr}");
    let stored: Vec<u32> = rows.iter().map(|row| row[0].parse::<f64>().unwrap() as u32).collect();
    let of_samples = check("samples", &stored, 10, &acknowledged);
    let of_records = RECORDS
        .iter()
        .zip(&found)
        .zip(&records)
        .map(|(((_, table, _), stored), acknowledged)| check(table, stored, 2, acknowledged));
    let checked = of_records.fold(of_samples, Result::and);
    checked.unwrap_or_else(|wrong| panic!("{rule}: {wrong}: {stderr}"));
    stderr.contains("fault: ")
}

/// Holds the numbers of the rows of a table, so many a request, against those that were acknowledged: each sent request counts
/// once or not at all, since none was sent again.
fn check(table: &str, stored: &[u32], of_request: u32, acknowledged: &BTreeSet<u32>) -> Result<(), String> {
    let distinct: BTreeSet<u32> = stored.iter().copied().collect();
    let sent: BTreeSet<u32> = (0..REQUESTS).flat_map(|n| (0..of_request).map(move |at| value(n, at))).collect();
    let lost: Vec<&u32> = acknowledged.difference(&distinct).collect();
    if stored.len() != distinct.len() {
        return Err(format!("a row of {table} is there twice: {stored:?}"));
    }
    if !distinct.is_subset(&sent) {
        return Err(format!("nobody sent that to {table}: {stored:?}"));
    }
    if lost.is_empty() { Ok(()) } else { Err(format!("{table} lost {lost:?}")) }
}

async fn first_life(setup: &Setup, begin_ms: i64) -> Life {
    let mut life = Life::default();
    let mut server = match Server::spawn(setup) {
        Ok(server) => server,
        Err(stderr) => {
            assert!(stderr.contains("fault: "), "does not start: {stderr}");
            return Life { stderr, ..life };
        }
    };
    if server.becomes_ready().await {
        let client = reqwest::Client::new();
        let is_taken = async |path: &str, headers: &[(&str, &str)], body: Vec<u8>| {
            let post = client.post(server.url(path)).body(body);
            let post = headers.iter().fold(post, |post, (name, value)| post.header(*name, *value));
            post.send().await.is_ok_and(|answer| answer.status().is_success())
        };
        for n in 0..REQUESTS {
            if is_taken("/api/v1/write", &HEADERS, request(n)).await {
                life.acknowledged.extend((0..10).map(|at| value(n, at)));
            }
            for ((path, table, _), taken) in RECORDS.iter().zip(&mut life.records) {
                if is_taken(path, &JSON, records(table, begin_ms, n)).await {
                    taken.extend((0..2).map(|at| value(n, at)));
                }
            }
            if life.deltas == n && is_taken("/v1/metrics", &JSON, delta(begin_ms, n)).await {
                life.deltas += 1;
            }
        }
        if server.is_alive() {
            server.signal(Signal::TERM);
        }
    }
    server.ended().await;
    Life { stderr: server.stderr(), ..life }
}

#[tokio::test]
async fn crash_at_every_call_loses_and_doubles_nothing() {
    let (stride, mut random) = (setting("FLEETSCOPE_STRIDE", 29), random());
    for (name, calls, what, times) in WAYS {
        let stride = if stride == 1 { 1 } else { stride * times };
        let (mut call, mut hits) = (random.between(1, stride), 0);
        while broken_off(&format!("{calls},/store/,{call},{what}")).await {
            hits += 1;
            call += stride;
        }
        assert!(hits > 1, "{name}: a life of {call} calls is none");
        println!("chaos: {name} at {hits} calls up to call {call}, one in {stride}, none lost, none doubled");
    }
}
