//! Remote read: reads every sample of other Prometheus servers, from where the last reading ended.
//!
//! Owns: which servers are read, one background task each; which times of each have been read, and which are missing.
//! Does not own: the wire format (`decode`), the store ([`model::Ingest`], [`model::Recall`]), the configuration file.
//!
//! ```text
//! task (when) ─> reader ─ what is new, then what is missing ─> answers ─> exchange ─> decode ─> write ─> record
//!                  └─ pace (how much at once)                                                              │
//!                  └─ coverage (what has been read) <──── after a restart ──── model::Recall <─────────────┘
//! ```
//!
//! **What has been read is a row.** Once all samples of the times (S, T] of a source are durable, a row is written with
//! time T and value S. It stands behind them in the journal and beside them in the blocks, so whatever a crash, a power
//! cut or a lost disk takes, a row that is left speaks of samples that are left. What no row speaks of is read again;
//! samples that are there already are the same then, and one of each is seen.

mod answers;
mod coverage;
mod exchange;
mod pace;
mod reader;
mod record;
mod server;

use std::sync::Arc;

use futures::future::join_all;
use model::worker::Stop;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Position;

use self::coverage::Coverage;
use self::reader::Reader;
use crate::Parts;
use crate::federate::Source;
use crate::metrics::Metrics;
use crate::schedule::Schedule;
use crate::task;
use crate::write::{END_PATIENCE, write_until};

pub(crate) use self::server::Server;

/// Pieces of the past that are read at once, of all servers together: after an outage of ours all of them have a hole.
const PAST_AT_ONCE: usize = 2;

/// All servers that are being read.
#[derive(Debug)]
pub(crate) struct Reading {
    parts: Parts,
    metrics: Arc<Metrics>,
    /// A permit for each piece of the past.
    room: Arc<Semaphore>,
    tasks: Vec<Task>,
}

/// A server with the task that reads it.
#[derive(Debug)]
struct Task {
    server: Arc<Server>,
    task: task::Task<Reader>,
}

impl Reading {
    /// Begins to read these servers.
    pub(crate) fn start(servers: &[Arc<Server>], parts: Parts, metrics: Arc<Metrics>) -> Self {
        let room = Arc::new(Semaphore::new(PAST_AT_ONCE));
        let mut reading = Reading { parts, metrics, room, tasks: Vec::new() };
        for server in servers {
            reading.begin(server.clone(), None);
        }
        reading
    }

    /// Goes over to other servers; `elsewhere` are those that are read in another way. A server whose entry is the same is not touched; one whose entry changed is read
    /// from where it was, if it is asked for the same.
    pub(crate) async fn reload(&mut self, wanted: &[Arc<Server>], elsewhere: &[Arc<Source>]) {
        let is_same = |task: &Task, server: &Server| task.server.config() == server.config() && !task.task.is_dead();
        let tasks = std::mem::take(&mut self.tasks);
        let (kept, over): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| wanted.iter().any(|server| is_same(task, server)));
        let begun = wanted.iter().filter(|server| !kept.iter().any(|task| is_same(task, server)));
        let begun: Vec<Arc<Server>> = begun.cloned().collect();
        self.tasks = kept;
        let stopped = join_all(over.into_iter().map(|task| async { (task.server, task.task.stop().await) })).await;
        for server in begun {
            let same = stopped.iter().find(|(old, _)| old.asks_for_the_same(&server));
            self.begin(server, same.and_then(|(_, coverage)| coverage.clone()));
        }
        for (server, _) in stopped {
            if !self.tasks.iter().any(|task| task.server.source.id == server.source.id) {
                self.parts.sources.remove(&server.source.id);
                let all = wanted.iter().map(|other| &other.source).chain(elsewhere.iter().map(|other| &**other));
                let goes_on = all.into_iter().any(|other| other.is_twin(&server.source));
                self.end(&server, goes_on).await;
            }
        }
    }

    /// Stops reading. After the next start it goes on from where it was.
    pub(crate) async fn stop(self) {
        join_all(self.tasks.into_iter().map(|task| task.task.stop())).await;
    }

    fn begin(&mut self, server: Arc<Server>, coverage: Option<Coverage>) {
        let source = &server.source;
        let interval_ms = i64::try_from(source.config.scrape_interval.as_millis()).ok();
        self.parts.sources.update(&source.id, |status| {
            status.interval_ms = interval_ms;
            status.url = source.endpoint.url[..Position::AfterPath].to_owned();
        });
        let counters = self.metrics.remote_read(&source.id.cluster, &source.id.job);
        let schedule = Schedule::new(source.config.scrape_interval, &source.identity());
        let name = format!("remote read {} {}", source.id.cluster, source.id.instance);
        let reader = Reader::new(server.clone(), self.parts.clone(), counters, self.room.clone(), coverage);
        let task = task::Task::start(name, schedule, self.parts.clock.clone(), std::future::ready(reader));
        self.tasks.push(Task { server, task });
    }

    /// Ends the rows that tell of the reading, unless they go on because the server is read in another way. The series
    /// of the server are not ended: what it says of them has been read, markers included.
    async fn end(&self, server: &Server, goes_on: bool) {
        if goes_on {
            return;
        }
        let batch = record::end(&server.source, self.parts.clock.now_ms());
        let give_up = Instant::now() + END_PATIENCE;
        if let Err(error) = write_until(&self.parts.ingest, batch, give_up, &Stop::default(), || ()).await {
            let id = &server.source.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, %error,
                "the rows of a removed source could not be marked as ended");
        }
    }
}
