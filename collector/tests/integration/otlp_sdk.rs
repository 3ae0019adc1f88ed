//! A real sender: OpenTelemetry's SDK for Python, over both protocols.

use std::path::PathBuf;
use std::process::Command;

use collector::config::OtlpConfig;

use crate::otlp::Served;

/// The Python that `scripts/setup` has made.
fn python() -> PathBuf {
    let given = std::env::var_os("FLEETSCOPE_VENV").map(PathBuf::from);
    let venv = given.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/fleetscope/venv"));
    venv.join("bin/python3")
}

/// What an application that sends twice leaves in the store, times left aside.
async fn rows_of(protocol: &str, temporality: &str, compression: &str) -> Vec<String> {
    let served = Served::start(OtlpConfig::default()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/otlp_sdk.py");
    let address = served.address.to_string();
    let mut command = Command::new(python());
    command.args([script, protocol, &address, temporality, compression]);
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("the Python of `make setup`");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success() && said.is_empty(), "{said}");
    assert_eq!(served.bench.status().error, None);
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
