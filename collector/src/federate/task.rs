//! One server that is being asked.

use std::sync::Arc;

use model::Clock;

use super::attempt::{Remains, Scraper};
use super::source::Source;
use crate::schedule::Schedule;
use crate::task;

/// A server with the task that asks it.
#[derive(Debug)]
pub(crate) struct Task {
    /// The server.
    pub(crate) source: Arc<Source>,
    task: task::Task<Scraper>,
}

impl Task {
    /// Begins to ask the source of `scraper`.
    pub(crate) fn start(scraper: Scraper, clock: Arc<dyn Clock>) -> Self {
        let source = scraper.source.clone();
        let name = format!("federate {} {}", source.id.cluster, source.id.instance);
        let schedule = Schedule::new(source.config.scrape_interval, &source.identity());
        let task = task::Task::start(name, schedule, clock, std::future::ready(scraper));
        Task { source, task }
    }

    /// Whether the work has ended though nobody stopped it.
    pub(crate) fn is_dead(&self) -> bool {
        self.task.is_dead()
    }

    /// Ends the work and gives what it remembered; nothing if it had panicked.
    pub(crate) async fn stop(self) -> (Arc<Source>, Remains) {
        (self.source, self.task.stop().await)
    }
}
