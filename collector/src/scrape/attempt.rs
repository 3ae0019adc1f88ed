//! One scrape of a target: fetch, read, relabel, write, and say how it went.
//!
//! Owns: the order of these steps, and what is remembered from one scrape to the next.
//! Does not own: when scrapes happen (`task`), where their result is told (`teller`).

use std::sync::Arc;
use std::time::Duration;

use decode::body::ContentEncoding;
use model::worker::Stop;
use model::{Batch, Error};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::conditions::Conditions;
use super::job::Job;
use super::memory::{Memory, Taken};
use super::page::{self, Form};
use super::target::Target;
use crate::Parts;
use crate::fetch::{Answer, Connection, Endpoint, Failure, Stage, fetch};
use crate::metrics::Counts;
use crate::report::Report;
use crate::task::Asker;
use crate::teller::Teller;
use crate::write::{write, write_until};

/// Pages up to this size are read where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 64 << 10;
/// A compressed page becomes about ten times as large.
const INLINE_COMPRESSED_BYTES: usize = INLINE_BYTES / 10;

/// Rows may wait so long for those of other targets, to be made durable at once; never more than a twentieth of
/// the interval.
const PATIENCE: Duration = Duration::from_millis(250);

/// What is left of a target that is not scraped any more; nothing of one that never was.
#[derive(Debug, Default)]
pub(crate) struct Remains(Option<Arc<Mutex<Memory>>>);

impl Remains {
    /// The markers that end every series of the target.
    pub(super) fn end(&self, now_ms: i64) -> Option<Batch> {
        self.0.as_ref().map(|memory| memory.lock().end(now_ms))
    }
}

/// A target with everything that is needed to scrape it.
#[derive(Debug)]
pub(crate) struct Scraper {
    job: Arc<Job>,
    target: Target,
    /// How the target is asked, or why it cannot be.
    endpoint: Result<Endpoint, Error>,
    connection: Connection,
    /// Shared with the thread that reads a page.
    conditions: Arc<Conditions>,
    memory: Arc<Mutex<Memory>>,
    parts: Parts,
    teller: Teller,
}

/// A scrape that failed, with what had been seen of its page.
type Failed = (Failure, Counts);

impl Scraper {
    /// A scraper that goes on from what another one of the same target left.
    pub(super) fn new(job: Arc<Job>, target: Target, parts: Parts, remains: Remains) -> Self {
        let conditions = Arc::new(job.conditions(&target));
        let memory = match remains.0 {
            Some(memory) => {
                memory.lock().forget_lines();
                memory
            }
            None => Arc::new(Mutex::new(Memory::new(&conditions))),
        };
        let teller = Teller::new(target.id.clone(), parts.sources.clone(), job.counters());
        let endpoint = job.endpoint(&target);
        let connection = endpoint.as_ref().map(|endpoint| job.connection(endpoint)).unwrap_or_default();
        Scraper { job, target, endpoint, connection, conditions, memory, parts, teller }
    }

    /// Fetches a page and makes rows of it.
    async fn take(&self, time_ms: i64, started: Instant) -> Result<Taken, Failed> {
        let failed = |failure| (failure, Counts::default());
        if let Some(obstacle) = self.job.obstacle() {
            return Err(failed(Failure::request(obstacle)));
        }
        let endpoint = self.endpoint.as_ref().map_err(|e| failed(Failure::request(e.to_string())))?;
        let client = self.connection.client(endpoint).await.map_err(failed)?;
        let check = |headers: &_| self.job.forms.of_answer(headers);
        let (answer, form) = fetch(&client, endpoint, &self.job.forms.accept, check, started).await.map_err(failed)?;
        self.teller.counters().received(answer.body.len());
        let inline_bytes =
            if answer.encoding == ContentEncoding::Identity { INLINE_BYTES } else { INLINE_COMPRESSED_BYTES };
        let is_small = answer.body.len() <= inline_bytes;
        let (job, conditions, memory) = (self.job.clone(), self.conditions.clone(), self.memory.clone());
        let work = move || rows_of(answer, form, time_ms, &job.limits, &conditions, &memory);
        if is_small {
            return work();
        }
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(failed(Failure::new(Stage::Decode, "the reading of the page broke off"))))
    }

    /// Writes the rows of a page, and only then remembers them.
    async fn keep(
        &self,
        taken: Taken,
        time_ms: i64,
        duration: Duration,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<Counts, Failed> {
        let (mut batch, counts, page) = taken.into_parts();
        self.memory.lock().add_report(&mut batch, &report(true, duration, counts), time_ms);
        self.write(batch, give_up, stop).await.map_err(|failure| (failure, counts))?;
        self.memory.lock().commit(page, time_ms);
        Ok(counts)
    }

    /// Writes that the scrape failed, and that nothing is known of the series any more. If the store does not take that
    /// either, nothing more can be said in it.
    async fn fail(&self, stage: Stage, report: &Report, time_ms: i64, give_up: Instant, stop: &Stop) {
        let batch = self.memory.lock().fail(report, time_ms);
        let written = if stage == Stage::Write {
            // The time for this scrape may be used up; the rows are few, so they are offered once.
            write(&self.parts.ingest, batch.stamped(self.job.cluster.clone())).await
        } else {
            self.write(batch, give_up, stop).await
        };
        match written {
            Ok(()) => self.memory.lock().commit_failure(time_ms),
            Err(error) => {
                let id = &self.target.id;
                tracing::debug!(cluster = %id.cluster, job = %id.job, instance = %id.instance, %error,
                    "the report of a failed scrape was not written");
            }
        }
    }

    async fn write(&self, batch: Batch, give_up: Instant, stop: &Stop) -> Result<(), Failure> {
        let mut batch = batch.stamped(self.job.cluster.clone());
        batch.patience = PATIENCE.min(self.target.interval / 20);
        write_until(&self.parts.ingest, batch, give_up, stop, || self.teller.counters().write_retried()).await.map(drop)
    }
}

impl Asker for Scraper {
    type Remains = Remains;

    async fn attempt(&mut self, time_ms: i64, stop: &Stop) {
        let started = Instant::now();
        let taken = tokio::select! {
            taken = self.take(time_ms, started) => taken,
            () = stop.stopped() => return,
        };
        let duration = started.elapsed();
        let give_up = started + self.target.interval;
        let result = match taken {
            Ok(taken) => self.keep(taken, time_ms, duration, give_up, stop).await,
            Err(failed) => Err(failed),
        };
        if let Err((failure, counts)) = &result {
            self.fail(failure.stage, &report(false, duration, *counts), time_ms, give_up, stop).await;
        }
        self.teller.tell(time_ms, duration, &result.map_err(|(failure, _)| failure));
    }

    fn into_remains(self) -> Remains {
        Remains(Some(self.memory))
    }
}

fn report(up: bool, duration: Duration, counts: Counts) -> Report {
    let Counts { exposed, kept, added, .. } = counts;
    Report { up, duration_seconds: duration.as_secs_f64(), samples: exposed, kept, series_added: added }
}

fn rows_of(
    answer: Answer,
    form: Form,
    time_ms: i64,
    limits: &decode::Limits,
    conditions: &Conditions,
    memory: &Mutex<Memory>,
) -> Result<Taken, Failed> {
    let page = page::read(form, answer.encoding, answer.body, limits).map_err(|e| (e, Counts::default()))?;
    memory.lock().take(page, time_ms, conditions).map_err(|refused| (refused.failure, refused.counts))
}
