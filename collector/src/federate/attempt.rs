//! One attempt at a source: fetch, decode, apply the rule, write, and say how it went.
//!
//! Owns: the order of these steps, what is remembered from one attempt to the next.
//! Does not own: when attempts happen (`task`), where their result is told (`teller`).

use std::sync::Arc;
use std::time::Duration;

use model::worker::Stop;
use model::{Batch, ErrorKind};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::report;
use super::source::Source;
use super::timestamp_rule::{AskedAt, Judged, Memory};
use crate::Parts;
use crate::fetch::{Answer, Connection, ContentType, Failure, Stage, fetch};
use crate::metrics::{Counts, SourceCounters};
use crate::report::Report;
use crate::task::Asker;
use crate::teller::Teller;
use crate::write::{write, write_until};

/// What a Prometheus of any version answers best to: UTF-8 names where it has them, else plain 0.0.4.
const ACCEPTED: &str = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5";
/// Bodies up to this size are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// A source with everything that is needed to ask it.
#[derive(Debug)]
pub(crate) struct Scraper {
    pub(crate) source: Arc<Source>,
    connection: Connection,
    parts: Parts,
    teller: Teller,
    memory: Arc<Memory>,
    /// The time of the last attempt's rows.
    last_ms: Option<i64>,
}

/// What is left of a source that is no longer asked.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) memory: Arc<Memory>,
    pub(crate) last_ms: Option<i64>,
}

impl Scraper {
    /// A scraper that goes on from what another one of the same server left.
    pub(crate) fn new(source: Arc<Source>, parts: Parts, counters: Arc<SourceCounters>, remains: Remains) -> Self {
        let Remains { memory, last_ms } = remains;
        let teller = Teller::new(source.id.clone(), parts.sources.clone(), counters);
        Scraper { source, connection: Connection::default(), parts, teller, memory, last_ms }
    }

    /// Decodes an answer and applies the timestamp rule, on another thread if it is large.
    async fn judge(&self, answer: Answer, time_ms: i64) -> Result<Judged, Failure> {
        let (source, memory) = (self.source.clone(), self.memory.clone());
        let is_small = answer.body.len() <= INLINE_BYTES && answer.encoding == decode::body::ContentEncoding::Identity;
        let work = move || decode_and_judge(answer, &source, &memory, time_ms);
        if is_small {
            return work();
        }
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Failure::new(Stage::Decode, "the decoding of the answer broke off")))
    }

    /// Writes the rows of an answer, and only then remembers it.
    async fn keep(
        &mut self,
        mut judged: Judged,
        time_ms: i64,
        duration: Duration,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<Counts, Failure> {
        let counts = judged.counts;
        let report = Report {
            up: true,
            duration_seconds: duration.as_secs_f64(),
            samples: counts.exposed,
            kept: counts.kept,
            series_added: counts.added,
        };
        report::add_to(&mut judged.batch, &report, &self.source.id, time_ms);
        let (batch, memory) = judged.into_parts();
        self.write(batch, give_up, stop).await?;
        self.memory = Arc::new(memory);
        Ok(counts)
    }

    /// Writes that the attempt failed. If the store does not take that either, nothing more can be said in it.
    async fn report_failure(&self, failure: &Failure, time_ms: i64, duration: Duration, give_up: Instant, stop: &Stop) {
        let report =
            Report { up: false, duration_seconds: duration.as_secs_f64(), samples: 0, kept: 0, series_added: 0 };
        let batch = report::alone(&report, &self.source.id, time_ms);
        let written = if failure.stage == Stage::Write {
            // The time for this attempt may be used up; the rows are few, so they are offered once.
            write(&self.parts.ingest, batch.stamped(self.source.cluster.clone())).await
        } else {
            self.write(batch, give_up, stop).await
        };
        if let Err(error) = written {
            tracing::debug!(cluster = %self.source.id.cluster, instance = %self.source.id.instance, %error,
                "the report of a failed attempt was not written");
        }
    }

    async fn write(&self, batch: Batch, give_up: Instant, stop: &Stop) -> Result<(), Failure> {
        let batch = batch.stamped(self.source.cluster.clone());
        write_until(&self.parts.ingest, batch, give_up, stop, || self.teller.counters().write_retried()).await.map(drop)
    }
}

impl Asker for Scraper {
    type Remains = Remains;

    async fn attempt(&mut self, time_ms: i64, stop: &Stop) {
        let started = Instant::now();
        let fetched = tokio::select! {
            fetched = ask(&self.connection, &self.source, started) => fetched,
            () = stop.stopped() => return,
        };
        let duration = started.elapsed();
        let judged = match fetched {
            Ok(answer) => {
                self.teller.counters().received(answer.body.len());
                self.judge(answer, time_ms).await
            }
            Err(failure) => Err(failure),
        };
        let give_up = started + self.source.config.scrape_interval;
        let result = match judged {
            Ok(judged) => self.keep(judged, time_ms, duration, give_up, stop).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            self.report_failure(failure, time_ms, duration, give_up, stop).await;
        }
        self.last_ms = Some(time_ms);
        self.teller.tell(time_ms, duration, &result);
    }

    fn into_remains(self) -> Remains {
        Remains { memory: self.memory, last_ms: self.last_ms }
    }
}

async fn ask(connection: &Connection, source: &Source, started: Instant) -> Result<Answer, Failure> {
    let client = connection.client(&source.endpoint).await?;
    let (answer, ()) = fetch(&client, &source.endpoint, ACCEPTED, check_type, started).await?;
    Ok(answer)
}

/// Only the text format: a login page with status 200 must not empty a cluster.
fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    let hint = "is the url that of a Prometheus";
    let Some(ContentType { shown, media, version }) = ContentType::of(headers) else {
        return Err(Failure::answer(format!("the answer has no content type, text/plain is expected, {hint}")));
    };
    if media != "text/plain" {
        return Err(Failure::answer(format!("the answer is {shown:?} instead of text/plain, {hint}")));
    }
    match version.as_deref() {
        None | Some("0.0.4" | "1.0.0") => Ok(()),
        Some(_) => Err(Failure::answer(format!("the answer is {shown:?}, versions 0.0.4 and 1.0.0 are understood"))),
    }
}

/// The markers that end every series of a source that has left the configuration, its `up` and `scrape_*` included.
pub(crate) fn end(source: &Source, remains: &Remains, now_ms: i64) -> Batch {
    let mut batch = remains.memory.end_all(now_ms);
    if let Some(last_ms) = remains.last_ms {
        report::end(&mut batch, &source.id, now_ms.max(last_ms.saturating_add(1)));
    }
    batch.stamped(source.cluster.clone())
}

fn decode_and_judge(answer: Answer, source: &Source, memory: &Memory, time_ms: i64) -> Result<Judged, Failure> {
    let stage = |error: &decode::Error| match error.kind() {
        ErrorKind::TooLarge => Stage::Answer,
        _ => Stage::Decode,
    };
    let failure = |error: decode::Error| Failure::new(stage(&error), format!("the answer is refused, {error}"));
    let Answer { body, encoding, source_time_ms } = answer;
    let text = decode::body::decompress(encoding, &body, &source.limits).map_err(failure)?;
    drop(body);
    // Each line of the format ends so; a body that does not was cut, and half a number is a number too.
    if text.last().is_some_and(|byte| *byte != b'\n') {
        return Err(Failure::new(Stage::Decode, "the answer ends inside a line, it was cut on its way"));
    }
    let batch = decode::text::decode(&text, time_ms, &source.limits).map_err(failure)?;
    drop(text);
    Ok(memory.judge(batch, AskedAt { time_ms, source_time_ms }))
}
