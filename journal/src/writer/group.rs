//! Makes groups of the items that wait, and answers them.
//!
//! Owns: the order of encode, append and answer, and the change of generation after a failure.
//! Does not own: the queue and the thread (`writer`), the files (`append`).

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use crate::Position;
use crate::append::KEPT_BUFFER_BYTES;
use crate::error::Error;
use crate::journal::Journal;
use crate::record::{MAX_PAYLOAD_BYTES, MAX_TAG_BYTES};
use crate::stats::Counters;

use super::Command;

/// A group is written once it has this many bytes, even if more items wait.
const GROUP_BYTES: usize = 8 << 20;

/// What the owner of a writer does at each step. All calls come from the writer's thread, in journal order.
pub trait Group: Send + 'static {
    /// What is submitted.
    type Item: Send + 'static;

    /// Writes the record of `item` for `generation` into `record`, which is empty. Called exactly once an item. A
    /// payload that stays empty means there is nothing to append; the item is answered with those it waited among.
    fn encode(&mut self, item: &Self::Item, generation: u64, record: &mut RecordBuilder);

    /// These items are durable, each with the number of its record; one that had nothing to append has the number of
    /// the record after it.
    fn durable(&mut self, items: Vec<(Position, Self::Item)>);

    /// These items were not made durable: they may or may not come back after a restart and must not be acknowledged.
    /// What they defined for later records of their generation does not hold; a new generation begins right after.
    fn failed(&mut self, items: Vec<Self::Item>, error: &Error);

    /// A new generation has begun at `start`: everything submitted before is below it and has been through
    /// [`Group::durable`] or [`Group::failed`]. Called after a barrier and after a failure, not for the generation a
    /// writer starts with, which is [`Journal::generation`].
    fn begun(&mut self, generation: u64, start: Position);
}

/// Where [`Group::encode`] puts a record.
#[derive(Debug, Default)]
pub struct RecordBuilder {
    /// At most [`MAX_TAG_BYTES`] bytes that stay readable when the payload is damaged.
    pub tag: Vec<u8>,
    /// At most [`MAX_PAYLOAD_BYTES`] bytes.
    pub payload: Vec<u8>,
}

/// The writer's work without its thread.
pub(crate) struct Appender<'a, G: Group> {
    journal: Journal,
    group: G,
    counters: &'a Counters,
    record: RecordBuilder,
    /// Encoded and not yet answered.
    taken: Vec<(Position, G::Item)>,
}

impl<'a, G: Group> Appender<'a, G> {
    pub(crate) fn new(journal: Journal, group: G, counters: &'a Counters) -> Self {
        Appender { journal, group, counters, record: RecordBuilder::default(), taken: Vec::new() }
    }

    /// Carries out what waits, in order, and answers all of it.
    pub(crate) fn process(&mut self, commands: VecDeque<Command<G::Item>>) {
        for command in commands {
            match command {
                Command::Item(item) => self.append(item),
                Command::Barrier(reply) => {
                    self.flush();
                    self.begin_generation();
                    self.answer(&reply, Ok((self.journal.generation(), self.journal.next())));
                }
                Command::DropBefore(position, reply) => {
                    self.flush();
                    let done = self.journal.drop_before(position);
                    self.answer(&reply, done);
                }
                Command::SetAside(reply) => {
                    self.flush();
                    let done = self.journal.set_aside();
                    self.answer(&reply, done);
                }
            }
        }
        self.flush();
        self.counters.take_in(&self.journal);
    }

    /// Closes the journal, so that damage to its last group will be told from a torn tail.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.flush();
        self.journal.begin_generation()
    }

    fn append(&mut self, item: G::Item) {
        self.record.tag.clear();
        self.record.payload.clear();
        self.record.payload.shrink_to(KEPT_BUFFER_BYTES);
        self.group.encode(&item, self.journal.generation(), &mut self.record);
        let RecordBuilder { tag, payload } = &self.record;
        if payload.is_empty() {
            self.taken.push((Position(self.journal.following()), item));
            return;
        }
        let (tag_bytes, payload_bytes) = (tag.len(), payload.len());
        if tag_bytes > MAX_TAG_BYTES || payload_bytes > MAX_PAYLOAD_BYTES {
            self.flush_before(item, |_| Err(Error::TooLarge { tag_bytes, payload_bytes }));
        } else if self.journal.fits(tag, payload) {
            self.stage(item);
        } else {
            self.flush_before(item, |appender| appender.journal.roll(&appender.record.tag, &appender.record.payload));
        }
        if self.journal.staged_bytes() >= GROUP_BYTES {
            self.flush();
        }
    }

    /// Appends an encoded item behind a flush and a step that makes room. It was encoded for the current generation, so
    /// it fails if either does.
    fn flush_before(&mut self, item: G::Item, make_room: impl FnOnce(&mut Self) -> Result<(), Error>) {
        let made = match self.commit() {
            Ok(()) => make_room(self),
            Err(error) => Err(error),
        };
        match made {
            Ok(()) => self.stage(item),
            Err(error) => {
                self.taken.push((Position(self.journal.following()), item));
                self.fail(&error);
            }
        }
    }

    fn stage(&mut self, item: G::Item) {
        let position = Position(self.journal.following());
        self.journal.stage(&self.record.tag, &self.record.payload);
        self.taken.push((position, item));
    }

    fn flush(&mut self) {
        if let Err(error) = self.commit() {
            self.fail(&error);
        }
    }

    /// Makes the group durable and answers it; after an error it is still to be answered.
    fn commit(&mut self) -> Result<(), Error> {
        if let Some(committed) = self.journal.commit()? {
            self.counters.committed(committed);
        }
        self.counters.take_in(&self.journal);
        let items = std::mem::take(&mut self.taken);
        if !items.is_empty() {
            self.counters.waiting.fetch_sub(items.len() as u64, Ordering::Relaxed);
            self.group.durable(items);
        }
        Ok(())
    }

    fn fail(&mut self, error: &Error) {
        tracing::error!(%error, items = self.taken.len(), "a group of the journal failed");
        self.counters.failed();
        let items: Vec<G::Item> = std::mem::take(&mut self.taken).into_iter().map(|(_, item)| item).collect();
        self.counters.waiting.fetch_sub(items.len() as u64, Ordering::Relaxed);
        self.group.failed(items, error);
        self.begin_generation();
    }

    fn begin_generation(&mut self) {
        if let Err(error) = self.journal.begin_generation() {
            // All that was answered is durable; only the mark is missing that says so.
            tracing::warn!(%error, "a journal segment was not closed in good order");
        }
        self.counters.take_in(&self.journal);
        self.group.begun(self.journal.generation(), self.journal.next());
    }

    fn answer<T>(&self, reply: &super::Reply<T>, answer: Result<T, Error>) {
        self.counters.take_in(&self.journal);
        // Whoever asked may have gone.
        let _ = reply.send(answer);
    }
}
