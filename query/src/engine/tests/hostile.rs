//! Texts that must not end the process, stop others, or take more than their share.

use std::time::{Duration, Instant};

use super::{ask, engine_with};
use crate::config::Config;

#[path = "../../../tests/hostile/texts.rs"]
mod texts;

/// The most memory that this process has ever had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_hurts() {
    let limit = Duration::from_secs(2);
    let engine = engine_with(Config {
        timeout: limit,
        query_memory_bytes: 64 << 20,
        memory_bytes: 128 << 20,
        max_rows: 100_000,
        max_concurrent: 4,
        ..Config::default()
    })
    .await;
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
