use std::time::{Duration, Instant};

use datafusion::execution::memory_pool::UnboundedMemoryPool;
use promql::histogram::FloatHistogram;

use super::*;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::fixture::{Fixture, Row, key};
use crate::promql::labels::LabelSet;
use crate::promql::{AnswerValue, Failure, Query, Question, plan};
use crate::run::Halt;

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;
const SERIES: usize = 120;
const STEPS: i64 = 9_000;

/// Series of two metrics with a sample a minute, some of which come late and end early.
async fn engine(memory_bytes: u64) -> Engine {
    let keys: Vec<_> = (0..SERIES)
        .map(|number| key(["left", "right"][number % 2], "eu", &[("pod", &(number / 2).to_string())]))
        .collect();
    let mut fixture = Fixture::new(&keys).sized(100, 10_000);
    let rows = |minutes: std::ops::Range<i64>| -> Vec<Row> {
        let of_minute = |minute: i64| {
            let there = (0..SERIES).filter(move |number| {
                let number = *number as i64;
                minute >= number % 7 * 10 && minute < 150 - number % 11
            });
            there
                .map(move |number| (number, START + minute * 60_000, ((number as i64 * 37 + minute * 11) % 101) as f64))
        };
        minutes.flat_map(of_minute).collect()
    };
    fixture.block(1, Some((START, START + 6_000_000)), &rows(0..100)).await;
    fixture.head(1_000, &rows(100..150));
    let config = Config { query_memory_bytes: memory_bytes, threads_per_query: 2, ..Config::default() };
    Engine::over_fixture(config, fixture, Vec::new(), Default::default(), START + 10_000_000)
}

/// The plan of an expression as it is with room enough.
async fn plan_of(engine: &Engine, text: &str) -> Arc<dyn ExecutionPlan> {
    let question = Question::new(query(text), engine.config()).unwrap();
    let (source, halt) = (Arc::new(engine.source()), Halt::at(Instant::now() + Duration::from_secs(60)));
    plan(&question, source, Arc::new(UnboundedMemoryPool::default()), 2, &[], &halt).await.unwrap()
}

fn query(text: &str) -> Query {
    Query::new(text, Some((START, 1_000)), START + STEPS * 1_000)
}

fn steps() -> Steps {
    Steps::between(START, START + STEPS * 1_000, 1_000)
}

async fn asked(engine: &Engine, text: &str) -> Result<Vec<String>, Error> {
    let series = match engine.promql(query(text)).await {
        Ok(answer) => match answer.value {
            AnswerValue::Matrix(series) => series,
            other => panic!("{text}: {other:?}"),
        },
        Err(Failure::Run(error)) => return Err(error),
        Err(Failure::Parse(error)) => panic!("{text}: {error}"),
    };
    Ok(series.iter().map(|one| format!("{:?} {:?}", one.labels, one.points)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_room_at_once_is_the_same_tile_by_tile() {
    const NARROW: u64 = 16 << 20;
    let (roomy, narrow) = (engine(512 << 20).await, engine(NARROW).await);
    for text in [
        "topk(3, left)",
        "quantile(0.5, left)",
        "limitk(2, left)",
        "left * on (pod) right",
        "left and on (pod) right > 50",
        "sum by (cluster) (left - on (pod) right)",
        "count_values('value', left % 5)",
        "max_over_time(topk(2, left)[5m:1m])",
        "bottomk(1, rate(left[3m])) or sum(right)",
    ] {
        assert!(tiles(&plan_of(&roomy, text).await, steps(), NARROW).len() > 1, "{text}");
        let expected = asked(&roomy, text).await.unwrap();
        assert!(!expected.is_empty(), "{text}");
        assert_eq!(asked(&narrow, text).await.unwrap(), expected, "{text}");
    }
}

#[tokio::test]
async fn a_tile_has_as_many_steps_as_there_is_room_for() {
    let (engine, steps) = (engine(512 << 20).await, steps());
    let count = async |text: &str, memory_bytes: u64| {
        let plan = plan_of(&engine, text).await;
        let tiles = tiles(&plan, steps, memory_bytes);
        assert_eq!(tiles.iter().map(|tile| tile.count).sum::<usize>(), steps.count, "{text}");
        assert!(tiles.windows(2).all(|pair| pair[1].start_ms == pair[0].time_ms(pair[0].count)), "{text}");
        tiles.len()
    };
    // 60 series of 9,001 values take 4.3 MB.
    assert_eq!(count("topk(3, left)", 32 << 20).await, 1);
    assert_eq!(count("topk(3, left)", 8 << 20).await, 3);
    assert_eq!(count("left + on (pod) right", 8 << 20).await, 5);
    assert_eq!(count("topk(3, left)", 1).await, MAX_TILES as usize);
    // What is folded as it comes is not gathered.
    assert_eq!(count("sum(left)", 1).await, 1);
    assert_eq!(count("sum(left) / sum(right)", 1).await, 1);
    assert_eq!(count("rate(left[5m])", 1).await, 1);
}

#[test]
fn values_stand_at_the_steps_of_the_whole() {
    let mut tile = StepBatch::new(2);
    let row = tile.push(LabelSet::default().with("a", "1"), true);
    row.values.copy_from_slice(&[7.0, 8.0]);
    row.present.insert(1);
    row.histograms.push((0, FloatHistogram::empty(3, Vec::new())));
    let whole = widened(&tile, 3, 6);
    assert_eq!((whole.len(), whole.steps, whole.drops_name[0]), (1, 6, true));
    let row = whole.row(0);
    assert_eq!((row.values[4], row.present.iter().collect::<Vec<_>>()), (8.0, vec![4]));
    assert_eq!((row.histograms.len(), row.histograms[0].0), (1, 3));
}
