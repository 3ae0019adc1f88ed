//! Who has a series to himself and who waits for it: a line for each, in the order in which they came.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use model::SeriesKey;
use tokio::sync::oneshot;

/// The lines of all series that somebody has.
///
/// Whoever comes stands in the lines of all his series at once. So of two who want the same series one is before the other
/// in every line that they share: no two wait for each other, and nobody is overtaken by who came after him.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: HashMap<SeriesKey, Line>,
    waiting: HashMap<Ticket, Waiting>,
    last: u64,
}

/// A place in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
struct Line {
    first: Ticket,
    others: VecDeque<Ticket>,
}

#[derive(Debug)]
struct Waiting {
    /// The lines in which somebody is before him.
    lines: usize,
    turn: oneshot::Sender<()>,
}

impl Lines {
    /// Stands in the line of each of these series, none of which comes twice; what is given besides tells when it is one's
    /// turn, unless it is already.
    pub(super) fn join(&mut self, keys: &[SeriesKey]) -> (Ticket, Option<oneshot::Receiver<()>>) {
        self.last += 1;
        let (ticket, mut lines) = (Ticket(self.last), 0);
        for key in keys {
            match self.lines.entry(key.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(Line { first: ticket, others: VecDeque::new() });
                }
                Entry::Occupied(mut entry) => {
                    entry.get_mut().others.push_back(ticket);
                    lines += 1;
                }
            }
        }
        if lines == 0 {
            return (ticket, None);
        }
        let (turn, told) = oneshot::channel();
        self.waiting.insert(ticket, Waiting { lines, turn });
        (ticket, Some(told))
    }

    /// Leaves the lines of these series, whether it was one's turn or not.
    pub(super) fn leave(&mut self, ticket: Ticket, keys: &[SeriesKey]) {
        self.waiting.remove(&ticket);
        for key in keys {
            let Entry::Occupied(mut entry) = self.lines.entry(key.clone()) else { continue };
            let line = entry.get_mut();
            if line.first != ticket {
                line.others.retain(|other| *other != ticket);
                continue;
            }
            match line.others.pop_front() {
                Some(next) => {
                    line.first = next;
                    self.advance(next);
                }
                None => drop(entry.remove()),
            }
        }
    }

    /// Takes note that one more line has nobody before this one.
    fn advance(&mut self, ticket: Ticket) {
        let Entry::Occupied(mut entry) = self.waiting.entry(ticket) else { return };
        entry.get_mut().lines -= 1;
        if entry.get().lines == 0 {
            // Who does not listen any more leaves by himself.
            let _ = entry.remove().turn.send(());
        }
    }

    /// How many series somebody has.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

#[cfg(test)]
mod tests;
