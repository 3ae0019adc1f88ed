use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use model::batch::STALE_NAN_BITS;

pub(crate) mod faults;
mod head;
mod hostile;
mod info;
mod promql_table;
mod pushdown;

use super::*;
use crate::fixture::{Fixture, Row, key};

const SECOND: i64 = 1_000;
/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

/// Two clusters with two cpu series each, `up`, and a metric whose labels are named like columns.
async fn fleet() -> Fixture {
    let mut keys = Vec::new();
    for cluster in ["east", "west"] {
        for cpu in ["0", "1"] {
            keys.push(key(
                "cpu",
                cluster,
                &[("cpu", cpu), ("mode", "idle"), ("instance", &format!("{cluster}-{cpu}"))],
            ));
        }
        keys.push(key("up", cluster, &[("job", "node")]));
    }
    keys.push(key("odd", "east", &[("ts", "a"), ("value", "b"), ("label_ts", "c")]));
    let mut fixture = Fixture::new(&keys);
    let steps = |from: i64, to: i64| -> Vec<Row> {
        (from..to)
            .flat_map(|i| (0..6).map(move |s| (s, START + i * SECOND, (s as i64 * 1000 + i) as f64 / 10.0)))
            .collect()
    };
    fixture.block(1, Some((START, START + 100 * SECOND)), &steps(0, 100)).await;
    fixture.block(2, Some((START + 100 * SECOND, START + 200 * SECOND)), &steps(100, 200)).await;
    // Late: rewrites series 0 at second 10, adds one before everything, marks series 1 as ended at second 50.
    let late = [
        (0, START + 10 * SECOND, 0.123),
        (0, START - SECOND, 7.5),
        (1, START + 50 * SECOND, f64::from_bits(STALE_NAN_BITS)),
    ];
    fixture.block(3, None, &late).await;
    let mut head = steps(200, 210);
    head.push((6, START, f64::NAN));
    head.push((0, START + 11 * SECOND, 0.5));
    fixture.head(1_000, &head);
    fixture.series_block().await;
    fixture
}

async fn engine() -> Engine {
    engine_with(Config { threads_per_query: 2, ..Config::default() }).await
}

/// An engine over the fleet with two clusters configured.
pub(crate) async fn engine_with(config: Config) -> Engine {
    let clusters = vec![
        Cluster { name: "east".into(), region: "eu".into(), role: "active".into(), ..Cluster::default() },
        Cluster {
            name: "moon".into(),
            services: [("web".to_owned(), "passive".to_owned())].into(),
            ..Cluster::default()
        },
    ];
    let now = START + 300 * SECOND;
    Engine::over_fixture(config, fleet().await, clusters, Sources::default(), now)
}

/// The answer as lines of comma-separated values, NULL as an empty field; or the error with its kind.
pub(crate) async fn ask(engine: &Engine, sql: &str) -> String {
    let answer = async { engine.sql(sql, Params::None).await?.try_collect::<Vec<_>>().await };
    match answer.await {
        Err(error) => format!("error {}: {error}", error.kind()),
        Ok(batches) => {
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
    }
}

/// Every case of `cases.txt`: a query, a line `----`, the answer, an empty line.
#[tokio::test(flavor = "multi_thread")]
async fn cases() {
    let engine = engine().await;
    let text = include_str!("cases.txt");
    let mut wrong = String::new();
    let mut count = 0;
    for case in text.split("\n\n").filter(|case| case.contains("\n----")) {
        let (query, expected) = case.split_once("\n----").unwrap();
        let query: String = query.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join("\n");
        let answer = ask(&engine, &query).await;
        count += 1;
        if answer.trim() != expected.trim() {
            wrong.push_str(&format!("{query}\n----\n{answer}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "these answers differ:\n\n{wrong}");
    assert!(count > 20, "only {count} cases were found");
}

/// A million million pairs, by a condition that holds for most of them.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b \
                       WHERE a.value <> b.value";
/// Joins that go on for hours without a batch of output, or without a new batch of input.
const RELENTLESS: [&str; 5] = [
    ENDLESS,
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value + b.value = -1",
    "SELECT count(*) FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b",
    "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b \
     ON a.value % 1 = b.value % 1",
    "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b \
     ON a.value % 1 = b.value % 1 AND a.value + b.value < 0",
];

/// Waits for all places to be free again.
async fn all_free(engine: &Engine) {
    while engine.0.places.running() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_cancels_its_query() {
    let engine = engine().await;
    let rows = engine.sql(ENDLESS, Params::None).await.unwrap();
    assert_eq!(engine.0.places.running(), 1);
    drop(rows);
    all_free(&engine).await;
    assert!(engine.metrics_text().contains("\nfleetscope_queries_total 1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_at_its_deadline_and_frees_its_place() {
    let timeout = std::time::Duration::from_millis(300);
    let config = Config { timeout, max_concurrent: 1, ..Config::default() };
    let engine = engine_with(config).await;
    for query in RELENTLESS {
        let answer = ask(&engine, query).await;
        assert!(answer.starts_with("error timeout: the query took longer than 0.3 s"), "{query}: {answer}");
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), all_free(&engine)).await;
        assert!(ended.is_ok(), "goes on past its deadline: {query}");
        assert_eq!((engine.stuck(), ask(&engine, "SELECT 1").await.as_str()), (0, "1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_values_and_never_text_of_the_query() {
    let engine = engine().await;
    let sql = "SELECT count(*) FROM metrics WHERE name = $1 AND value >= $2";
    let params = Params::from_json(serde_json::json!(["up", 500])).unwrap();
    let batches: Vec<_> = engine.sql(sql, params).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches[0].num_rows(), 1);
    let hostile = Params::from_json(serde_json::json!({"name": "x' OR 1=1 --"})).unwrap();
    let rows = engine.sql("SELECT * FROM metrics WHERE name = $name", hostile).await.unwrap();
    let batches: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|b| b.num_rows()).sum::<usize>(), 0);
}
