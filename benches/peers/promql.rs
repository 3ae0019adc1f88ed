//! PromQL beside Prometheus and VictoriaMetrics: the same samples pushed into each as a live stream would, then the same
//! questions over HTTP. Of each: the time of the first answer after a restart and the median of ten more, CPU time of the
//! process an answer, the peak of its memory. Answers are compared before any time counts.
//!
//! Each question has a server of its own, started for it with none of its files in the page cache, so far as the system
//! drops them when it is told that they are not needed, which takes no root. The result cache of VictoriaMetrics is not asked:
//! ten times the same question would measure nothing else, and no other has one.
//!
//! `FLEETSCOPE_PROMQL_SERIES` is how many series there are all the time, ten times as many come and go;
//! `FLEETSCOPE_PROMQL_HOURS` is how long; `FLEETSCOPE_PROMQL_CUT_SECONDS` is the time from cut to cut while they are pushed,
//! in each of which a quarter of an hour comes. `FLEETSCOPE_PROMQL_QUESTIONS` is a word of the questions that are put, instead of all.

mod answers;
mod contender;
mod data;
mod fill;
mod questions;
mod tables;

use std::path::Path;
use std::time::Instant;

use crate::report::median;
use crate::{Bench, Fault, page_cache};
use answers::Answer;
use contender::Contender;
use data::Data;
use questions::{Alike, Question};

/// Answers after the first one.
const WARM: usize = 10;

/// What a contender needed for a question.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Until it says that it is ready.
    start_ms: f64,
    cold_ms: f64,
    warm_ms: f64,
    cpu_ms: f64,
    peak_mb: f64,
}

/// What the contenders, in their order, needed for a question.
#[derive(Debug)]
struct Row {
    what: &'static str,
    figures: Vec<Figures>,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let series = bench.setting("FLEETSCOPE_PROMQL_SERIES", 20_000)? as usize;
    let hours = bench.setting("FLEETSCOPE_PROMQL_HOURS", 24)?.max(1) as usize;
    let cut_seconds = bench.setting("FLEETSCOPE_PROMQL_CUT_SECONDS", 5)?.max(1);
    let (data, folder) = (Data::new(series, hours), bench.fresh("promql")?);
    println!("{data}");
    let mut filled = Vec::new();
    for contender in Contender::ALL {
        filled.push(fill::fill(contender, &folder, &data, cut_seconds).await?);
    }
    let mut rows = Vec::new();
    let word = std::env::var("FLEETSCOPE_PROMQL_QUESTIONS").unwrap_or_default();
    for question in questions::all(&data).into_iter().filter(|question| question.what.contains(&word)) {
        rows.push(row(&folder, &data, &question).await?);
    }
    bench.publish("promql", &tables::report(&data, &filled, &rows)?)
}

/// Asks all contenders a question. Their answers must be alike.
async fn row(folder: &Path, data: &Data, question: &Question) -> Result<Row, Fault> {
    let mut answers = Vec::new();
    let mut figures = Vec::new();
    for contender in Contender::ALL {
        let (answer, needed) = measure(contender, folder, data, question).await?;
        println!(
            "{:>16} {:>10.1} ms cold {:>10.1} ms warm {:>10.1} ms CPU {:>7.0} MB  {}",
            contender.name(),
            needed.cold_ms,
            needed.warm_ms,
            needed.cpu_ms,
            needed.peak_mb,
            question.what
        );
        answers.push(answer);
        figures.push(needed);
    }
    let [ours, others @ ..] = answers.as_slice() else { return Err("nobody was asked".into()) };
    for (contender, theirs) in Contender::ALL.into_iter().skip(1).zip(others) {
        let alike = if contender == Contender::VictoriaMetrics { question.victoria } else { Alike::Values };
        let compared = ours.compare(theirs, alike);
        compared.map_err(|what| format!("{}: ours to {}: {what}", question.text, contender.name()))?;
    }
    Ok(Row { what: question.what, figures })
}

/// Asks one that has just been started, and then again and again.
async fn measure(
    contender: Contender,
    folder: &Path,
    data: &Data,
    question: &Question,
) -> Result<(Answer, Figures), Fault> {
    page_cache::drop(&contender.folder(folder))?;
    let begin = Instant::now();
    let process = contender.start(folder, None).await?;
    let start_ms = begin.elapsed().as_secs_f64() * 1e3;
    process.forget_peak()?;
    let client = reqwest::Client::new();
    let asked = |client| contender.request(client, &process.url, question, data);
    let (cold, body) = answers::timed(asked(&client)).await?;
    let answer = Answer::of(&body).map_err(|error| format!("{}: {}: {error}", contender.name(), question.text))?;
    let (before, mut warm) = (process.cpu_seconds()?, Vec::new());
    for _ in 0..WARM {
        let (seconds, again) = answers::timed(asked(&client)).await?;
        let again = answer.compare(&Answer::of(&again)?, Alike::Values);
        again.map_err(|what| format!("{}, the second time: {}: {what}", contender.name(), question.text))?;
        warm.push(seconds * 1e3);
    }
    let cpu_ms = (process.cpu_seconds()? - before) / WARM as f64 * 1e3;
    let peak_mb = process.peak_bytes()? as f64 / 1e6;
    process.terminate().await?;
    Ok((answer, Figures { start_ms, cold_ms: cold * 1e3, warm_ms: median(&warm), cpu_ms, peak_mb }))
}
