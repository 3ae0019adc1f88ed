//! The targets of one job: which there are, and a task for each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use model::source::SourceId;
use model::worker::{Stop, Worker};
use model::{Error, Sources};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::attempt::{Remains, Scraper};
use super::job::Job;
use super::target::{KIND, Target};
use crate::Parts;
use crate::discovery::{self, Discovery, Found};
use crate::schedule::Schedule;
use crate::task::Task;
use crate::write::{END_PATIENCE, write_until};
/// How often it is looked whether a task has ended that nobody stopped.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// The tasks of a job by their target.
pub(super) type Tasks = BTreeMap<SourceId, Scraped>;

/// A target that is being scraped.
pub(super) struct Scraped {
    job: Arc<Job>,
    target: Target,
    task: Task<Scraper>,
}

impl fmt::Debug for Scraped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scraped").field("target", &self.target).finish_non_exhaustive()
    }
}

/// One job with its targets.
#[derive(Debug)]
pub(super) struct Pool {
    job: Arc<Job>,
    worker: Worker,
    /// Where the worker leaves the tasks, which go on, when it ends.
    left: Arc<Mutex<Tasks>>,
}

impl Pool {
    /// Begins to look for targets, and to scrape them. `tasks` are those of the same job before a reload.
    ///
    /// # Errors
    /// `Invalid` if the configuration is wrong.
    pub(super) fn start(job: Arc<Job>, parts: Parts, tasks: Tasks) -> Result<Self, Error> {
        let lists = discovery::Parts { sources: parts.sources.clone(), clock: parts.clock.clone() };
        let discovery = Discovery::start(&job.config, &lists)?;
        let left = Arc::new(Mutex::new(Tasks::new()));
        let (leave, name) = (left.clone(), format!("scrape {} {}", job.config.cluster, job.config.job_name));
        let targets = Targets { job: job.clone(), parts, tasks, wrong: BTreeMap::new() };
        let worker = Worker::task(name, |stop| async move {
            *leave.lock() = follow(targets, discovery, stop).await;
        });
        Ok(Pool { job, worker, left })
    }

    /// What all of its targets have in common.
    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// Whether the work has ended though nobody stopped it.
    pub(super) fn is_dead(&self) -> bool {
        self.worker.is_finished()
    }

    /// Ends the looking for targets; their tasks go on and are given away.
    pub(super) async fn release(self) -> (Arc<Job>, Tasks) {
        self.worker.stop().await;
        let tasks = std::mem::take(&mut *self.left.lock());
        (self.job, tasks)
    }

    /// Ends everything, scrapes under way too.
    pub(super) async fn stop(self) {
        let (_, tasks) = self.release().await;
        join_all(tasks.into_values().map(|scraped| scraped.task.stop())).await;
    }
}

/// Ends tasks that nobody takes over, and the series of their targets.
pub(super) async fn end(job: Arc<Job>, parts: Parts, tasks: Tasks) {
    let mut targets = Targets { job, parts, tasks: Tasks::new(), wrong: BTreeMap::new() };
    targets.end(tasks.into_values().collect()).await;
}

/// Keeps the tasks of a job to what is found, until told to stop.
async fn follow(mut targets: Targets, mut discovery: Discovery, stop: Stop) -> Tasks {
    loop {
        let found = discovery.found();
        targets.sync(found).await;
        tokio::select! {
            () = discovery.changed() => {}
            () = tokio::time::sleep(LOOK_AFTER) => {}
            () = stop.stopped() => break,
        }
    }
    discovery.stop().await;
    for id in targets.wrong.keys() {
        targets.parts.sources.remove(id);
    }
    targets.tasks
}

/// What was found, made targets.
#[derive(Debug, Default)]
struct Resolved {
    wanted: BTreeMap<SourceId, Target>,
    /// What no target can be made of, and why.
    wrong: BTreeMap<SourceId, String>,
    dropped: usize,
}

/// The tasks of a job, and what its targets need.
struct Targets {
    job: Arc<Job>,
    parts: Parts,
    tasks: Tasks,
    /// What is on the board as no target.
    wrong: BTreeMap<SourceId, String>,
}

impl Targets {
    /// Begins, ends and replaces tasks, so that there is one for each target that was found.
    async fn sync(&mut self, found: Found) {
        let is_whole = found.is_whole();
        let job = self.job.clone();
        let resolved = match tokio::task::spawn_blocking(move || resolve(&job, &found)).await {
            Ok(resolved) => resolved,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.job.set_target_counts(resolved.wanted.len(), resolved.dropped);
        self.tell_wrong(resolved.wrong);
        let mut gone = Vec::new();
        if is_whole {
            let (stay, over) =
                std::mem::take(&mut self.tasks).into_iter().partition(|(id, _)| resolved.wanted.contains_key(id));
            self.tasks = stay;
            gone = over.into_values().collect();
        }
        for (id, target) in resolved.wanted {
            let is_same =
                |old: &Scraped| Arc::ptr_eq(&old.job, &self.job) && old.target == target && !old.task.is_dead();
            let old = match self.tasks.remove(&id) {
                Some(old) if is_same(&old) => {
                    self.tasks.insert(id, old);
                    continue;
                }
                Some(old) => Some(old),
                None => gone.iter().position(|old| has_same_labels(old, &id)).map(|at| gone.swap_remove(at)),
            };
            self.begin(target, old);
        }
        self.end(gone).await;
    }

    /// Begins to scrape a target, in place of `old` if that is given, whose scrape under way is waited for.
    fn begin(&mut self, target: Target, old: Option<Scraped>) {
        let interval_ms = i64::try_from(target.interval.as_millis()).ok();
        let own_labels = self.job.keeps_labels();
        self.parts.sources.update(&target.id, |status| {
            status.interval_ms = interval_ms;
            status.own_labels = own_labels;
        });
        let (job, parts, clock) = (self.job.clone(), self.parts.clone(), self.parts.clock.clone());
        let schedule = Schedule::new(target.interval, &target.identity());
        let name = format!("scrape {} {}", target.id.cluster, target.id.instance);
        let (begun, id) = (target.clone(), target.id.clone());
        let task = Task::start(name, schedule, clock, async move {
            let Some(old) = old else { return Scraper::new(job, begun, parts, Remains::default()) };
            let remains = old.task.finish().await;
            if old.target.id != begun.id {
                // Not before: its last scrape is told too.
                parts.sources.remove(&old.target.id);
            }
            Scraper::new(job, begun, parts, remains)
        });
        self.tasks.insert(id, Scraped { job: self.job.clone(), target, task });
    }

    /// Ends tasks, and the series of their targets.
    async fn end(&mut self, tasks: Vec<Scraped>) {
        let parts = &self.parts;
        join_all(tasks.into_iter().map(|scraped| async move {
            let Scraped { job, target, task } = scraped;
            let remains = task.finish().await;
            parts.sources.remove(&target.id);
            let Some(batch) = remains.end(parts.clock.now_ms()).filter(|batch| !batch.is_empty()) else { return };
            let (batch, give_up) = (batch.stamped(job.cluster.clone()), Instant::now() + END_PATIENCE);
            if let Err(error) = write_until(&parts.ingest, batch, give_up, &Stop::default(), || ()).await {
                let id = &target.id;
                tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, %error,
                    "series of a target that is gone could not be marked as ended");
            }
        }))
        .await;
    }

    /// Puts what is no target on the board.
    fn tell_wrong(&mut self, wrong: BTreeMap<SourceId, String>) {
        tell_wrong(&self.parts.sources, &self.wrong, &wrong);
        self.wrong = wrong;
    }
}

fn tell_wrong(sources: &Sources, before: &BTreeMap<SourceId, String>, now: &BTreeMap<SourceId, String>) {
    for id in before.keys().filter(|id| !now.contains_key(id)) {
        sources.remove(id);
    }
    for (id, error) in now.iter().filter(|(id, error)| before.get(id) != Some(error)) {
        tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, %error, "no target");
        sources.update(id, |status| status.error = Some(error.clone()));
    }
}

/// Whether the rows of a target were those of another one in all but what is asked for them.
fn has_same_labels(old: &Scraped, id: &SourceId) -> bool {
    let old = &old.target.id;
    (&old.cluster, &old.job, &old.instance, &old.labels) == (&id.cluster, &id.job, &id.instance, &id.labels)
}

fn resolve(job: &Job, found: &Found) -> Resolved {
    let resolver = job.resolver();
    let mut resolved = Resolved::default();
    for group in found.groups() {
        for labels in group.targets() {
            let labels: Vec<(&str, &str)> = labels.collect();
            match resolver.target(labels.iter().copied()) {
                Ok(None) => resolved.dropped += 1,
                Ok(Some(target)) => {
                    resolved.wanted.insert(target.id.clone(), target);
                }
                Err(error) => {
                    let address = labels.iter().rev().find(|(name, _)| *name == "__address__");
                    let id = SourceId {
                        kind: KIND,
                        cluster: job.config.cluster.clone(),
                        job: job.config.job_name.clone(),
                        instance: address.map_or_else(String::new, |(_, address)| (*address).to_owned()),
                        url: String::new(),
                        labels: String::new(),
                    };
                    resolved.wrong.insert(id, error.to_string());
                }
            }
        }
    }
    resolved
}
