//! SQL over a real store: the same answers before and after a cut, with late and rewritten samples.

#![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use model::batch::{BatchBuilder, Kind, STALE_NAN_BITS};
use model::files::Disk;
use model::time::ManualClock;
use model::{Ingest, Sources};
use parking_lot::RwLock;
use query::{Config, Engine, Params, Parts};
use storage::Store;

/// 2026-01-01T12:00:00Z.
const NOON: i64 = 1_767_268_800_000;
const HOUR: i64 = 3_600_000;

async fn ask(engine: &Engine, sql: &str) -> String {
    let rows = engine.sql(sql, Params::None).await.unwrap();
    let batches: Vec<_> = rows.try_collect().await.unwrap();
    let options = FormatOptions::new();
    let mut lines = Vec::new();
    for batch in &batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            lines.push(columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join(","));
        }
    }
    lines.join("\n")
}

/// Samples of two series in each of two clusters, every 15 s for an hour before `until`.
async fn write(store: &Store, until: i64, offset: f64) {
    for cluster in ["east", "west"] {
        let mut batch = BatchBuilder::default();
        for cpu in ["0", "1"] {
            let series = batch.series("cpu", &[("cpu", cpu), ("mode", "idle")], Kind::Counter);
            for step in 0..240 {
                batch.sample(series, until - HOUR + step * 15_000, step as f64 / 10.0 + offset);
            }
        }
        store.write(batch.build().stamped(cluster.into())).await.unwrap();
    }
}

async fn one(store: &Store, time_ms: i64, value: f64) {
    let mut batch = BatchBuilder::default();
    let series = batch.series("cpu", &[("cpu", "0"), ("mode", "idle")], Kind::Counter);
    batch.sample(series, time_ms, value);
    store.write(batch.build().stamped("east".into())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_change_when_rows_move() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOON));
    let config =
        storage::Config { url: folder.path().join("data").display().to_string(), ..storage::Config::default() };
    let parts = storage::store::Parts { files: Arc::new(Disk), clock: clock.clone() };
    let store = Store::open(config, parts).await.unwrap();
    let parts = Parts {
        store: store.clone(),
        clusters: Arc::new(RwLock::new(Vec::new())),
        sources: Sources::default(),
        clock: clock.clone(),
    };
    let engine = Engine::new(Config::default(), parts).unwrap();
    let queries = [
        "SELECT count(*), min(ts), max(ts), sum(value) FROM metrics",
        "SELECT cluster, labels['cpu'], count(*), max(value) FROM metrics WHERE name = 'cpu' GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT ts, value FROM metric.cpu WHERE cluster = 'east' AND cpu = '0' AND ts BETWEEN '2026-01-01T11:00:00Z' AND '2026-01-01T11:01:00Z' ORDER BY ts",
        "SELECT name, cluster, labels['mode'] FROM metrics WHERE labels['cpu'] ~ '^1' GROUP BY 1, 2, 3 ORDER BY 2",
    ];
    let all = async || {
        let mut answers = Vec::new();
        for query in queries {
            answers.push(ask(&engine, query).await);
        }
        answers
    };
    assert_eq!(ask(&engine, queries[0]).await, "0,,,");
    write(&store, NOON, 0.05).await;
    let before = all().await;
    assert!(before[0].starts_with("960,2026-01-01T11:00:00Z,2026-01-01T11:59:45Z"), "{before:?}");
    clock.advance(HOUR / 2);
    store.cut().await.unwrap();
    assert!(store.snapshot().blocks(storage::Table::Samples).iter().map(|b| b.rows).sum::<u64>() > 0);
    assert_eq!(all().await, before, "after the first cut");
    // A rewritten sample, one late, one marker in place of a sample; then the same as blocks.
    one(&store, NOON - HOUR + 15_000, 0.123).await;
    one(&store, NOON - 30 * HOUR, 7.5).await;
    one(&store, NOON - HOUR + 30_000, f64::from_bits(STALE_NAN_BITS)).await;
    let rewritten = all().await;
    assert!(rewritten[0].starts_with("960,2025-12-31T06:00:00Z"), "one more, one less: {rewritten:?}");
    let minute =
        "2026-01-01T11:00:00Z,0.05\n2026-01-01T11:00:15Z,0.123\n2026-01-01T11:00:45Z,0.35\n2026-01-01T11:01:00Z,0.45";
    assert_eq!(rewritten[2], minute);
    store.cut().await.unwrap();
    assert_eq!(all().await, rewritten, "after the second cut");
    assert_eq!(ask(&engine, "SELECT count(*) FROM samples").await, "963");
    store.close().await.unwrap();
}
