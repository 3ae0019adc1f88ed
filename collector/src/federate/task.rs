//! The background work of one source: wait for the next instant, attempt, again.

use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use model::worker::{Stop, Worker};
use parking_lot::Mutex;

use super::attempt::{Remains, Scraper};
use super::source::Source;
use crate::schedule::Schedule;

/// A source that is being asked.
#[derive(Debug)]
pub(crate) struct Task {
    /// The source.
    pub(crate) source: Arc<Source>,
    worker: Worker,
    /// Where the work leaves what it remembers when it ends.
    remains: Arc<Mutex<Option<Remains>>>,
}

impl Task {
    /// Begins to ask the source of `scraper`.
    pub(crate) fn start(scraper: Scraper, clock: Arc<dyn Clock>) -> Self {
        let source = scraper.source.clone();
        let remains = Arc::new(Mutex::new(None));
        let left = remains.clone();
        let name = format!("federate {} {}", source.id.cluster, source.id.instance);
        let worker = Worker::task(name, |stop| async move {
            let end = ask(scraper, clock, stop).await;
            *left.lock() = Some(end.into_remains());
        });
        Task { source, worker, remains }
    }

    /// Whether the work has ended though nobody stopped it.
    pub(crate) fn is_dead(&self) -> bool {
        self.worker.is_finished()
    }

    /// Ends the work and gives what it remembered; nothing if it had panicked.
    pub(crate) async fn stop(self) -> (Arc<Source>, Remains) {
        self.worker.stop().await;
        let remains = self.remains.lock().take().unwrap_or_default();
        (self.source, remains)
    }
}

async fn ask(mut scraper: Scraper, clock: Arc<dyn Clock>, stop: Stop) -> Scraper {
    let schedule = Schedule::new(scraper.source.config.scrape_interval, &scraper.source.identity());
    let mut due_ms = schedule.next_after(clock.now_ms());
    loop {
        let wait_ms = u64::try_from(due_ms.saturating_sub(clock.now_ms())).unwrap_or(0);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
            () = stop.stopped() => return scraper,
        }
        scraper.attempt(schedule.snap(clock.now_ms()), &stop).await;
        if stop.is_stopped() {
            return scraper;
        }
        due_ms = schedule.next_after_attempt(clock.now_ms(), due_ms);
    }
}
