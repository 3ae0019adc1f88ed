//! Places for queries to run in: a fixed number of small runtimes. Who gets one next is decided by [`Queue`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::ErrorKind;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, oneshot};

use super::client::Client;
use super::queue::Queue;
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
    state: Mutex<State>,
    threads: usize,
    freed: Notify,
    refused: AtomicU64,
}

#[derive(Debug)]
struct State {
    places: Vec<Place>,
    queue: Queue<Waiter>,
}

/// What comes of waiting.
type Answer = Result<Ticket, Error>;

/// A query that waits for a place.
#[derive(Debug)]
struct Waiter {
    deadline: Instant,
    answer: oneshot::Sender<Answer>,
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
    /// Takes the place with this number; its runtime is made if it has none.
    fn start(&mut self, number: usize, threads: usize, deadline: Instant) -> Result<Handle, Error> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_multi_thread()
                .worker_threads(threads)
                .max_blocking_threads(threads * 4)
                .thread_stack_size(STACK_BYTES)
                .thread_name(format!("query-{number}"))
                .enable_all()
                .build()
                .map_err(|e| Error::new(ErrorKind::Unavailable, format!("no threads to run a query: {e}")))?,
        };
        let handle = self.runtime.insert(runtime).handle().clone();
        self.taken = true;
        self.deadline = Some(deadline);
        Ok(handle)
    }

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
        let state = Mutex::new(State { places, queue: Queue::default() });
        Places { state, threads, freed: Notify::new(), refused: AtomicU64::new(0) }
    }

    /// Takes a place for a query of a client, waiting for its turn if all are taken. `deadline` is when the query must have
    /// ended.
    ///
    /// # Errors
    /// `Busy` if none became free in time, `Unavailable` if the system gives no threads.
    pub(crate) async fn take(
        self: &Arc<Self>,
        client: &Client,
        wait: Duration,
        deadline: Instant,
    ) -> Result<Ticket, Error> {
        let give_up = Instant::now() + wait;
        let mut turn = self.enqueue(client, deadline);
        loop {
            let freed = self.freed.notified();
            self.hand_out();
            // The sender is dropped with its answer or, behind our back, never.
            if let Ok(answer) = turn.answer.try_recv() {
                return answer;
            }
            let now = Instant::now();
            if now >= give_up {
                self.refused.fetch_add(1, Ordering::Relaxed);
                let count = self.state.lock().places.len();
                return Err(Error::new(ErrorKind::Busy, format!("{count} queries are running already, try again"))
                    .retry_after(Duration::from_secs(1)));
            }
            // Whoever frees a place says so, but a query that was stopped ends a little later than that.
            let look_again = tokio::time::sleep(LOOK_AGAIN.min(give_up - now));
            tokio::select! {
                answer = &mut turn.answer => return answer.unwrap_or_else(|_| Err(gone())),
                () = freed => {}
                () = look_again => {}
            }
        }
    }

    fn enqueue(self: &Arc<Self>, client: &Client, deadline: Instant) -> Turn {
        let (sender, answer) = oneshot::channel();
        let number = self.state.lock().queue.push(client, Waiter { deadline, answer: sender });
        Turn { places: Arc::clone(self), client: client.clone(), number, answer }
    }

    /// Gives free places to those whose turn it is.
    fn hand_out(self: &Arc<Self>) {
        while let Some((waiter, answer)) = self.next() {
            // One that has just given up gives its place back with that.
            let _ = waiter.send(answer);
        }
    }

    /// The next waiting query with a place for it, if there are both.
    fn next(self: &Arc<Self>) -> Option<(oneshot::Sender<Answer>, Answer)> {
        let mut state = self.state.lock();
        let at = state.places.iter().position(Place::is_free)?;
        let Waiter { deadline, answer } = state.queue.pop()?;
        let ticket = state.places[at].start(at, self.threads, deadline);
        Some((answer, ticket.map(|handle| Ticket { places: Arc::clone(self), place: at, handle })))
    }

    /// How many queries go on although their time is over.
    pub(crate) fn stuck(&self) -> usize {
        let now = Instant::now();
        let is_stuck = |place: &&Place| !place.is_free() && place.deadline.is_some_and(|end| now > end + GRACE);
        self.state.lock().places.iter().filter(is_stuck).count()
    }

    /// How many places are taken.
    pub(crate) fn running(&self) -> usize {
        self.state.lock().places.iter().filter(|place| !place.is_free()).count()
    }

    /// How many queries wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().queue.len()
    }

    /// How many queries were refused for want of a place.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for place in &mut self.state.get_mut().places {
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
        if let Some(place) = self.places.state.lock().places.get_mut(self.place) {
            place.taken = false;
        }
        self.places.freed.notify_one();
    }
}

/// A query's turn to come. Dropping it, with an answer or without, gives it up.
#[derive(Debug)]
struct Turn {
    places: Arc<Places>,
    client: Client,
    number: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.places.state.lock().queue.remove(&self.client, self.number);
    }
}

/// Nobody takes a waiting query out of the queue without an answer.
fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the query lost its turn")
}

#[cfg(test)]
mod tests;
