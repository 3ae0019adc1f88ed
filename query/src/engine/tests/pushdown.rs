//! What a query reads of its blocks, told by the plan and by the bytes fetched.

use arrow::array::AsArray;

use super::*;

/// One block of 40 metrics with 25 series each and 20 samples a series, in pages of 100 rows.
async fn wide(config: Config) -> Engine {
    let mut keys = Vec::new();
    for metric in 0..40 {
        for instance in 0..25 {
            let name = format!("metric_{metric:02}");
            keys.push(key(
                &name,
                "east",
                &[("instance", &format!("host-{instance}")), ("odd", if instance % 2 == 1 { "yes" } else { "no" })],
            ));
        }
    }
    let mut fixture = Fixture::new(&keys).sized(100, 10_000);
    let rows: Vec<Row> = (0..1000)
        .flat_map(|s| (0..20).map(move |i| (s, START + i * SECOND, 1.0 / (1.0 + s as f64 * 20.0 + i as f64))))
        .collect();
    fixture.block(1, Some((START, START + 20 * SECOND)), &rows).await;
    Engine::over_fixture(config, fixture, Vec::new(), Sources::default(), START)
}

/// The bytes that a query fetched, as `EXPLAIN ANALYZE` tells, and the plan.
async fn bytes_read(engine: &Engine, sql: &str) -> (f64, String) {
    let batches: Vec<_> =
        engine.sql(&format!("EXPLAIN ANALYZE {sql}"), Params::None).await.unwrap().try_collect().await.unwrap();
    let plan = batches[0].column(1).as_string::<i32>().value(0).to_owned();
    let bytes = plan
        .split("bytes_scanned=")
        .skip(1)
        .map(|rest| {
            let text = rest.split([',', ']']).next().unwrap();
            let (number, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), "B"));
            let scale = match unit {
                "B" => 1.0,
                "K" | "KB" => 1e3,
                "KiB" => 1024.0,
                "M" | "MB" => 1e6,
                other => panic!("unknown unit {other} in {text}"),
            };
            number.parse::<f64>().unwrap() * scale
        })
        .sum();
    (bytes, plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_series_and_time_spare_bytes() {
    let engine = wide(Config { threads_per_query: 1, ..Config::default() }).await;
    let (all, _) = bytes_read(&engine, "SELECT sum(value) FROM metrics").await;
    let (name, plan) = bytes_read(&engine, "SELECT sum(value) FROM metrics WHERE name = 'metric_07'").await;
    assert!(name * 8.0 < all, "{name} bytes for one name of 40, {all} for all\n{plan}");
    assert!(plan.contains("rows=500/20000") || plan.contains("rows=600/20000"), "{plan}");
    let (regex, plan) = bytes_read(&engine, "SELECT sum(value) FROM metrics WHERE name ~ '^metric_0[78]$'").await;
    assert!(regex * 6.0 < all && regex > name, "{regex} bytes of {all}\n{plan}");
    let (label, plan) = bytes_read(
        &engine,
        "SELECT sum(value) FROM metrics WHERE name = 'metric_07' AND labels['instance'] = 'host-3'",
    )
    .await;
    assert!(label < all / 8.0, "{label} bytes of {all}\n{plan}");
    assert!(plan.contains("series=1,") && plan.contains("rows=100/20000"), "{plan}");
    let (none, _) = bytes_read(&engine, "SELECT sum(value) FROM metrics WHERE ts > '2027-01-01T00:00:00Z'").await;
    assert_eq!(none, 0.0);
    let (count, plan) = bytes_read(&engine, "SELECT count(*) FROM metrics").await;
    assert_eq!(count, 0.0, "counting needs no column where a block has no marker\n{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_threads_gives_the_same_answer() {
    let mut answers = Vec::new();
    for threads in [1, 2, 5] {
        let engine = wide(Config { threads_per_query: threads, ..Config::default() }).await;
        let sql = "SELECT labels['odd'], count(*), min(value), max(ts) FROM metrics WHERE name LIKE 'metric_1%' GROUP BY 1 ORDER BY 1";
        answers.push(ask(&engine, sql).await);
    }
    assert_eq!(answers[0], "no,2600,0.0001,2026-01-01T00:00:19Z\nyes,2400,0.0001002004008016032,2026-01-01T00:00:19Z");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}
