//! The background work of one source: wait for the next instant, attempt, again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use model::worker::{Stop, Worker};
use parking_lot::Mutex;

use crate::schedule::Schedule;

/// A source that can be asked, with what is remembered of it.
pub(crate) trait Asker: Send + 'static {
    /// What is left when it is asked no more, for whoever asks the same source next.
    type Remains: Send + Default + 'static;

    /// Asks once, for the instant `time_ms`. Told to stop, it drops a request under way but ends a write.
    fn attempt(&mut self, time_ms: i64, stop: &Stop) -> impl Future<Output = ()> + Send;

    /// Ends the asking.
    fn into_remains(self) -> Self::Remains;
}

/// A source that is being asked.
pub(crate) struct Task<A: Asker> {
    worker: Worker,
    /// Says that the attempt under way is the last one.
    last: Stop,
    /// Where the work leaves what it remembers when it ends.
    remains: Arc<Mutex<Option<A::Remains>>>,
}

impl<A: Asker> fmt::Debug for Task<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl<A: Asker> Task<A> {
    /// Begins to ask what `asker` gives, which may have to wait for another task of the same source to finish.
    pub(crate) fn start<F>(name: String, schedule: Schedule, clock: Arc<dyn Clock>, asker: F) -> Self
    where
        F: Future<Output = A> + Send + 'static,
    {
        let (remains, last) = (Arc::new(Mutex::new(None)), Stop::default());
        let (left, no_more) = (remains.clone(), last.clone());
        let worker = Worker::task(name, |stop| async move {
            let end = ask(asker.await, schedule, clock, stop, no_more).await;
            *left.lock() = Some(end.into_remains());
        });
        Task { worker, last, remains }
    }

    /// Whether the work has ended though nobody stopped it.
    pub(crate) fn is_dead(&self) -> bool {
        self.worker.is_finished()
    }

    /// Ends the work, the request under way too, and gives what it remembered; nothing if it had panicked.
    pub(crate) async fn stop(self) -> A::Remains {
        self.worker.stop().await;
        self.remains.lock().take().unwrap_or_default()
    }

    /// As [`Task::stop`], but the attempt under way is made to its end.
    pub(crate) async fn finish(self) -> A::Remains {
        self.last.now();
        self.worker.join().await;
        self.remains.lock().take().unwrap_or_default()
    }
}

async fn ask<A: Asker>(mut asker: A, schedule: Schedule, clock: Arc<dyn Clock>, stop: Stop, last: Stop) -> A {
    let mut due_ms = schedule.next_after(clock.now_ms());
    loop {
        let wait_ms = u64::try_from(due_ms.saturating_sub(clock.now_ms())).unwrap_or(0);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
            () = stop.stopped() => return asker,
            () = last.stopped() => return asker,
        }
        asker.attempt(schedule.snap(clock.now_ms()), &stop).await;
        if stop.is_stopped() || last.is_stopped() {
            return asker;
        }
        due_ms = schedule.next_after_attempt(clock.now_ms(), due_ms);
    }
}
