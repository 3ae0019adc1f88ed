//! Rows that are in no block: unpacked as they are asked for, within the memory of the query.

use arrow::array::AsArray;

use super::*;

const SERIES: usize = 4;
const SAMPLES: i64 = 50_000;

/// Four series with 50,000 samples each, none in a block.
async fn full_head(config: Config) -> Engine {
    let keys: Vec<_> = (0..SERIES).map(|n| key("cpu", "east", &[("cpu", &n.to_string())])).collect();
    let mut fixture = Fixture::new(&keys);
    let rows: Vec<Row> =
        (0..SERIES).flat_map(|s| (0..SAMPLES).map(move |i| (s, START + i * SECOND, i as f64))).collect();
    fixture.head(1_000, &rows);
    Engine::over_fixture(config, fixture, Vec::new(), Sources::default(), START)
}

fn with_memory(query_memory_bytes: u64, memory_bytes: u64) -> Config {
    Config { threads_per_query: 1, query_memory_bytes, memory_bytes, ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_unpacks_no_more_than_it_needs() {
    let engine = full_head(with_memory(64 << 20, 64 << 20)).await;
    for sql in ["SELECT * FROM samples LIMIT 1", "SELECT * FROM metrics LIMIT 1"] {
        let rows = engine.sql(&format!("EXPLAIN ANALYZE {sql}"), Params::None).await.unwrap();
        let batches: Vec<_> = rows.try_collect().await.unwrap();
        let plan = batches[0].column(1).as_string::<i32>().value(0).to_owned();
        let unpacked = plan.split_once("HeadExec").and_then(|(_, rest)| rest.split_once("output_rows=")).unwrap().1;
        let unpacked = unpacked.split([',', ']']).next().unwrap();
        // A batch, or a few where someone reads ahead; there are 25.
        let thousands: f64 = unpacked.trim_end_matches(" K").trim().parse().unwrap();
        assert!(unpacked.ends_with('K') && thousands < 50.0, "{sql} unpacked {unpacked} rows\n{plan}");
        assert!(plan.contains("rows<=200000"), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_taken_for_head_rows_is_counted() {
    let queries = ["SELECT count(*) FROM samples", "SELECT count(*) FROM metrics WHERE value >= 0"];
    let enough = full_head(with_memory(16 << 20, 64 << 20)).await;
    let little = full_head(with_memory(256 << 10, 64 << 20)).await;
    let shared = full_head(with_memory(64 << 20, 256 << 10)).await;
    for sql in queries {
        assert_eq!(ask(&enough, sql).await, "200000", "a fraction of the 16 MB that these rows are as columns");
        let answer = ask(&little, sql).await;
        assert!(answer.starts_with("error too_large: the query needs more than its 262144 bytes"), "{answer}");
        assert!(answer.contains("in no block yet"), "{answer}");
        let error = shared.sql(sql, Params::None).await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.retry_after_hint().is_some(), "others will give memory back: {error}");
    }
    for engine in [&enough, &little, &shared] {
        all_free(engine).await;
        assert_eq!(engine.0.memory.used(), 0, "what was taken is given back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_constant_does_not_meet_a_long_batch() {
    let engine = full_head(with_memory(64 << 20, 64 << 20)).await;
    let text = "x".repeat(60_000);
    let sql = format!("SELECT '{text}' AS t, value FROM metrics LIMIT 3000");
    let mut rows = engine.sql(&sql, Params::None).await.unwrap();
    let mut count = 0;
    while let Some(batch) = rows.try_next().await.unwrap() {
        assert!(batch.num_rows() * text.len() <= 64 << 20, "a batch of {} rows", batch.num_rows());
        count += batch.num_rows();
    }
    assert_eq!(count, 3000);
}
