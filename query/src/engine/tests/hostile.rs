//! Texts that must not end the process, stop others, or take more than their share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{START, all_free, ask, engine_with};
use crate::config::Config;
use crate::engine::Engine;
use crate::promql::{Answer, AnswerValue, Failure, Query};

#[path = "../../../tests/hostile/expressions.rs"]
mod expressions;
#[path = "../../../tests/hostile/texts.rs"]
mod texts;

/// The most memory that this process has ever had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Little time and little memory.
fn tight(timeout: Duration) -> Config {
    Config { timeout, query_memory_bytes: 64 << 20, memory_bytes: 128 << 20, ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_hurts() {
    let limit = Duration::from_secs(2);
    let engine = engine_with(Config { max_rows: 100_000, max_concurrent: 4, ..tight(limit) }).await;
    let corpus = [texts::corpus(), texts::generated()].concat();
    assert!(corpus.len() >= 150, "only {} statements", corpus.len());
    let mut wrong = String::new();
    for (expected, sql) in &corpus {
        let begun = Instant::now();
        let answer = ask(&engine, sql).await;
        let took = begun.elapsed();
        let short: String = sql.chars().take(160).collect();
        let answer: String = answer.chars().take(200).collect();
        let fits = match expected.as_str() {
            "forbidden" => answer.starts_with("error forbidden"),
            "error" => answer.starts_with("error") && !answer.starts_with("error internal"),
            _ => !answer.starts_with("error internal"),
        };
        if !fits || took > limit + Duration::from_secs(1) {
            wrong.push_str(&format!("{expected}: {short}\n  after {took:?}: {answer}\n"));
        }
    }
    assert_eq!(ask(&engine, "SELECT count(*) FROM metrics").await, "1261", "the engine still answers");
    assert!(wrong.is_empty(), "{wrong}");
    let peak = peak_bytes() >> 20;
    assert!(peak < 1536, "the process grew to {peak} MiB");
}

/// What comes of an expression, at one instant or at 11,000 of them.
async fn evaluate(engine: &Engine, text: &str, is_range: bool) -> Result<Answer, Failure> {
    let end_ms = START + 200_000;
    let range = is_range.then_some((end_ms - 10_999_000, 1_000));
    engine.promql(Query::new(text, range, end_ms)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_expression_hurts() {
    let limit = Duration::from_secs(2);
    let engine = Arc::new(engine_with(Config { max_concurrent: 8, ..tight(limit) }).await);
    let is_over = Arc::new(AtomicBool::new(false));
    // Somebody else, who asks for little again and again, on a task of his own as the server has it.
    let mut neighbour = JoinSet::new();
    neighbour.spawn({
        let (engine, is_over) = (engine.clone(), is_over.clone());
        async move {
            let mut answered = 0;
            while !is_over.load(Ordering::Relaxed) {
                let answer = evaluate(&engine, "count(cpu)", false).await.expect("the neighbour is answered");
                let AnswerValue::Vector(series) = answer.value else { panic!("no vector") };
                assert_eq!(series[0].points[0].value, 4.0);
                answered += 1;
            }
            answered
        }
    });
    let wrong = all_expressions(&engine, limit).await;
    is_over.store(true, Ordering::Relaxed);
    let answered: usize = neighbour.join_all().await.iter().sum();
    assert!(wrong.is_empty(), "{wrong}");
    assert!(answered > 100, "the neighbour was answered {answered} times");
    // On a loaded machine the last of them may take a while to see that its time is over.
    tokio::time::timeout(limit * 15, all_free(&engine)).await.expect("queries end some time after their deadline");
    let peak = peak_bytes() >> 20;
    assert!(peak < 1536, "the process grew to {peak} MiB");
}

/// What is wrong with the answers.
async fn all_expressions(engine: &Engine, limit: Duration) -> String {
    let mut wrong = String::new();
    for (expected, text) in expressions::corpus() {
        for is_range in [false, true] {
            let begun = Instant::now();
            let answer = match evaluate(engine, &text, is_range).await {
                Ok(_) => "answered".to_owned(),
                Err(Failure::Parse(message)) => format!("parse error {message}"),
                Err(Failure::Run(error)) => format!("error {}: {error}", error.kind()),
            };
            let took = begun.elapsed();
            let fits = match expected {
                "error" => answer != "answered" && !answer.starts_with("error internal"),
                _ => {
                    !answer.starts_with("error internal")
                        && (!answer.starts_with("parse error") || answer.contains("for range query"))
                }
            };
            if !fits || took > limit + Duration::from_secs(1) {
                let (short, answer): (String, String) =
                    (text.chars().take(160).collect(), answer.chars().take(200).collect());
                wrong.push_str(&format!("{expected}: {short}, range: {is_range}\n  after {took:?}: {answer}\n"));
            }
        }
    }
    wrong
}
