//! The writer: a queue in front of one thread that owns the journal.
//!
//! Owns: the queue and its bound, refusing when the journal is full, the thread and its end.
//! Does not own: how a group is made and answered (`group`), nor what an item is (the owner's [`Group`]).
//!
//! A group is whatever waited while the sync before it ran. An item may have patience: alone it does not begin a group
//! until that is used up, so that items that come one by one share a sync too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use model::worker::Worker;
use parking_lot::{Condvar, Mutex};

use crate::Position;
use crate::error::Error;
use crate::journal::Journal;
use crate::stats::{Counters, Stats};

mod group;

#[cfg(test)]
pub(crate) use group::Appender;
pub use group::{Group, RecordBuilder};

/// Items that may wait for the writer; more are refused.
const QUEUE_ITEMS: u64 = 4096;
/// When so many wait, they wait no longer, whatever their patience.
const PATIENT_ITEMS: usize = 64;

/// Appends to a journal. Dropping it ends the thread too, once all that was submitted is answered.
#[derive(Debug)]
pub struct Writer<G: Group> {
    shared: Arc<Shared<G::Item>>,
    /// Taken by whoever stops the writer first.
    worker: Mutex<Option<Worker>>,
}

struct Shared<I> {
    queue: Mutex<Queue<I>>,
    wake: Condvar,
    counters: Counters,
    /// Why the journal could not be closed in good order.
    failed_close: Mutex<Option<Error>>,
}

struct Queue<I> {
    commands: VecDeque<Command<I>>,
    /// When the first of them wants to be carried out; `None` without any.
    due: Option<Instant>,
    is_open: bool,
}

impl<I> Queue<I> {
    /// Adds a command that has so much patience; says whether the writer must hear of it.
    fn push(&mut self, command: Command<I>, patience: Duration) -> bool {
        let patience = if self.commands.len() < PATIENT_ITEMS { patience } else { Duration::ZERO };
        let due = Instant::now() + patience;
        self.commands.push_back(command);
        let is_first = self.due.is_none_or(|before| due < before);
        if is_first {
            self.due = Some(due);
        }
        is_first
    }
}

pub(crate) enum Command<I> {
    Item(I),
    Barrier(Reply<(u64, Position)>),
    DropBefore(Position, Reply<()>),
    SetAside(Reply<()>),
}

pub(crate) type Reply<T> = SyncSender<Result<T, Error>>;

impl<I> std::fmt::Debug for Shared<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl<G: Group> Writer<G> {
    /// Starts the thread, which owns journal and group from here on.
    ///
    /// # Errors
    /// `Unavailable` if the operating system gives no thread.
    pub fn start(journal: Journal, group: G) -> Result<Writer<G>, Error> {
        let dir = journal.config.dir.clone();
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { commands: VecDeque::new(), due: None, is_open: true }),
            wake: Condvar::new(),
            counters: Counters::default(),
            failed_close: Mutex::new(None),
        });
        shared.counters.take_in(&journal);
        let of_thread = Arc::clone(&shared);
        let worker = Worker::thread("journal-writer", move |_| run(&of_thread, journal, group))
            .map_err(Error::io("starting the writer of", &dir))?;
        Ok(Writer { shared, worker: Mutex::new(Some(worker)) })
    }

    /// Queues an item; [`Group::durable`] or [`Group::failed`] answers it. Never blocks.
    ///
    /// # Errors
    /// The item, with `Busy` if the journal is at its cap or the queue is full, `Unavailable` if the writer has stopped.
    pub fn submit(&self, item: G::Item) -> Result<(), (G::Item, Error)> {
        self.submit_patiently(item, Duration::ZERO)
    }

    /// As [`Writer::submit`], but the item may wait so long for others to be synced with.
    ///
    /// # Errors
    /// As [`Writer::submit`].
    pub fn submit_patiently(&self, item: G::Item, patience: Duration) -> Result<(), (G::Item, Error)> {
        let Stats { bytes, max_bytes, .. } = self.stats();
        if bytes >= max_bytes {
            return Err((item, Error::Full { bytes, max_bytes }));
        }
        self.queue(item, patience)
    }

    /// As [`Writer::submit`], but not refused because the journal is at its cap: for what must be appended before the
    /// journal can empty.
    ///
    /// # Errors
    /// The item, with `Busy` if the queue is full, `Unavailable` if the writer has stopped.
    pub fn submit_reserved(&self, item: G::Item) -> Result<(), (G::Item, Error)> {
        self.queue(item, Duration::ZERO)
    }

    fn queue(&self, item: G::Item, patience: Duration) -> Result<(), (G::Item, Error)> {
        let mut queue = self.shared.queue.lock();
        let waiting = self.shared.counters.waiting.load(Ordering::Relaxed);
        if !queue.is_open {
            return Err((item, Error::Stopped));
        }
        if waiting >= QUEUE_ITEMS {
            return Err((item, Error::QueueFull { waiting }));
        }
        self.shared.counters.waiting.fetch_add(1, Ordering::Relaxed);
        let is_first = queue.push(Command::Item(item), patience);
        drop(queue);
        if is_first {
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    /// Ends the current generation and begins the next. Blocks until all that was submitted before is answered and
    /// [`Group::begun`] has returned. Gives the new generation and the number of its first record.
    ///
    /// # Errors
    /// `Unavailable` if the writer has stopped.
    pub fn barrier(&self) -> Result<(u64, Position), Error> {
        self.ask(Command::Barrier)
    }

    /// Removes the generations wholly below `position`, as [`Journal::drop_before`]. Blocks until it is done.
    ///
    /// # Errors
    /// As [`Journal::drop_before`]; `Unavailable` if the writer has stopped.
    pub fn drop_before(&self, position: Position) -> Result<(), Error> {
        self.ask(|reply| Command::DropBefore(position, reply))
    }

    /// Moves the damaged generations aside, as [`Journal::set_aside`]. Blocks until it is done.
    ///
    /// # Errors
    /// As [`Journal::set_aside`]; `Unavailable` if the writer has stopped.
    pub fn set_aside(&self) -> Result<(), Error> {
        self.ask(Command::SetAside)
    }

    /// The figures of this instant.
    pub fn stats(&self) -> Stats {
        self.shared.counters.read()
    }

    /// Whether no item is taken any more: after [`Writer::stop`], or when the thread has ended by a panic.
    pub fn is_stopped(&self) -> bool {
        !self.shared.queue.lock().is_open
    }

    /// Refuses new items, answers those that wait, closes the journal and ends the thread.
    ///
    /// # Errors
    /// `Unavailable` if the last segment could not be closed in good order, or the thread ended before by a panic. All
    /// that was answered as durable is so all the same.
    pub async fn stop(&self) -> Result<(), Error> {
        self.shared.close();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            worker.join().await;
        }
        match self.shared.failed_close.lock().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command<G::Item>) -> Result<T, Error> {
        let (reply, answer): (Reply<T>, Receiver<Result<T, Error>>) = sync_channel(1);
        {
            let mut queue = self.shared.queue.lock();
            if !queue.is_open {
                return Err(Error::Stopped);
            }
            queue.push(command(reply), Duration::ZERO);
        }
        self.shared.wake.notify_one();
        answer.recv().unwrap_or(Err(Error::Stopped))
    }
}

impl<G: Group> Drop for Writer<G> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<I> Shared<I> {
    fn close(&self) {
        self.queue.lock().is_open = false;
        self.wake.notify_one();
    }

    /// All that waits, once the first of it is due, or nothing once the writer is closed.
    fn take(&self) -> VecDeque<Command<I>> {
        let mut queue = self.queue.lock();
        while queue.is_open {
            match queue.due {
                None => self.wake.wait(&mut queue),
                Some(due) if due <= Instant::now() => break,
                Some(due) => drop(self.wake.wait_until(&mut queue, due)),
            }
        }
        queue.due = None;
        std::mem::take(&mut queue.commands)
    }
}

/// Whatever ends the thread, nobody may wait for it any more.
struct LastWord<'a, I>(&'a Shared<I>);

impl<I> Drop for LastWord<'_, I> {
    fn drop(&mut self) {
        self.0.close();
        let unanswered = std::mem::take(&mut self.0.queue.lock().commands);
        drop(unanswered);
    }
}

fn run<G: Group>(shared: &Shared<G::Item>, journal: Journal, group: G) {
    let _last_word = LastWord(shared);
    *shared.failed_close.lock() = Some(Error::Stopped);
    let mut appender = group::Appender::new(journal, group, &shared.counters);
    loop {
        let commands = shared.take();
        if commands.is_empty() {
            break;
        }
        appender.process(commands);
    }
    *shared.failed_close.lock() = appender.close().err();
}

#[cfg(test)]
mod tests;
