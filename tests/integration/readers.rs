//! Other readers of our tables: deltalake and DuckDB, from PyPI.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::otlp_json::{LOGS, SPANS, attributes, request};
use crate::peers::python;
use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

const STALE_NAN: f64 = f64::from_bits(0x7ff0_0000_0000_0002);
const DAY_MS: i64 = 86_400_000;

/// Runs the documented query for other engines in DuckDB and holds its rows against the answer of our SQL, bit for bit. The
/// server must have all rows in blocks. Returns the counts of both.
pub(crate) fn deduplicate(server: &Server, store: &Path) -> serde_json::Value {
    let tables = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("docs/formats/tables.md");
    let out = python("deduplicate.py", &[&server.url(""), store.to_str().unwrap(), tables.to_str().unwrap()]);
    serde_json::from_str(&out).unwrap()
}

#[tokio::test]
async fn deltalake_and_duckdb_read_the_tables_without_us() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "storage: {retention: 1000d}\n")).await;
    let now = now_ms();
    let samples: Vec<(i64, f64)> = (0..100).map(|n| (now - n * 15_000, n as f64 / 10.0)).collect();
    let odd = [(now, f64::INFINITY), (now - 1, -0.0), (now - 2, STALE_NAN), (now - 3, 1e300)];
    write(
        &server,
        &[
            (&[("__name__", "decimal"), ("cluster", "berlin"), ("host", "a")], &samples),
            (&[("__name__", "odd"), ("cluster", "berlin")], &odd),
        ],
    )
    .await;
    for (path, body) in [("/v1/logs", lines(now)), ("/v1/traces", spans(now))] {
        let (status, text) = server.post(path, &[("content-type", "application/json")], body).await;
        assert!(status.is_success(), "{path}: {status} {text}");
    }
    server.terminate().await;
    let store = folder.path().join("store");
    let out = python("read_tables.py", &[store.to_str().unwrap()]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    for reader in ["deltalake", "duckdb"] {
        let found = &found[reader];
        assert_eq!(found["rows"], 104, "{found}");
        assert_eq!(found["series"], 2, "{found}");
        // A row with neither value nor mantissa is the staleness marker.
        assert_eq!(found["stale"], 1, "{found}");
        assert!((found["sum_of_decimal"].as_f64().unwrap() - 495.0).abs() < 1e-9, "{found}");
        let resource = json!({ "service.name": "shop", "service.version": "1.2" });
        let row = |time_ms: i64, text: &str, attributes: Value| {
            json!({
                "time": time_ms * 1_000_000 + 123_456, "text": text, "cluster": "berlin", "service": "shop",
                "trace_id": TRACE_ID, "span_id": SPAN_ID, "attributes": attributes, "resource": resource,
            })
        };
        let lines = [
            row(now - DAY_MS, "a late line", json!({})),
            row(now, "a line with \u{1b}[31mcolours", json!({ "code": "500", "user": "ümit" })),
        ];
        assert_eq!(found["logs"], json!(lines), "{reader}");
        assert_eq!(found["spans"], json!([row(now, "GET /cart", json!({ "http.route": "/cart" }))]), "{reader}");
    }
}

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID: &str = "b7ad6b7169203331";

/// What every record of the test has, by the name that OTLP has for it.
fn record(time_key: &str, time_ms: i64, pairs: &[(&str, &str)]) -> Value {
    json!({
        time_key: format!("{}", time_ms * 1_000_000 + 123_456), "traceId": TRACE_ID, "spanId": SPAN_ID,
        "attributes": attributes(pairs),
    })
}

/// The resource of all records.
fn resource() -> Value {
    attributes(&[("service.name", "shop"), ("k8s.cluster.name", "berlin"), ("service.version", "1.2")])
}

/// Two lines, one of the day before.
fn lines(now: i64) -> Vec<u8> {
    let mut first = record("timeUnixNano", now, &[("code", "500"), ("user", "ümit")]);
    first["body"] = json!({ "stringValue": "a line with \u{1b}[31mcolours" });
    let mut second = record("timeUnixNano", now - DAY_MS, &[]);
    second["body"] = json!({ "stringValue": "a late line" });
    request(LOGS, [(resource(), vec![first, second])])
}

fn spans(now: i64) -> Vec<u8> {
    let mut span = record("startTimeUnixNano", now, &[("http.route", "/cart")]);
    span["name"] = json!("GET /cart");
    span["endTimeUnixNano"] = span["startTimeUnixNano"].clone();
    request(SPANS, [(resource(), vec![span])])
}

#[tokio::test]
async fn the_documented_query_gives_duckdb_each_series_and_time_once_with_its_newest_value() {
    let folder = tempdir().unwrap();
    let setup = Setup::new(folder.path(), "storage: {retention: 1000d}\n");
    let now = now_ms();
    let times: Vec<i64> = (0..40).map(|n| now - n * 15_000).chain((1..=40).map(|day| now - day * DAY_MS)).collect();
    let lives: i64 = 4;
    for life in 0..lives {
        let server = Server::start(&setup).await;
        // In each life another part of the rows anew, and in one of them some twice.
        let again = |n: usize| life == 0 || n as i64 % lives == life;
        for round in 0..=i64::from(life == 2) {
            let value = |n: usize| match (n + life as usize + round as usize) % 7 {
                0 => STALE_NAN,
                1 => -0.0,
                2 => f64::NEG_INFINITY,
                3 => f64::from_bits(0x7ff8_0000_0000_0001),
                4 => 1e300 / (life + 1) as f64,
                _ => (n as i64 * 100 + life * 10 + round) as f64 / 1000.0,
            };
            let samples = |offset: usize| -> Vec<(i64, f64)> {
                let rows = times.iter().enumerate().filter(|(n, _)| again(n + offset));
                rows.map(|(n, time)| (*time, value(n + offset))).collect()
            };
            let (first, second) = (samples(0), samples(1));
            let series = [("__name__", "rewritten"), ("cluster", "berlin"), ("host", "a")];
            write(&server, &[(&series, &first), (&[("__name__", "rewritten"), ("cluster", "dublin")], &second)]).await;
        }
        server.terminate().await;
    }
    let server = Server::start(&setup).await;
    let store = folder.path().join("store");
    let compared = deduplicate(&server, &store);
    assert_eq!(compared["keys"], 2 * times.len(), "{compared}");
    assert!(compared["physical"].as_u64() > compared["keys"].as_u64(), "nothing was rewritten: {compared}");
    assert!(compared["stale"].as_u64() > Some(0), "{compared}");
    assert_eq!((&compared["different"], &compared["ours"]), (&0.into(), &compared["values"]), "{compared}");
    server.terminate().await;
}
