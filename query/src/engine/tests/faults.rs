//! Answers that fail on their way: what the reader is told of it.

use super::*;
use crate::fixture::Fault;

/// One series in two blocks, the second of which is read badly.
pub(crate) async fn failing(fault: Fault) -> Engine {
    let mut fixture = Fixture::new(&[key("up", "east", &[("job", "node")])]);
    for block in 0..2 {
        let start = START + block * 1000 * SECOND;
        let rows: Vec<Row> = (0..1000).map(|i| (0, start + i * SECOND, 1.0 / (1.0 + i as f64))).collect();
        fixture.block(block + 1, Some((start, start + 1000 * SECOND)), &rows).await;
    }
    fixture.fail("/1.parquet", fault);
    let config = Config { threads_per_query: 1, ..Config::default() };
    Engine::over_fixture(config, fixture, Vec::new(), Sources::default(), START)
}

/// How the answer to a query ends.
async fn end_of(engine: &Engine, sql: &str) -> Result<usize, Error> {
    let mut rows = engine.sql(sql, Params::None).await?;
    let mut count = 0;
    while let Some(batch) = rows.try_next().await? {
        count += batch.num_rows();
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_never_the_end_of_an_answer() {
    let engine = failing(Fault::Panic).await;
    let error = end_of(&engine, "SELECT ts, value FROM metrics").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains("broke off"), "{error}");
    assert!(engine.metrics_text().contains("\nfleetscope_queries_failed_total 1\n"));
    all_free(&engine).await;
    assert_eq!(end_of(&engine, "SELECT 1").await.unwrap(), 1, "the next query is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_no_damage() {
    let engine = failing(Fault::Away).await;
    for sql in ["SELECT ts, value FROM metrics", "SELECT * FROM samples", "SELECT sum(value) FROM metrics"] {
        let error = end_of(&engine, sql).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{sql}: {error}");
        assert!(error.message().contains("cannot read samples/") && error.message().contains("on purpose"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_no_fault_of_the_query() {
    let engine = failing(Fault::Damage).await;
    for sql in ["SELECT ts, value FROM metrics", "SELECT * FROM samples", "SELECT sum(value) FROM metrics"] {
        let error = end_of(&engine, sql).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{sql}: {error}");
    }
    let mut fixture = Fixture::new(&[key("up", "east", &[("job", "node")]), key("up", "west", &[("job", "node")])]);
    fixture.block(1, None, &[(0, START, 1.0), (1, START, 1.0)]).await;
    fixture.forget(1);
    let engine = Engine::over_fixture(Config::default(), fixture, Vec::new(), Sources::default(), START);
    let error = end_of(&engine, "SELECT labels FROM metrics").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains("not in the table series"), "{error}");
}
