//! Federation: asks the `/federate` of other Prometheus servers and writes what they answer.
//!
//! Owns: which servers are asked, one background task each, and what happens to their series when they come and go.
//! Does not own: the text format (`decode`), the store ([`model::Ingest`]), the configuration file (the binary).
//!
//! ```text
//! task (when) ─> attempt ─> fetch ─> decode ─> timestamp_rule ─> report ─> write ─> board, counters, log
//! ```

mod attempt;
mod extend;
mod report;
mod source;
mod task;
mod timestamp_rule;

use std::sync::Arc;

use futures::future::join_all;
use model::worker::Stop;
use tokio::time::Instant;
use url::Position;

use self::attempt::{Remains, Scraper, end};
use self::task::Task;
use crate::Parts;
use crate::metrics::Metrics;
use crate::write::{END_PATIENCE, write_until};

pub(crate) use self::source::{Source, instance};

/// All servers that are being asked.
#[derive(Debug)]
pub(crate) struct Federation {
    parts: Parts,
    metrics: Arc<Metrics>,
    tasks: Vec<Task>,
}

impl Federation {
    /// Begins to ask these servers.
    pub(crate) fn start(sources: &[Arc<Source>], parts: Parts, metrics: Arc<Metrics>) -> Self {
        let mut federation = Federation { parts, metrics, tasks: Vec::new() };
        for source in sources {
            federation.begin(source.clone(), Remains::default());
        }
        federation
    }

    /// Goes over to other servers; `elsewhere` are those that are read in another way. A server whose entry is the same is not touched. One whose entry changed goes on
    /// from what was remembered of it. The series of one that is gone end with markers, unless it is read in another way.
    pub(crate) async fn reload(&mut self, wanted: &[Arc<Source>], elsewhere: &[&Source]) {
        let is_same = |task: &Task, source: &Source| task.source.config == source.config && !task.is_dead();
        let tasks = std::mem::take(&mut self.tasks);
        let (kept, over): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| wanted.iter().any(|source| is_same(task, source)));
        let begun = wanted.iter().filter(|source| !kept.iter().any(|task| is_same(task, source)));
        let begun: Vec<Arc<Source>> = begun.cloned().collect();
        self.tasks = kept;
        let mut stopped = join_all(over.into_iter().map(Task::stop)).await;
        for source in begun {
            let remains = inherit(&source, &mut stopped);
            self.begin(source, remains);
        }
        for (source, remains) in stopped {
            if !self.tasks.iter().any(|task| task.source.id == source.id) {
                self.parts.sources.remove(&source.id);
            }
            if !elsewhere.iter().any(|other| other.is_same_host(&source)) {
                self.end(&source, &remains).await;
            }
        }
    }

    /// Stops asking. No series is marked: after the next start it goes on, as with Prometheus.
    pub(crate) async fn stop(self) {
        join_all(self.tasks.into_iter().map(Task::stop)).await;
    }

    fn begin(&mut self, source: Arc<Source>, remains: Remains) {
        let interval_ms = i64::try_from(source.config.scrape_interval.as_millis()).ok();
        self.parts.sources.update(&source.id, |status| {
            status.interval_ms = interval_ms;
            status.url = source.endpoint.url[..Position::AfterPath].to_owned();
        });
        let counters = self.metrics.federate(&source.id.cluster, &source.id.job);
        let scraper = Scraper::new(source, self.parts.clone(), counters, remains);
        self.tasks.push(Task::start(scraper, self.parts.clock.clone()));
    }

    /// Marks the series of a stopped task that nobody has inherited.
    async fn end(&self, source: &Source, remains: &Remains) {
        let batch = end(source, remains, self.parts.clock.now_ms());
        if batch.is_empty() {
            return;
        }
        let written =
            write_until(&self.parts.ingest, batch, Instant::now() + END_PATIENCE, &Stop::default(), || ()).await;
        if let Err(error) = written {
            tracing::warn!(cluster = %source.id.cluster, job = %source.id.job, instance = %source.id.instance, %error,
                series = remains.memory.series(), "series of a removed source could not be marked as ended");
        }
    }
}

/// Takes what a stopped task of the same server remembered: its series are the same whatever the job is called now, and
/// would else be ended and begun in one breath.
fn inherit(source: &Source, stopped: &mut Vec<(Arc<Source>, Remains)>) -> Remains {
    let is_same_job = |old: &Source| old.id == source.id;
    let is_same_server = |old: &Source| {
        old.id.cluster == source.id.cluster
            && old.endpoint.url[..Position::BeforeQuery] == source.endpoint.url[..Position::BeforeQuery]
    };
    if let Some(at) = stopped.iter().position(|(old, _)| is_same_job(old)) {
        return stopped.swap_remove(at).1;
    }
    let Some(at) = stopped.iter().position(|(old, _)| is_same_server(old)) else { return Remains::default() };
    // The rows of the report carry the job, so those of the old one end with it.
    let memory = std::mem::take(&mut stopped[at].1.memory);
    Remains { memory, last_ms: None }
}
