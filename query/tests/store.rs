//! SQL over a real store: the same answers before and after a cut, with late and rewritten samples.

#![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

#[path = "store/columnar.rs"]
mod columnar;
#[path = "store/expressions.rs"]
mod expressions;
#[path = "store/remote_read.rs"]
mod remote_read;

use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use axum::body::Body;
use axum::http::Request;
use futures::TryStreamExt;
use model::batch::{BatchBuilder, Exemplar, Histogram, Kind, Metadata, STALE_NAN_BITS, Start};
use model::files::Disk;
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, Counts, Span};
use model::labels::LabelsBuilder;
use model::recall::{Newest, NewestValue};
use model::time::ManualClock;
use model::{Batch, Ingest, NativeHistogram, Recall, SeriesKey, Sources};
use parking_lot::RwLock;
use query::{Config, Engine, Params, Parts};
use storage::Store;
use tower::ServiceExt;

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

async fn open(folder: &tempfile::TempDir, clock: &Arc<ManualClock>) -> (Store, Engine) {
    open_with(folder, clock, Config::default()).await
}

async fn open_with(folder: &tempfile::TempDir, clock: &Arc<ManualClock>, query: Config) -> (Store, Engine) {
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
    (store, Engine::new(query, parts).unwrap())
}

/// Two native histograms, a marker, an exemplar, a start and what a family is.
fn everything_else() -> Batch {
    let mut builder = BatchBuilder::default();
    let series = builder.series("seconds", &[("job", "api")], Kind::Histogram);
    let mut batch = builder.build();
    let counts = BucketCounts { count: 6, zero: 1, positive: vec![2, 3], negative: Vec::new() };
    let whole = NativeHistogram {
        schema: 3,
        sum: 0.25,
        start_ms: Some(NOON - HOUR),
        positive_spans: vec![Span { offset: -7, length: 2 }],
        counts: Counts::Integer(counts),
        ..NativeHistogram::stale()
    };
    let counts = BucketCounts { count: 1.5, zero: 0.0, positive: vec![0.5, 1.0], negative: Vec::new() };
    let custom = NativeHistogram {
        schema: CUSTOM_BUCKETS,
        sum: 2.0,
        custom_bounds: vec![0.1],
        positive_spans: vec![Span { offset: 0, length: 2 }],
        counts: Counts::Float(counts),
        ..NativeHistogram::stale()
    };
    for (value, time_ms) in [(whole, NOON - 3000), (custom, NOON - 2000), (NativeHistogram::stale(), NOON - 1000)] {
        batch.histograms.push(Histogram { series, time_ms, value });
    }
    batch.starts.push(Start { series, time_ms: NOON - 3000, start_ms: NOON - HOUR });
    let labels = vec![("trace_id".to_owned(), "abc".to_owned())];
    batch.exemplars.push(Exemplar { series, time_ms: NOON - 3000, value: 0.2, labels });
    let (name, help) = ("seconds".to_owned(), "How long it took.".to_owned());
    batch.metadata.push(Metadata { name, kind: Kind::Histogram, unit: "seconds".to_owned(), help });
    batch.stamped("east".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn histograms_and_all_that_comes_with_samples_can_be_asked_for() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    store.write(everything_else()).await.unwrap();
    let queries = [
        "SELECT time_ms, schema, count, sum, zero_count, start_time_ms, positive_offsets, positive_counts \
         FROM histograms WHERE count > 0",
        "SELECT schema, count_float, sum, custom_bounds, positive_counts_float, negative_counts_float, positive_counts[1] \
         FROM histograms WHERE schema = -53",
        "SELECT count(*), count(sum), max(time_ms) FROM histograms WHERE name = 'seconds' AND cluster = 'east'",
        "SELECT name, cluster, time_ms, start_time_ms FROM starts",
        "SELECT name, value, trace_id, span_id FROM exemplars",
        "SELECT name, cluster, kind, unit, help FROM metadata",
        "SELECT h.schema, s.kind, s.labels['job'] FROM histograms h JOIN series s USING (name, cluster, series_id) \
         WHERE h.sum < 1",
    ];
    let expected = [
        format!("{},3,6,0.25,1,{},[-7],[2, 3]", NOON - 3000, NOON - HOUR),
        "-53,1.5,2.0,[0.1],[0.5, 1.0],[],".to_owned(),
        format!("3,2,{}", NOON - 1000),
        format!("seconds,east,{},{}", NOON - 3000, NOON - HOUR),
        "seconds,0.2,abc,".to_owned(),
        "seconds,east,histogram,seconds,How long it took.".to_owned(),
        "3,histogram,api".to_owned(),
    ];
    for moved in [false, true] {
        for (query, expected) in queries.iter().zip(&expected) {
            assert_eq!(ask(&engine, query).await, *expected, "{query}, in blocks: {moved}");
        }
        clock.advance(HOUR);
        store.cut().await.unwrap();
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_row_of_each_series_is_found_again() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    let mut builder = BatchBuilder::default();
    let series = [("cpu", "0"), ("cpu", "1"), ("disk", "0")]
        .map(|(name, label)| builder.series(name, &[("n", label)], Kind::Counter));
    for (at, series) in series.into_iter().enumerate() {
        for step in 0..3 {
            builder.sample(series, NOON - 60_000 * (3 - step), (step * 10 + at as i64) as f64 / 8.0);
        }
    }
    builder.sample(series[0], NOON, f64::from_bits(STALE_NAN_BITS));
    let mut batch = builder.build();
    let keys: Vec<SeriesKey> = {
        let mut labels = LabelsBuilder::default();
        let stamped = batch.clone().stamped("east".into());
        (0..3).map(|index| stamped.key(index, &mut labels).unwrap()).collect()
    };
    batch.starts.push(Start { series: series[1], time_ms: NOON - 60_000, start_ms: NOON - HOUR });
    store.write(batch.stamped("east".into())).await.unwrap();
    let everything = everything_else();
    let histogram = everything.key(0, &mut LabelsBuilder::default()).unwrap();
    let whole = everything.histograms[0].value.clone();
    store.write(everything).await.unwrap();
    let unknown = SeriesKey { name: "none".into(), ..keys[0].clone() };
    let asked = [keys[1].clone(), unknown, keys[0].clone(), histogram, keys[2].clone()];
    let number =
        |value: f64, start_ms| Some(Newest { time_ms: NOON - 60_000, start_ms, value: NewestValue::Number(value) });
    let expected = [
        number(21.0 / 8.0, Some(NOON - HOUR)),
        None,
        number(20.0 / 8.0, None),
        Some(Newest { time_ms: NOON - 3000, start_ms: whole.start_ms, value: NewestValue::Histogram(Box::new(whole)) }),
        number(22.0 / 8.0, None),
    ];
    for moved in [false, true] {
        assert_eq!(engine.newest(&asked, NOON - HOUR).await.unwrap(), expected, "in blocks: {moved}");
        assert_eq!(engine.newest(&asked, NOON + 1).await.unwrap(), [const { None }; 5]);
        clock.advance(HOUR);
        store.cut().await.unwrap();
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_change_when_rows_move() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_exemplars_are_told_as_prometheus_tells_them() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    store.write(everything_else()).await.unwrap();
    let api = query::routes(engine);
    let get = async |path: &str| -> serde_json::Value {
        let request = Request::get(format!("/prometheus/api/v1/{path}")).body(Body::empty()).unwrap();
        let response = api.clone().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    };
    let seconds = serde_json::json!([{ "type": "histogram", "help": "How long it took.", "unit": "seconds" }]);
    assert_eq!(get("metadata").await["data"], serde_json::json!({ "seconds": seconds }));
    assert_eq!(get("metadata?metric=seconds").await["data"]["seconds"], seconds);
    assert_eq!(get("metadata?metric=minutes").await["data"], serde_json::json!({}));
    let (start, end) = (NOON / 1000 - 60, NOON / 1000);
    let found = get(&format!("query_exemplars?query=rate(seconds[5m])&start={start}&end={end}")).await;
    let exemplar = serde_json::json!({
        "labels": { "trace_id": "abc" }, "value": "0.2", "timestamp": (NOON - 3000) as f64 / 1000.0,
    });
    let labels = serde_json::json!({ "__name__": "seconds", "cluster": "east", "job": "api" });
    assert_eq!(found["data"], serde_json::json!([{ "seriesLabels": labels, "exemplars": [exemplar] }]));
    // What Grafana sends first: milliseconds for seconds.
    let found = get(&format!("query_exemplars?query=test&start={}&end={}", start * 1000, end * 1000)).await;
    assert_eq!((&found["status"], &found["data"]), (&"success".into(), &serde_json::json!([])));
    store.close().await.unwrap();
}
