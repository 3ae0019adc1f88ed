//! `promql()` in SQL: the same values as the HTTP API gives, and everything of SQL around them.

use std::collections::BTreeSet;

use model::labels::{CLUSTER_LABEL, NAME_LABEL};

use super::*;
use crate::promql::{AnswerValue, Point, Query};

/// Expressions of every kind that gives series: scans, functions, folds, joins, sets, names that go, scalars, subqueries.
const EXPRESSIONS: [&str; 18] = [
    "up",
    "cpu{cluster='east'}",
    "{__name__=~'cpu|up'}",
    "rate(cpu[30s])",
    "sum by (cluster) (rate(cpu[30s]))",
    "sum(cpu)",
    "topk(2, cpu)",
    "quantile by (cluster) (0.5, cpu)",
    "cpu * on (cluster) group_left up",
    "cpu > 100 or up",
    "-cpu",
    "42",
    "time() - 1",
    "scalar(sum(up)) / 2",
    "vector(1)",
    "absent(nothing)",
    "max_over_time(sum by (cpu) (cpu)[1m:5s])",
    "label_replace(up, 'zone', '$1', 'cluster', '(.).*')",
];
/// Those that have values at times of their own.
const RANGES: [&str; 3] = ["up[20s]", "sum by (cpu) (cpu)[20s:5s]", "cpu{cpu='0'}[1m] offset 1m"];

/// A row as text: time, name, cluster, other labels, value.
fn line<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, point: &Point) -> String {
    let (mut name, mut cluster, mut others) = (String::new(), String::new(), Vec::new());
    for (label, value) in labels {
        match label {
            NAME_LABEL => name = value.to_owned(),
            CLUSTER_LABEL => cluster = value.to_owned(),
            _ => others.push(format!("{label}: {value}")),
        }
    }
    format!("{},{cluster},{name},{{{}}},{:?}", point.time_ms, others.join(", "), point.value)
}

/// What the HTTP API would answer, as rows.
async fn evaluated(engine: &Engine, text: &str, range: Option<(i64, i64)>, end_ms: i64) -> BTreeSet<String> {
    let query = Query::new(text, range, end_ms);
    let series = match engine.promql(query).await.unwrap().value {
        AnswerValue::Matrix(series) | AnswerValue::Vector(series) => series,
        AnswerValue::Scalar(point) => return BTreeSet::from([line(std::iter::empty(), &point)]),
        AnswerValue::String(..) => panic!("{text} is a text"),
    };
    series.iter().flat_map(|one| one.points.iter().map(|point| line(one.labels.iter(), point))).collect()
}

/// The same out of SQL.
async fn selected(engine: &Engine, call: &str) -> BTreeSet<String> {
    let columns = "(extract(epoch from ts) * 1000)::bigint, cluster, name, labels, value";
    let rows = ask(engine, &format!("SELECT {columns} FROM {call}")).await;
    let count = rows.lines().count();
    let rows: BTreeSet<String> = rows.lines().map(str::to_owned).collect();
    assert_eq!(rows.len(), count, "{call}: a row is there twice");
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_the_values_of_the_http_api() {
    let engine = engine().await;
    let (start, end) = (START / 1000 + 60, START / 1000 + 260);
    let mut rows = 0;
    for text in EXPRESSIONS {
        let quoted = text.replace('\'', "''");
        let expected = evaluated(&engine, text, Some((start * 1000, 7_000)), end * 1000).await;
        assert_eq!(selected(&engine, &format!("promql('{quoted}', {start}, {end}, 7)")).await, expected, "{text}");
        rows += expected.len();
        let expected = evaluated(&engine, text, None, start * 1000).await;
        assert_eq!(selected(&engine, &format!("promql('{quoted}', {start})")).await, expected, "{text}");
    }
    assert!(rows > 500, "only {rows} rows were compared");
    for text in RANGES {
        let expected = evaluated(&engine, text, None, start * 1000).await;
        assert!(!expected.is_empty(), "{text}");
        let quoted = text.replace('\'', "''");
        assert_eq!(selected(&engine, &format!("promql('{quoted}', {start})")).await, expected, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_come_in_batches_with_all_their_rows() {
    let engine = engine().await;
    let call = format!("promql('cpu or up', {}, {}, '20ms')", START / 1000, START / 1000 + 209);
    let expected = evaluated(&engine, "cpu or up", Some((START, 20)), START + 209 * SECOND).await;
    assert!(expected.len() > 3 * crate::session::BATCH_ROWS, "{} rows", expected.len());
    assert_eq!(selected(&engine, &call).await, expected);
    assert_eq!(ask(&engine, &format!("SELECT count(*) FROM {call}")).await, expected.len().to_string());
    assert_eq!(ask(&engine, &format!("SELECT count(*) FROM (SELECT 1 FROM {call} LIMIT 10000)")).await, "10000");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expression_is_a_part_of_the_plan() {
    let engine = engine().await;
    let call = format!("promql('sum by (cluster) (rate(cpu[30s]))', {}, {}, 7)", START / 1000, START / 1000 + 100);
    let plan = ask(&engine, &format!("EXPLAIN SELECT cluster, max(value) FROM {call} GROUP BY cluster")).await;
    let nodes = [
        "AggregateExec",
        "PromqlRowsExec",
        "AggregateStepsExec: sum by (cluster)",
        "SeriesScanExec: rate over 30000 ms, series=4",
    ];
    let places: Vec<Option<usize>> = nodes.iter().map(|node| plan.find(node)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} of {nodes:?} in {plan}");
    // What is not wanted is not made.
    assert!(plan.contains("columns=[cluster, value]"), "{plan}");
    let analysed = ask(&engine, &format!("EXPLAIN ANALYZE SELECT * FROM {call}")).await;
    assert!(analysed.contains("SeriesScanExec") && analysed.contains("output_rows"), "{analysed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_may_be_parameters() {
    let engine = engine().await;
    let sql = "SELECT count(*), min(value) FROM promql($1, $2, $3, $4) WHERE cluster = $5";
    let (start, end) = ("2026-01-01T00:00:05Z", START / 1000 + 15);
    let params = serde_json::json!(["up", start, end, "5s", "east"]);
    let rows = engine.sql(sql, Params::from_json(params).unwrap()).await.unwrap();
    let batches: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(format!("{:?}", batches[0].columns()[0]), format!("{:?}", arrow::array::Int64Array::from(vec![3])));
    let named = Params::from_json(serde_json::json!({"expression": "no\' expression"})).unwrap();
    let error = engine.sql("SELECT * FROM promql($expression)", named).await.unwrap_err();
    assert!(error.to_string().contains("1:3: parse error"), "{error}");
    let answer = ask(&engine, "SELECT * FROM promql($1)").await;
    assert!(answer.starts_with("error invalid: the query has a parameter $1 and none was sent"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_all_expressions_together() {
    let call = |text: &str| format!("promql('{text}', {}, {}, 1)", START / 1000, START / 1000 + 200);
    let both = format!("SELECT count(*) FROM {} a, {} b", call("sum(cpu)"), call("sum(up)"));
    let engine = engine_with(Config { max_samples: 1_300, ..Config::default() }).await;
    assert_eq!(ask(&engine, &both).await, (201 * 201).to_string());
    let engine = engine_with(Config { max_samples: 1_000, ..Config::default() }).await;
    let answer = ask(&engine, &both).await;
    assert!(answer.starts_with("error too_large: the query has read") && answer.contains("1000"), "{answer}");
    assert_eq!(ask(&engine, &format!("SELECT count(*) FROM {}", call("sum(cpu)"))).await, "201");
    let deep = |levels: usize| format!("promql('time(){}', 0)", " + time()".repeat(levels - 1));
    assert_eq!(ask(&engine, &format!("SELECT value FROM {}", deep(250))).await, "0.0");
    let answer = ask(&engine, &format!("SELECT value FROM {}", deep(251))).await;
    assert!(answer.starts_with("error too_large: the expression has 251 levels, in SQL the limit is 250"), "{answer}");
    let answer = ask(
        &engine,
        &format!(
            "SELECT 1 FROM {}",
            ["a", "b", "c", "d", "e"].map(|alias| format!("{} {alias}", deep(249))).join(", ")
        ),
    )
    .await;
    assert!(answer.starts_with("error too_large: the expressions of the query have 1245 levels together"), "{answer}");
    let engine = engine_with(Config { query_memory_bytes: 4 << 10, ..Config::default() }).await;
    let answer = ask(&engine, &format!("SELECT count(*) FROM {}", call("cpu"))).await;
    assert!(answer.starts_with("error too_large: the query needs more than its 4096 bytes"), "{answer}");
}

/// Takes hours: each of its windows holds all samples.
const RELENTLESS: &str =
    "SELECT count(*) FROM promql('quantile_over_time(0.5, cpu[1h:1ms])', 1767225600, 1767236600, 1)";

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_ends_with_its_query() {
    let config = Config { timeout: Duration::from_millis(300), max_subquery_steps: 100_000_000, ..Config::default() };
    let engine = engine_with(config.clone()).await;
    let answer = ask(&engine, RELENTLESS).await;
    assert!(answer.starts_with("error timeout: the query took longer than 0.3 s"), "{answer}");
    all_free(&engine).await;
    let engine = engine_with(Config { timeout: Duration::from_secs(600), ..config }).await;
    let rows = engine.sql(RELENTLESS, Params::None).await.unwrap();
    assert_eq!(engine.0.places.running(), 1);
    drop(rows);
    all_free(&engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_expressions_comes_with_the_rows() {
    let engine = engine().await;
    let at = START / 1000 + 60;
    let sql = format!(
        "SELECT 1 FROM promql('rate(cpu[30s])', {at}) UNION ALL SELECT 2 FROM promql('quantile(2, up)', {at}) \
         UNION ALL SELECT 3 FROM promql(' rate(cpu[30s])', {at})"
    );
    let mut rows = engine.sql(&sql, Params::None).await.unwrap();
    while rows.try_next().await.unwrap().is_some() {}
    let of = async |text: &str| engine.promql(Query::new(text, None, at * 1000)).await.unwrap();
    let mut expected = of("rate(cpu[30s])").await.annotations;
    assert_eq!(expected.infos.len(), 1, "{expected:?}");
    expected.warnings = of("quantile(2, up)").await.annotations.warnings;
    assert_eq!(expected.warnings.len(), 1, "{expected:?}");
    expected.infos.extend(of(" rate(cpu[30s])").await.annotations.infos);
    assert_eq!((rows.annotations(), expected.infos.len()), (&expected, 2));
}

/// Enough series that a scan is shared among threads; no sum of their values is rounded.
async fn crowd(threads: usize) -> Engine {
    let of = |n: usize| key("many", "east", &[("n", &n.to_string()), ("odd", &(n % 2).to_string())]);
    let mut fixture = Fixture::new(&(0..300).map(of).collect::<Vec<_>>());
    let rows = (0..300).flat_map(|s| (0..20).map(move |i| (s, START + i * SECOND, s as f64 + i as f64 / 4.0)));
    fixture.block(1, None, &rows.collect::<Vec<_>>()).await;
    fixture.series_block().await;
    let config = Config { threads_per_query: threads, ..Config::default() };
    Engine::over_fixture(config, fixture, Vec::new(), Sources::default(), START)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_threads_gives_the_same_rows() {
    let expressions = [
        "many",
        "many + on (n) group_left many",
        "clamp_max(many, scalar(avg(many)))",
        "quantile_over_time(scalar(avg(many)) / 300, many[5s])",
        "topk(scalar(count(many)) / 100, many)",
        "sum by (odd) (rate(many[10s])) / on (odd) count by (odd) (many)",
        "label_replace(many, 'm', '$1', 'n', '(.*)') unless many{odd='1'}",
        "max_over_time(clamp_min(many, scalar(min(many)))[10s:1s])",
    ];
    let (one, four) = (crowd(1).await, crowd(4).await);
    let (start, end) = (START / 1000 + 5, START / 1000 + 15);
    for text in expressions {
        let expected = evaluated(&one, text, Some((start * 1000, 2_000)), end * 1000).await;
        assert!(!expected.is_empty(), "{text}");
        let call = format!("promql('{}', {start}, {end}, 2)", text.replace('\'', "''"));
        let found = selected(&four, &call).await;
        let differs = expected.symmetric_difference(&found).next();
        assert_eq!(differs, None, "{text}");
        let found = evaluated(&four, text, Some((start * 1000, 2_000)), end * 1000).await;
        assert_eq!(expected.symmetric_difference(&found).next(), None, "{text}");
    }
    let plan = ask(&four, "EXPLAIN SELECT * FROM promql('many')").await;
    assert!(plan.contains("CoalescePartitionsExec"), "the scan is not shared: {plan}");
}
