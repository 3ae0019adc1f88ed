//! Other readers of our tables: deltalake and DuckDB, from PyPI.

use tempfile::tempdir;

use crate::peers::python;
use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

#[tokio::test]
async fn deltalake_and_duckdb_read_the_tables_without_us() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "storage: {retention: 1000d}\n")).await;
    let now = now_ms();
    let samples: Vec<(i64, f64)> = (0..100).map(|n| (now - n * 15_000, n as f64 / 10.0)).collect();
    let odd =
        [(now, f64::INFINITY), (now - 1, -0.0), (now - 2, f64::from_bits(0x7ff0_0000_0000_0002)), (now - 3, 1e300)];
    write(
        &server,
        &[
            (&[("__name__", "decimal"), ("cluster", "berlin"), ("host", "a")], &samples),
            (&[("__name__", "odd"), ("cluster", "berlin")], &odd),
        ],
    )
    .await;
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
    }
}
