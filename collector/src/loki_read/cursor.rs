//! How far a Loki has been read, and what of a page is new.
//!
//! Pure. A page holds the earliest lines from the cursor on, at most so many. Where it is full it may end inside a nanosecond, so
//! the next one begins there once more, and what was taken of that nanosecond is left out by its hash.

use std::collections::HashMap;

use model::Logs;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// How far a Loki has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Every row before this time is in the store, in nanoseconds since the Unix epoch.
    pub(super) next_unix_nano: i64,
    /// Rows that are in the store though they are not before: how often each, by its hash.
    taken: HashMap<u64, u32>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Page {
    /// Its rows, as they are to be stored.
    pub(super) logs: Logs,
    /// How many rows of it could not be taken.
    pub(super) refused: u64,
    /// Whether there may be more where it ends.
    pub(super) is_full: bool,
    /// The time before which no further row is expected, in nanoseconds since the Unix epoch.
    pub(super) settled_unix_nano: i64,
}

/// What a page brings.
#[derive(Debug)]
pub(super) struct Step {
    /// The rows that are not in the store yet.
    pub(super) new: Logs,
    /// How many rows are there already.
    pub(super) repeated: u64,
    /// The cursor, once the new rows are in the store.
    pub(super) cursor: Cursor,
    /// Whether the page was full and all of it is of one nanosecond: to get on, more must be asked for at once.
    pub(super) is_stuck: bool,
}

impl Cursor {
    /// A cursor before which every row is in the store.
    pub(super) fn at(next_unix_nano: i64) -> Self {
        Cursor { next_unix_nano, taken: HashMap::new() }
    }

    /// Takes note of rows that are found in the store.
    pub(super) fn note_stored(&mut self, logs: &Logs) {
        for row in 0..logs.len() {
            *self.taken.entry(hash(logs, row)).or_default() += 1;
        }
    }

    /// What the next page brings.
    pub(super) fn step(&self, page: Page) -> Step {
        let logs = &page.logs;
        let newest = logs.time_unix_nano.iter().copied().max().filter(|_| page.is_full);
        let end = newest.filter(|newest| *newest < page.settled_unix_nano);
        let next_unix_nano = end.unwrap_or(page.settled_unix_nano).max(self.next_unix_nano);
        let (mut left, mut repeated) = (self.taken.clone(), 0);
        // Rows that are taken and not before the cursor stay known, though an answer may not have them.
        let mut taken = if next_unix_nano == self.next_unix_nano { self.taken.clone() } else { HashMap::new() };
        let mut new_rows = Vec::new();
        for (row, time_unix_nano) in logs.time_unix_nano.iter().copied().enumerate() {
            if time_unix_nano >= page.settled_unix_nano {
                continue;
            }
            let hash = hash(logs, row);
            let is_known = match left.get_mut(&hash) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                _ => false,
            };
            if is_known {
                repeated += 1;
            } else {
                new_rows.push(row);
            }
            let was_counted = is_known && next_unix_nano == self.next_unix_nano;
            if time_unix_nano >= next_unix_nano && !was_counted {
                *taken.entry(hash).or_default() += 1;
            }
        }
        let is_stuck = end.is_some() && next_unix_nano == self.next_unix_nano;
        let new = if new_rows.len() == logs.len() {
            page.logs
        } else {
            let mut new = Logs::default();
            new.append(logs, new_rows.into_iter());
            new
        };
        Step { new, repeated, cursor: Cursor { next_unix_nano, taken }, is_stuck }
    }
}

/// What tells a row from others: all of it but when it was first seen.
fn hash(logs: &Logs, row: usize) -> u64 {
    let (log, resource) = (logs.row(row), logs.resources.get(logs.resource[row]));
    // Attributes have no order.
    let pair = |(name, value): (&str, &str)| {
        let mut hasher = Xxh3::new();
        hasher.update(name.as_bytes());
        hasher.update(&[0xff]);
        hasher.update(value.as_bytes());
        hasher.digest()
    };
    let of_resource = resource.map_or(0, |resource| resource.attributes.iter().map(pair).fold(0, u64::wrapping_add));
    let of_row = logs.attributes.row(row).map(pair).fold(0, u64::wrapping_add);
    let mut hasher = Xxh3::new();
    for number in [log.time_unix_nano.cast_unsigned(), of_resource, of_row, xxh3_64(log.body.as_bytes())] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(&log.trace_id);
    hasher.update(&log.span_id);
    hasher.digest()
}

#[cfg(test)]
mod tests;
