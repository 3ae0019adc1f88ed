//! Finds the targets of a job: those that stand in the configuration, in files, or that servers list.
//!
//! Owns: when files and servers are read again, what was last found at each place, and what is known of each list as a
//! source of its own.
//! Does not own: what becomes of a target (`scrape`).
//!
//! A list that cannot be read leaves what was found there before as it is: a file half written or a server that is away
//! must not end any target.

mod file;
mod group;
mod http;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::source::SourceId;
use model::worker::Worker;
use model::{Clock, Error, Sources};
use tokio::sync::watch;

use self::file::FileList;
use self::http::HttpList;
use crate::config::ScrapeConfig;

pub(crate) use self::group::Group;

/// What was found so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The groups of each place that could be read.
    groups: BTreeMap<String, Arc<Vec<Group>>>,
    /// How many lists have not been read yet, with or without success.
    unread: usize,
}

impl Found {
    /// All groups, in the order of their places.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().flat_map(|groups| groups.iter())
    }

    /// Whether each list was read at least once, so that what is not here is not there.
    pub(crate) fn is_whole(&self) -> bool {
        self.unread == 0
    }
}

/// Where lists write what they find.
#[derive(Debug, Clone)]
struct Board(watch::Sender<Found>);

impl Board {
    /// Replaces the groups of places; those that a list does not name any more go.
    fn write(&self, list: &str, groups: impl IntoIterator<Item = (String, Arc<Vec<Group>>)>) {
        let groups: BTreeMap<String, Arc<Vec<Group>>> =
            groups.into_iter().map(|(place, groups)| (format!("{list}\n{place}"), groups)).collect();
        self.0.send_if_modified(|found| {
            let is_own = |place: &String| place.split('\n').next() == Some(list);
            let before = found.groups.iter().filter(|(place, _)| is_own(place));
            if before.eq(groups.iter()) {
                return false;
            }
            found.groups.retain(|place, _| !is_own(place));
            found.groups.extend(groups);
            true
        });
    }

    /// Notes that a list was read for the first time, with or without success.
    fn note_read(&self) {
        self.0.send_modify(|found| found.unread = found.unread.saturating_sub(1));
    }
}

/// Where lists tell how they are.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Parts {
    /// Tells how the reading of a list went: on the board, and in the log when that changes. `interval` is how often a
    /// list is asked for that cannot be looked at.
    fn tell(&self, id: &SourceId, interval: Option<Duration>, read: &Result<Vec<Group>, String>) {
        let now_ms = self.clock.now_ms();
        self.sources.update(id, |status| {
            let before = status.error.is_some();
            status.interval_ms = interval.and_then(|interval| i64::try_from(interval.as_millis()).ok());
            status.last_attempt_ms = Some(now_ms);
            status.error = read.as_ref().err().cloned();
            if let Ok(groups) = read {
                status.last_success_ms = Some(now_ms);
                status.samples = groups.iter().map(|group| group.targets().count() as u64).sum();
            }
            match &status.error {
                Some(error) if !before => tracing::warn!(kind = id.kind, cluster = %id.cluster, job = %id.job,
                    list = %id.instance, %error, "list of targets cannot be read, what it held before stays"),
                None if before => tracing::info!(kind = id.kind, cluster = %id.cluster, job = %id.job,
                    list = %id.instance, "list of targets can be read again"),
                _ => {}
            }
        });
    }
}

/// The lists of one job, read again and again.
#[derive(Debug)]
pub(crate) struct Discovery {
    found: watch::Receiver<Found>,
    workers: Vec<Worker>,
}

impl Discovery {
    /// Begins to read the lists of a job.
    ///
    /// # Errors
    /// `Invalid` if the configuration is wrong.
    pub(crate) fn start(config: &ScrapeConfig, parts: &Parts) -> Result<Self, Error> {
        let files = config.file_sd_configs.iter().map(|c| FileList::new(config, c, parts)).collect::<Vec<_>>();
        let servers = config.http_sd_configs.iter().map(|c| HttpList::new(config, c, parts));
        let servers = servers.collect::<Result<Vec<_>, Error>>()?;
        let unread = files.len() + servers.len();
        let (sender, found) = watch::channel(Found { groups: BTreeMap::new(), unread });
        let board = Board(sender);
        let standing: Vec<Group> = config.static_configs.iter().map(Group::from).collect();
        board.write("static", [(String::new(), Arc::new(standing))]);
        let mut workers = Vec::with_capacity(unread);
        for (number, list) in files.into_iter().enumerate() {
            let board = board.clone();
            let name = format!("file discovery {} {}", config.cluster, config.job_name);
            workers.push(Worker::task(name, move |stop| list.read_on(format!("file{number}"), board, stop)));
        }
        for (number, list) in servers.into_iter().enumerate() {
            let board = board.clone();
            let name = format!("http discovery {} {}", config.cluster, config.job_name);
            workers.push(Worker::task(name, move |stop| list.read_on(format!("http{number}"), board, stop)));
        }
        Ok(Discovery { found, workers })
    }

    /// What is found now; marks it as seen.
    pub(crate) fn found(&mut self) -> Found {
        self.found.borrow_and_update().clone()
    }

    /// Returns once something else is found than was seen; never if nothing more can be.
    pub(crate) async fn changed(&mut self) {
        if self.found.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends the reading.
    pub(crate) async fn stop(self) {
        for worker in self.workers {
            worker.stop().await;
        }
    }
}
