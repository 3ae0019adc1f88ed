//! Filtered aggregates over `metrics` at 50 million samples beside DuckDB on the same Parquet files: labels in the filter
//! and in GROUP BY. Ours over HTTP with JSON, DuckDB inside its Python process; both with as many threads.

use std::path::PathBuf;

use reqwest::Client;
use serde_json::Value;

use crate::duckdb::DuckDb;
use crate::fleet::{Fleet, MAX_SAMPLES, yesterday_noon_ms};
use crate::process::{Answered, Process};
use crate::report::{Contender, table};
use crate::scrapes::Scrapes;
use crate::stores::Stopped;
use crate::{Bench, Fault, peers};

const SAMPLES: usize = 50_000_000;
/// Samples per series and block: a cut every quarter of an hour.
const OF_BLOCK: usize = 60;
const ROUNDS: usize = 3;
const THREADS: usize = 2;

/// A question in both dialects; DuckDB has to join `samples` with `series` to know a label.
struct Question {
    what: &'static str,
    ours: &'static str,
    duckdb: &'static str,
}

const QUESTIONS: &[Question] = &[
    Question {
        what: "one name, a label in the filter, a label in GROUP BY",
        ours: "SELECT labels['instance'] AS k, avg(value) AS v, count(*) AS n FROM metrics
            WHERE name = 'node_cpu_seconds_total' AND labels['mode'] = 'idle' GROUP BY 1",
        duckdb:
            "SELECT labels['instance'] AS k, avg(coalesce(value, mantissa / power(10e0, scale))) AS v, count(*) AS n
            FROM samples JOIN series USING (name, cluster, series_id)
            WHERE name = 'node_cpu_seconds_total' AND labels['mode'] = 'idle' GROUP BY 1",
    },
    Question {
        what: "all names, a label in the filter, a label in GROUP BY",
        ours: "SELECT labels['node'] AS k, max(value) AS v, count(*) AS n FROM metrics
            WHERE labels['job'] = 'node-exporter' GROUP BY 1",
        duckdb: "SELECT labels['node'] AS k, max(coalesce(value, mantissa / power(10e0, scale))) AS v, count(*) AS n
            FROM samples JOIN series USING (name, cluster, series_id)
            WHERE labels['job'] = 'node-exporter' GROUP BY 1",
    },
    Question {
        what: "all names, one instance by expression, name and label in GROUP BY",
        ours: "SELECT name || ' ' || labels['job'] AS k, min(value) AS v, count(*) AS n FROM metrics
            WHERE labels['instance'] ~ '^10[.]42[.]17[.]' GROUP BY name, labels['job']",
        duckdb: "SELECT name || ' ' || labels['job'] AS k, min(coalesce(value, mantissa / power(10e0, scale))) AS v,
            count(*) AS n FROM samples JOIN series USING (name, cluster, series_id)
            WHERE regexp_matches(labels['instance'], '^10[.]42[.]17[.]') GROUP BY name, labels['job']",
    },
    Question {
        what: "everything, a label in GROUP BY",
        ours: "SELECT labels['job'] AS k, max(value) AS v, count(*) AS n FROM metrics
            WHERE labels['namespace'] = 'monitoring' GROUP BY 1",
        duckdb: "SELECT labels['job'] AS k, max(coalesce(value, mantissa / power(10e0, scale))) AS v, count(*) AS n
            FROM samples JOIN series USING (name, cluster, series_id)
            WHERE labels['namespace'] = 'monitoring' GROUP BY 1",
    },
];

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let folder = store(bench).await?;
    let server = peers::fleetscope(&folder, &format!("query: {{threads_per_query: {THREADS}, timeout: 5m}}\n")).await?;
    let mut duckdb = DuckDb::start(&folder.join("store"), &["samples", "series"], THREADS)?;
    let client = Client::new();
    for question in QUESTIONS {
        let contenders = || [Contender::new("ours"), Contender::new("DuckDB")];
        let (mut cpu, mut wall) = (contenders(), contenders());
        for round in 0..=ROUNDS {
            let ours = ask(&client, &server, question.ours).await?;
            let theirs = ask_duckdb(&mut duckdb, question)?;
            agree(question, &ours.rows, &theirs.rows)?;
            // The first round brings in footers and indexes, and finds out whether the file cache is warm.
            for (place, answer) in [ours, theirs].iter().enumerate().filter(|_| round > 0) {
                cpu[place].rounds.push(answer.cpu * 1000.0);
                wall[place].rounds.push(answer.wall * 1000.0);
            }
        }
        println!("{}", question.what);
        table("ms of CPU", false, &cpu);
        table("ms", false, &wall);
    }
    Ok(())
}

/// The folder of a store with the samples in blocks of a quarter of an hour; kept for the next run.
async fn store(bench: &Bench) -> Result<PathBuf, Fault> {
    let scrapes = Scrapes::load(bench).await?;
    let of_instance = Fleet::new(&scrapes, 1, 1, 0)?.series.len() * MAX_SAMPLES;
    let fleet = Fleet::new(&scrapes, SAMPLES.div_ceil(of_instance), MAX_SAMPLES, yesterday_noon_ms())?;
    let samples = fleet.series.len() * MAX_SAMPLES;
    println!("{} series, {samples} samples in blocks of {OF_BLOCK} samples a series", fleet.series.len());
    let (folder, name) = (bench.folder.join("aggregate"), format!("{samples} {}", fleet.start_ms));
    if std::fs::read_to_string(folder.join("made")).is_ok_and(|made| made == name) {
        return Ok(folder);
    }
    let folder = bench.fresh("aggregate")?;
    let stopped = Stopped::open(&folder, fleet.start_ms).await?;
    for from in (0..MAX_SAMPLES).step_by(OF_BLOCK) {
        stopped.block(&fleet, from..from + OF_BLOCK).await?;
    }
    stopped.store.close().await?;
    std::fs::write(folder.join("made"), name)?;
    Ok(folder)
}

type Triple = (String, f64, f64);

async fn ask(client: &Client, server: &Process, sql: &str) -> Result<Answered<Triple>, Fault> {
    let Answered { rows, cpu, wall } = server.ask_timed(client, sql).await?;
    let rows = rows.iter().map(|row| triple(&row["k"], &row["v"], &row["n"])).collect::<Result<_, Fault>>()?;
    Ok(Answered { rows, cpu, wall })
}

fn ask_duckdb(duckdb: &mut DuckDb, question: &Question) -> Result<Answered<Triple>, Fault> {
    let Answered { rows, cpu, wall } = duckdb.ask(question.duckdb)?;
    let rows = rows.iter().map(|row| match &row[..] {
        [key, value, count] => triple(key, value, count),
        _ => Err("DuckDB has answered other columns".into()),
    });
    Ok(Answered { rows: rows.collect::<Result<_, _>>()?, cpu, wall })
}

fn triple(key: &Value, value: &Value, count: &Value) -> Result<Triple, Fault> {
    let key = key.as_str().unwrap_or_default().to_owned();
    // JSON has no NaN.
    Ok((key, value.as_f64().unwrap_or(f64::NAN), count.as_f64().ok_or("no count")?))
}

/// Both must have said the same.
fn agree(question: &Question, ours: &[Triple], theirs: &[Triple]) -> Result<(), Fault> {
    let sorted = |rows: &[Triple]| {
        let mut rows = rows.to_vec();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) || !(a.is_finite() && b.is_finite());
    let same = |(a, b): (&Triple, &Triple)| a.0 == b.0 && close(a.1, b.1) && a.2 == b.2;
    if ours.is_empty() || ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(same) {
        let differ = ours.iter().zip(&theirs).find(|pair| !same(*pair));
        let (what, n, m) = (question.what, ours.len(), theirs.len());
        return Err(format!("{what}: {n} rows of ours, {m} of DuckDB, first difference {differ:?}").into());
    }
    Ok(())
}
