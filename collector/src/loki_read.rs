//! Reading of Loki: every line of other Loki servers, from where the last reading ended.
//!
//! Owns: which servers are read, one background task each; how far each has been read.
//! Does not own: the wire format (`decode`), the store ([`model::Ingest`], [`model::Recall`]), the configuration file.
//!
//! ```text
//! task (when) ─> reader ─> exchange ─> decode ─> cursor (what is new) ─> write ─> record
//!                                                  └──── after a restart ──── model::Recall
//! ```
//!
//! **How far a Loki has been read is a row.** It is written once the lines before it are durable. A process that ends between the
//! two leaves lines behind its record, and lines have no identity by which the store could tell that they come again. So the
//! first pages after a start are compared with what the store has of their times, until one comes of which nothing is there.

mod cursor;
mod exchange;
mod reader;
mod record;
mod server;

use std::sync::Arc;

use futures::future::join_all;
use model::worker::Stop;
use tokio::time::Instant;
use url::Position;

use self::reader::{Place, Reader};
use crate::Parts;
use crate::metrics::Metrics;
use crate::schedule::Schedule;
use crate::task;
use crate::write::{END_PATIENCE, write_until};

pub(crate) use self::server::Loki;

/// All servers that are being read.
#[derive(Debug)]
pub(crate) struct LokiReading {
    parts: Parts,
    metrics: Arc<Metrics>,
    tasks: Vec<Task>,
}

/// A server with the task that reads it.
#[derive(Debug)]
struct Task {
    loki: Arc<Loki>,
    task: task::Task<Reader>,
}

impl LokiReading {
    /// Begins to read these servers.
    pub(crate) fn start(servers: &[Arc<Loki>], parts: Parts, metrics: Arc<Metrics>) -> Self {
        let mut reading = LokiReading { parts, metrics, tasks: Vec::new() };
        for loki in servers {
            reading.begin(loki.clone(), None);
        }
        reading
    }

    /// Goes over to other servers. A server whose entry is the same is not touched; one whose entry changed is read from where it
    /// was, if it is asked for the same.
    pub(crate) async fn reload(&mut self, wanted: &[Arc<Loki>]) {
        let is_same = |task: &Task, loki: &Loki| task.loki.config == loki.config && !task.task.is_dead();
        let tasks = std::mem::take(&mut self.tasks);
        let (kept, over): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| wanted.iter().any(|loki| is_same(task, loki)));
        let begun = wanted.iter().filter(|loki| !kept.iter().any(|task| is_same(task, loki)));
        let begun: Vec<Arc<Loki>> = begun.cloned().collect();
        self.tasks = kept;
        let stopped = join_all(over.into_iter().map(|task| async { (task.loki, task.task.stop().await) })).await;
        for loki in begun {
            let same = stopped.iter().find(|(old, _)| old.asks_for_the_same(&loki));
            self.begin(loki, same.and_then(|(_, place)| place.clone()));
        }
        for (loki, _) in stopped {
            if !self.tasks.iter().any(|task| task.loki.id == loki.id) {
                self.parts.sources.remove(&loki.id);
                self.end(&loki).await;
            }
        }
    }

    /// Stops reading. After the next start it goes on from where it was.
    pub(crate) async fn stop(self) {
        join_all(self.tasks.into_iter().map(|task| task.task.stop())).await;
    }

    fn begin(&mut self, loki: Arc<Loki>, place: Option<Place>) {
        let interval_ms = i64::try_from(loki.config.scrape_interval.as_millis()).ok();
        self.parts.sources.update(&loki.id, |status| {
            status.interval_ms = interval_ms;
            status.url = loki.endpoint.url[..Position::AfterPath].to_owned();
        });
        let counters = self.metrics.loki_read(&loki.id.cluster, &loki.id.job);
        let identity = format!("{}\n{}\n{}", loki.id.cluster, loki.id.job, loki.endpoint.url);
        let schedule = Schedule::new(loki.config.scrape_interval, &identity);
        let name = format!("read loki {} {}", loki.id.cluster, loki.id.instance);
        let reader = Reader::new(loki.clone(), self.parts.clone(), counters, place);
        let task = task::Task::start(name, schedule, self.parts.clock.clone(), std::future::ready(reader));
        self.tasks.push(Task { loki, task });
    }

    /// Ends the rows that tell of the reading.
    async fn end(&self, loki: &Loki) {
        let batch = record::end(loki, self.parts.clock.now_ms());
        let give_up = Instant::now() + END_PATIENCE;
        if let Err(error) = write_until(&self.parts.ingest, batch, give_up, &Stop::default(), || ()).await {
            let id = &loki.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, %error,
                "the rows of a removed source could not be marked as ended");
        }
    }
}
