//! The text cases of PromQL over a real store and the HTTP API: `query/promql/cases/README.md` describes them.
//!
//! `promql/open.txt` lists the cases that are not answered as Prometheus answers them yet. A case that is in the list and is
//! answered, or is not in it and is not, fails the test; FLEETSCOPE_OPEN=write writes the list anew.

#![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

#[allow(dead_code, reason = "the tool that confirms the cases uses the rest")]
#[path = "../promql/tests/cases/format.rs"]
mod format;
#[path = "promql/sql.rs"]
mod sql;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use format::samples::Sample;
use format::{Case, CaseFile, ORIGIN_MS, Series, Times};
use model::batch::{BatchBuilder, Histogram, Kind, Start};
use model::files::Disk;
use model::time::ManualClock;
use model::{Batch, Ingest, Sources};
use parking_lot::RwLock;
use query::{Config, Engine, Parts};
use serde_json::Value;
use storage::Store;
use tower::ServiceExt;

/// Cases of a Prometheus with features switched off, which are always on here.
const FEATURES_OFF: [&str; 2] = ["features_off", "names_at_once"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("promql/cases")
}

/// A store that holds a batch, and the API over it.
async fn serve(batch: Batch) -> (tempfile::TempDir, Store, Router) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(ORIGIN_MS));
    let config =
        storage::Config { url: folder.path().join("data").display().to_string(), ..storage::Config::default() };
    let parts = storage::store::Parts { files: Arc::new(Disk), clock: clock.clone() };
    let store = Store::open(config, parts).await.unwrap();
    store.write(batch).await.unwrap();
    let parts =
        Parts { store: store.clone(), clusters: Arc::new(RwLock::new(Vec::new())), sources: Sources::default(), clock };
    let engine = Engine::new(Config::default(), parts).unwrap();
    (folder, store, query::routes(engine))
}

fn batch(all: &[Series]) -> Batch {
    let mut sorted: Vec<&Series> = all.iter().collect();
    sorted.sort_by(|a, b| a.labels.cmp(&b.labels));
    let (mut builder, mut histograms) = (BatchBuilder::default(), Vec::new());
    for one in sorted {
        let labels: Vec<(&str, &str)> = one.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let (name, others): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(name, _)| *name == "__name__");
        let series = builder.series(name.first().map_or("", |(_, value)| value), &others, Kind::Unknown);
        for (time_ms, sample) in &one.samples {
            match sample {
                Sample::Float(value) => builder.sample(series, *time_ms, *value),
                Sample::Histogram(value) => {
                    histograms.push(Histogram { series, time_ms: *time_ms, value: (**value).clone() });
                }
            }
        }
    }
    let mut batch = builder.build();
    batch.histograms = histograms;
    batch
}

async fn ask(api: &Router, case: &Case) -> Value {
    let seconds = |time_ms: i64| format!("{}", time_ms as f64 / 1000.0);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", &case.expression);
    let path = match case.times {
        Times::At(time_ms) => {
            form.append_pair("time", &seconds(time_ms));
            "query"
        }
        Times::Range { start_ms, end_ms, step_ms } => {
            form.append_pair("start", &seconds(start_ms)).append_pair("end", &seconds(end_ms));
            form.append_pair("step", &if step_ms > 0 { format!("{step_ms}ms") } else { seconds(step_ms) });
            "query_range"
        }
    };
    if let Some(lookback_ms) = case.lookback_ms {
        form.append_pair("lookback_delta", &format!("{lookback_ms}ms"));
    }
    let request = Request::post(format!("/prometheus/api/v1/{path}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Body::from(form.finish()))
        .unwrap();
    let response = api.clone().oneshot(request).await.unwrap();
    let body = to_bytes(response.into_body(), 64 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_count_since_their_sender_began() {
    let text = "load 1h\n  a_total{job=\"a\"} 1*30\n  h{} h{sum=1 pos=0:1} h{sum=1 pos=0:1}\n  untold_total{} 1*30\n\n\
        from 0 to 29h step 1h  start_timestamp(a_total)\n  \
        {job=\"a\"}  1767222000*5 1767241800*19 _*2 1767241800*4\n\n\
        from 0 to 29h step 1h  start_timestamp(a_total offset 5h)\n  \
        {job=\"a\"}  _*5 1767222000*5 1767241800*19 _*1\n\n\
        at 5h  start_timestamp((a_total @ 1767225600))\n  {job=\"a\"}  1767222000\n\n\
        at 5h  start_timestamp(a_total smoothed) - 5\n  {job=\"a\"}  1767241795\n\n\
        at 1h  start_timestamp({__name__=~\".+\"})\n  {}  1767225600.5\n  {job=\"a\"}  1767222000\n\n\
        at 5h  start_timestamp(abs(a_total))\n  empty\n";
    let file = CaseFile::parse(text).unwrap();
    let mut all = batch(&file.series);
    let (hour_ms, first_ms) = (3_600_000, ORIGIN_MS);
    // At first, anew at half past four, and what the next day is told again some hours late.
    let told = [(0, -hour_ms), (5 * hour_ms, hour_ms * 9 / 2), (26 * hour_ms, hour_ms * 9 / 2)];
    let starts = told.map(|(after_ms, start_ms)| (0, first_ms + after_ms, first_ms + start_ms));
    let starts = starts.into_iter().chain([(1, first_ms, first_ms + 500)]);
    all.starts = starts.map(|(series, time_ms, start_ms)| Start { series, time_ms, start_ms }).collect();
    let (_folder, store, api) = serve(all).await;
    for place in ["head", "blocks"] {
        for case in &file.cases {
            let answer = format::responses::answer(&ask(&api, case).await).unwrap();
            assert!(case.accepts(&answer), "{place}: {} {:#?}", case.expression, answer.lines(case.times));
        }
        store.cut().await.unwrap();
    }
    store.close().await.unwrap();
}

/// A case as the list has it.
fn line(topic: &str, case: &Case) -> String {
    let times = match case.times {
        Times::At(time_ms) => format!("at {}ms", time_ms - ORIGIN_MS),
        Times::Range { start_ms, end_ms, step_ms } => {
            format!("from {}ms to {}ms step {step_ms}ms", start_ms - ORIGIN_MS, end_ms - ORIGIN_MS)
        }
    };
    let lookback = case.lookback_ms.map(|ms| format!(" lookback {ms}ms")).unwrap_or_default();
    format!("{topic}: {times}{lookback} {}", case.expression.escape_debug())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_prometheus_answers_it() {
    let (mut open, mut all, mut shown, mut differing) = (BTreeSet::new(), 0, 0, Vec::new());
    let only = std::env::var("FLEETSCOPE_CASES").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "cases"));
    files.sort();
    assert!(files.len() > 30, "cases are missing in {}", folder().display());
    let mut topics = Vec::new();
    for path in files {
        let topic = path.file_stem().unwrap().to_string_lossy().into_owned();
        if FEATURES_OFF.contains(&&*topic) || (!only.is_empty() && topic != only) {
            continue;
        }
        let file = CaseFile::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (_folder, store, api) = serve(batch(&file.series)).await;
        let before = open.len();
        for case in &file.cases {
            all += 1;
            let body = ask(&api, case).await;
            // SQL has no word for another lookback.
            if case.lookback_ms.is_none()
                && let Some(difference) = sql::difference(&api, case, &body).await
            {
                differing.push(format!("{}\n  {difference}", line(&topic, case)));
            }
            let answer = format::responses::answer(&body);
            if !answer.as_ref().is_ok_and(|answer| case.accepts(answer)) {
                open.insert(line(&topic, case));
                shown += 1;
                if !only.is_empty() || shown < 400 {
                    let found = answer.map_or_else(|error| vec![error], |answer| answer.lines(case.times));
                    let expected = case.answer.as_ref().map(|answer| answer.lines(case.times)).unwrap_or_default();
                    println!("{}\n  expected {expected:#?}\n  found {found:#?}", line(&topic, case));
                }
            }
        }
        topics.push(format!("{topic}: {} of {} open", open.len() - before, file.cases.len()));
        store.close().await.unwrap();
    }
    println!("{}\n{} of {all} open", topics.join("\n"), open.len());
    assert!(differing.is_empty(), "not the same in SQL: {}", differing.join("\n"));
    if !only.is_empty() {
        return;
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promql/open.txt");
    if std::env::var("FLEETSCOPE_OPEN").is_ok_and(|value| value == "write") {
        std::fs::write(&list, open.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    let known: BTreeSet<String> = std::fs::read_to_string(&list).unwrap().lines().map(str::to_owned).collect();
    let broken: Vec<&String> = open.difference(&known).collect();
    let mended: Vec<&String> = known.difference(&open).collect();
    assert!(broken.is_empty(), "no longer answered as Prometheus does: {broken:#?}");
    assert!(mended.is_empty(), "answered as Prometheus does, take them out of the list: {mended:#?}");
}
