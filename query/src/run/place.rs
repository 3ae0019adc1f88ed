//! Places for queries to run in: a fixed number of small runtimes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::ErrorKind;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

use crate::error::Error;

/// The stack of a query's thread: plans are trees, and walking them recurses.
const STACK_BYTES: usize = 64 << 20;
/// A query is stuck once it goes on for this long past its deadline.
const GRACE: Duration = Duration::from_secs(1);
/// How often a waiting query looks whether a query that was stopped has really ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    places: Mutex<Vec<Place>>,
    threads: usize,
    freed: Notify,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Place {
    /// Made when the place is first needed.
    runtime: Option<Runtime>,
    /// Whether someone holds the ticket of this place.
    taken: bool,
    /// When the query in here must have ended.
    deadline: Option<Instant>,
}

impl Place {
    /// Whether nothing of any query runs here any more.
    fn is_free(&self) -> bool {
        !self.taken && self.runtime.as_ref().is_none_or(|runtime| runtime.metrics().num_alive_tasks() == 0)
    }
}

/// The right to run one query in a place; dropping it frees the place as soon as the query has really ended.
#[derive(Debug)]
pub(crate) struct Ticket {
    places: Arc<Places>,
    place: usize,
    handle: Handle,
}

impl Places {
    /// `count` places with `threads` threads each, none of them started yet.
    pub(crate) fn new(count: usize, threads: usize) -> Self {
        let places = (0..count.max(1)).map(|_| Place::default()).collect();
        Places { places: Mutex::new(places), threads, freed: Notify::new(), refused: AtomicU64::new(0) }
    }

    /// Takes a place, waiting for one if all are taken.
    ///
    /// # Errors
    /// `Busy` if none became free in time, `Unavailable` if the system gives no threads.
    pub(crate) async fn take(self: &Arc<Self>, wait: Duration, deadline: Instant) -> Result<Ticket, Error> {
        let give_up = Instant::now() + wait;
        loop {
            let freed = self.freed.notified();
            if let Some(ticket) = self.try_take(deadline)? {
                return Ok(ticket);
            }
            if Instant::now() >= give_up {
                self.refused.fetch_add(1, Ordering::Relaxed);
                let count = self.places.lock().len();
                return Err(Error::new(ErrorKind::Busy, format!("{count} queries are running already, try again"))
                    .retry_after(Duration::from_secs(1)));
            }
            // Whoever frees a place says so, but a query that was stopped ends a little later than that.
            let _ = tokio::time::timeout(LOOK_AGAIN, freed).await;
        }
    }

    fn try_take(self: &Arc<Self>, deadline: Instant) -> Result<Option<Ticket>, Error> {
        let mut places = self.places.lock();
        let Some(at) = places.iter().position(Place::is_free) else { return Ok(None) };
        let place = &mut places[at];
        let runtime = match place.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_multi_thread()
                .worker_threads(self.threads)
                .max_blocking_threads(self.threads * 4)
                .thread_stack_size(STACK_BYTES)
                .thread_name(format!("query-{at}"))
                .enable_all()
                .build()
                .map_err(|e| Error::new(ErrorKind::Unavailable, format!("no threads to run a query: {e}")))?,
        };
        let handle = runtime.handle().clone();
        place.runtime = Some(runtime);
        place.taken = true;
        place.deadline = Some(deadline);
        Ok(Some(Ticket { places: Arc::clone(self), place: at, handle }))
    }

    /// How many queries go on although their time is over.
    pub(crate) fn stuck(&self) -> usize {
        let now = Instant::now();
        let is_stuck = |place: &&Place| !place.is_free() && place.deadline.is_some_and(|end| now > end + GRACE);
        self.places.lock().iter().filter(is_stuck).count()
    }

    /// How many places are taken.
    pub(crate) fn running(&self) -> usize {
        self.places.lock().iter().filter(|place| !place.is_free()).count()
    }

    /// How many queries were refused for want of a place.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for place in self.places.get_mut() {
            if let Some(runtime) = place.runtime.take() {
                runtime.shutdown_background();
            }
        }
    }
}

impl Ticket {
    /// The runtime of the place.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(place) = self.places.places.lock().get_mut(self.place) {
            place.taken = false;
        }
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
