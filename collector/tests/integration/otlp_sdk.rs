//! A real sender: OpenTelemetry's SDK for Python, over both protocols.

use std::path::PathBuf;
use std::process::Command;

use collector::config::OtlpConfig;

use crate::otlp::Served;

/// When the first span of the script starts.
const START: i64 = 1_700_000_000_000_000_000;

/// The Python that `scripts/setup` has made.
fn python() -> PathBuf {
    let given = std::env::var_os("FLEETSCOPE_VENV").map(PathBuf::from);
    let venv = given.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/fleetscope/venv"));
    venv.join("bin/python3")
}

/// Receivers to which an application has sent.
async fn sent_to(script: &str, protocol: &str, further: &[&str]) -> Served {
    let served = Served::start(OtlpConfig::default()).await;
    let script = format!("{}/tests/integration/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python());
    command.args([&script, protocol, &served.address.to_string()]).args(further);
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("the Python of `make setup`");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success() && said.is_empty(), "{said}");
    let board = served.bench.sources.all();
    assert!(!board.is_empty() && board.iter().all(|status| status.error.is_none()), "{board:?}");
    served
}

/// What an application that sends twice leaves in the store, times left aside.
async fn rows_of(protocol: &str, temporality: &str, compression: &str) -> Vec<String> {
    let served = sent_to("otlp_sdk.py", protocol, &[temporality, compression]).await;
    let text = |row: &str| row.rsplit_once(' ').unwrap().0.replace("instance=1,job=shop", "…");
    served.rows().iter().map(|row| text(row)).collect()
}

#[tokio::test]
async fn what_an_application_sends_is_there() {
    let target = "target_info{…,region=north} 1";
    let expected = |orders: u32, count: u32, below: u32| {
        let duration = |suffix: &str, value: u32| format!("duration_seconds{suffix} {value}");
        vec![
            format!("orders_total{{…,shop_kind=book}} {orders}"),
            duration("_count{…}", count),
            duration("_sum{…}", orders),
            duration("_bucket{…,le=0.5}", 0),
            duration("_bucket{…,le=2}", below),
            duration("_bucket{…,le=+Inf}", count),
        ]
    };
    for (protocol, temporality, compression) in [
        ("http", "cumulative", "none"),
        ("http", "delta", "gzip"),
        ("grpc", "cumulative", "gzip"),
        ("grpc", "delta", "none"),
    ] {
        let mut rows = rows_of(protocol, temporality, compression).await;
        let told = rows.iter().filter(|row| row.starts_with(target)).count();
        rows.retain(|row| !row.starts_with(target));
        let mut wanted = [expected(1, 1, 1), expected(3, 2, 2)].concat();
        wanted.extend(["open_orders{…} -2", "open_orders{…} 1"].map(str::to_owned));
        // At its end the program sends once more: cumulative sums as they were, deltas of nothing.
        for rows in [&mut rows, &mut wanted] {
            rows.sort();
            rows.dedup();
        }
        assert_eq!((rows, told >= 2), (wanted, true), "{protocol}, {temporality}, {compression}");
    }
}

/// What is said of a row, sorted by key.
fn joined<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs: Vec<String> = attributes.map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    pairs.join(",")
}

#[tokio::test]
async fn log_records_and_spans_of_an_application_are_there_field_by_field() {
    for (protocol, compression) in [("http", "gzip"), ("http", "none"), ("grpc", "gzip"), ("grpc", "none")] {
        let served = sent_to("otlp_sdk_records.py", protocol, &[compression]).await;
        let (all_logs, all_spans) = (served.bench.recorder.logs(), served.bench.recorder.spans());
        let ([logs], [spans]) = (&all_logs[..], &all_spans[..]) else { panic!("{all_logs:?} {all_spans:?}") };
        let [order, refund] = [0, 1].map(|n| spans.row(n));
        assert_eq!((order.name, refund.name, spans.len()), ("order", "refund", 2));
        assert_eq!((order.kind, order.status_code, order.status_message), (2, 2, "out of stock"));
        assert_eq!((order.start_time_unix_nano, order.duration_nano), (START, 100));
        assert_eq!((refund.start_time_unix_nano, refund.duration_nano), (START + 200, 50));
        assert_eq!(joined(spans.attributes.row(0)), "items=2,route=/orders");
        assert_eq!((spans.events.of(0), spans.events.time_unix_nano[0]), (0..1, START + 5));
        assert_eq!(joined(spans.events.attributes.row(0)), "attempt=3");
        assert_eq!(
            (spans.links.of(1), spans.links.trace_id[0], spans.links.span_id[0]),
            (0..1, order.trace_id, order.span_id)
        );
        assert_eq!(joined(spans.links.attributes.row(0)), "why=late");

        assert_eq!(logs.len(), 2);
        for (n, line) in [(0, "out of stock"), (1, r#"{"item":"A-7","left":0}"#)] {
            let row = logs.row(n);
            assert_eq!((row.body, row.severity_number, row.severity_text), (line, 17, "ERROR"));
            assert_eq!((row.time_unix_nano, row.observed_time_unix_nano), (START + n as i64, START + 9));
            assert_eq!((row.trace_id, row.span_id, row.flags & 1), (order.trace_id, order.span_id, 1));
            assert_eq!(joined(logs.attributes.row(n)), format!("count={n},sku=A-7"));
        }
        for (resource, scope) in [
            (logs.resources.get(0), logs.scopes.get(logs.scope[0])),
            (spans.resources.get(0), spans.scopes.get(spans.scope[0])),
        ] {
            let (resource, scope) = (resource.unwrap(), scope.unwrap());
            let columns = [&resource.cluster, &resource.service, &resource.namespace].map(|column| &**column);
            assert_eq!((columns, scope.name.as_str()), (["rome", "shop", "prod"], "sender"));
        }
    }
}
