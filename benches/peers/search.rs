//! Questions to ten million lines and ten million spans, beside DuckDB on the same Parquet files.
//!
//! The rows are pushed as OTLP to the real server with the store's default settings, which cuts them as it would in use. Ours
//! answers over HTTP in JSON, DuckDB inside its Python process; both have as many threads. A question has processes of its
//! own, started for it with none of the files in the page cache, so far as the system drops them when it is told to. Answers
//! are compared before any time counts.
//!
//! `FLEETSCOPE_SEARCH_ROWS` is how many rows of each there are, `FLEETSCOPE_SEARCH_QUESTIONS` a word of the questions that are put.

mod fill;
mod questions;

use std::path::Path;

use reqwest::Client;
use serde_json::Value;

use self::questions::Question;
use crate::duckdb::DuckDb;
use crate::markdown::{self, Table};
use crate::process::{Answered, Process};
use crate::report::median;
use crate::{Bench, Fault, page_cache, peers};

const ROWS: u64 = 10_000_000;
const THREADS: usize = 2;
/// Answers after the first one.
const WARM: usize = 10;

/// What was needed for a question, in milliseconds.
#[derive(Debug)]
struct Figures {
    cold: f64,
    warm: f64,
    cpu: f64,
}

/// Rows of texts, sorted.
type Answer = Answered<Vec<String>>;

/// What both needed for a question.
#[derive(Debug)]
struct Row {
    question: Question,
    ours: Figures,
    duckdb: Figures,
    peak_mb: f64,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let rows = bench.setting("FLEETSCOPE_SEARCH_ROWS", ROWS)? as usize;
    let filled = fill::fill(bench, rows).await?;
    let word = std::env::var("FLEETSCOPE_SEARCH_QUESTIONS").unwrap_or_default();
    let mut all = Vec::new();
    for question in questions::all(rows).into_iter().filter(|question| question.what.contains(&word)) {
        let row = measure(&filled.folder, question).await?;
        println!(
            "{}: {:.1} ms, cold {:.0}, {:.0} of CPU; DuckDB {:.1}, cold {:.0}, {:.0} of CPU",
            row.question.what,
            row.ours.warm,
            row.ours.cold,
            row.ours.cpu,
            row.duckdb.warm,
            row.duckdb.cold,
            row.duckdb.cpu
        );
        all.push(row);
    }
    bench.publish("search", &report(&filled, &all)?)
}

async fn measure(folder: &Path, question: Question) -> Result<Row, Fault> {
    page_cache::drop(&folder.join("store"))?;
    let server = peers::fleetscope(folder, &format!("query: {{threads_per_query: {THREADS}, timeout: 5m}}\n")).await?;
    let client = Client::new();
    server.forget_peak()?;
    let (first, mut walls, mut cpus) = (ask(&client, &server, &question.ours).await?, Vec::new(), Vec::new());
    for _ in 0..WARM {
        let again = ask(&client, &server, &question.ours).await?;
        agree(&question, &first, &again)?;
        walls.push(again.wall * 1e3);
        cpus.push(again.cpu * 1e3);
    }
    let ours = Figures { cold: first.wall * 1e3, warm: median(&walls), cpu: mean(&cpus) };
    let peak_mb = server.peak_bytes()? as f64 / 1e6;
    server.terminate().await?;

    page_cache::drop(&folder.join("store"))?;
    let mut duckdb = DuckDb::start(&folder.join("store"), &["logs", "spans"], THREADS)?;
    let (theirs, mut walls, mut cpus) = (ask_duckdb(&mut duckdb, &question)?, Vec::new(), Vec::new());
    agree(&question, &first, &theirs)?;
    for _ in 0..WARM {
        let again = ask_duckdb(&mut duckdb, &question)?;
        walls.push(again.wall * 1e3);
        cpus.push(again.cpu * 1e3);
    }
    let duckdb = Figures { cold: theirs.wall * 1e3, warm: median(&walls), cpu: mean(&cpus) };
    Ok(Row { question, ours, duckdb, peak_mb })
}

/// Of CPU times, which the kernel counts in steps of ten milliseconds.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

async fn ask(client: &Client, server: &Process, sql: &str) -> Result<Answer, Fault> {
    let Answered { rows, cpu, wall } = server.ask_timed(client, sql).await?;
    // Columns are named so that their order is that of the alphabet.
    let row = |row: &Value| Some(row.as_object()?.values().map(shown).collect());
    let rows: Option<Vec<Vec<String>>> = rows.iter().map(row).collect();
    Ok(Answered { rows: sorted(rows.ok_or("a row is no object")?), cpu, wall })
}

fn ask_duckdb(duckdb: &mut DuckDb, question: &Question) -> Result<Answer, Fault> {
    let Answered { rows, cpu, wall } = duckdb.ask(&question.duckdb)?;
    let rows = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    Ok(Answered { rows: sorted(rows), cpu, wall })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

/// Both must have said the same.
fn agree(question: &Question, one: &Answer, other: &Answer) -> Result<(), Fault> {
    if one.rows == other.rows && one.rows.len() == question.rows {
        return Ok(());
    }
    let differ = one.rows.iter().zip(&other.rows).find(|(one, other)| one != other);
    let (n, m) = (one.rows.len(), other.rows.len());
    Err(format!("{}: {n} and {m} rows, not {}; first difference {differ:?}", question.what, question.rows).into())
}

fn report(filled: &fill::Filled, all: &[Row]) -> Result<String, Fault> {
    let mut table = Table::new([
        "milliseconds",
        "asked for",
        "ours",
        "DuckDB",
        "ours/DuckDB",
        "ours, first after a restart",
        "DuckDB, first",
        "ours, of CPU",
        "DuckDB, of CPU",
        "ours, MB of memory at most",
    ]);
    for Row { question, ours, duckdb, peak_mb } in all {
        let missed = question.asked_ms.is_some_and(|asked| ours.warm > asked);
        let asked = question.asked_ms.map_or(String::new(), |asked| format!("{asked:.0}"));
        let warm = number(ours.warm);
        table.row([
            question.what.to_owned(),
            asked,
            if missed { format!("{warm} **(missed)**") } else { warm },
            number(duckdb.warm),
            format!("**{:.2}**", ours.warm / duckdb.warm),
            number(ours.cold),
            number(duckdb.cold),
            number(ours.cpu),
            number(duckdb.cpu),
            number(*peak_mb),
        ]);
    }
    Ok(format!("{}\n\n{filled}\n\n{table}", markdown::origin()?))
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
