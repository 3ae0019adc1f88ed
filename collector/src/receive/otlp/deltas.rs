//! Deltas: points that say what was added since the last time become points that say what it adds up to.
//!
//! Owns: the sum of each series of deltas while it is in use, who may add to it, in which order.
//! Does not own: which points are deltas (`decode::otlp`), the arithmetic ([`sums`]), where a sum is found that is not in
//! memory ([`Past`]).
//!
//! The store has every sum: it is the newest value of the series. So nothing is kept beside it; what is in memory is a
//! copy, and where that may be wrong it is dropped. The rules:
//!
//! - A series is claimed by one request at a time, from before its sum is looked up until its new value is durable or known
//!   not to be, in the order in which requests come ([`lines`]).
//! - A point whose time is not after that of the sum is not added: its request is sent again, because the answer was lost, or
//!   it comes too late ([`NotAdded`] tells which, for the sender is told of the latter only that it was refused).
//! - After a write of which nobody knows whether it is durable the sum is forgotten: the next request asks the store.
//! - A request whose sender has gone away goes on to its end: its write may be on its way, and the next one has to know.

mod lines;
mod past;
mod rows;
mod sums;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use decode::otlp::Delta;
use model::worker::Worker;
use model::{Batch, Error, ErrorKind, Ingest, Recall, Receipt, SeriesKey};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use self::lines::{Lines, Ticket};
use self::past::Past;
pub(super) use self::rows::NotAdded;
use self::rows::{AddedUp, Rows};
use self::sums::Sum;

/// A series that has had no delta for so long begins anew: its last sum is not looked for.
const PAST_MS: i64 = 86_400_000;

/// The sums of all series of deltas.
pub(super) struct Deltas {
    table: Mutex<Table>,
    /// Where sums are found that are not in memory.
    past: Arc<dyn Past>,
}

/// What a write of deltas came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) receipt: Receipt,
    pub(super) not_added: NotAdded,
}

/// Sums in two generations: one that is used moves to the young, and the old are dropped when the young have become too
/// many or too old. Claimed ones are in neither.
#[derive(Debug)]
struct Table {
    lines: Lines,
    young: HashMap<SeriesKey, Sum>,
    old: HashMap<SeriesKey, Sum>,
    /// When the young began to be.
    turned_ms: i64,
    max_series: usize,
    idle_ms: i64,
}

impl Table {
    /// Takes out the sums of series, where they are known.
    fn take(&mut self, keys: &[SeriesKey]) -> Vec<Option<Sum>> {
        keys.iter().map(|key| self.young.remove(key).or_else(|| self.old.remove(key))).collect()
    }

    /// Drops what is too old, or too much.
    fn turn(&mut self, now_ms: i64) {
        let is_full = self.young.len() >= self.max_series.div_ceil(2);
        // A clock that was set back must not keep sums for ever.
        if is_full || now_ms.abs_diff(self.turned_ms) >= self.idle_ms.unsigned_abs() {
            self.old = std::mem::take(&mut self.young);
            self.turned_ms = now_ms;
        }
    }
}

impl fmt::Debug for Deltas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.lock();
        let series = table.young.len() + table.old.len();
        f.debug_struct("Deltas").field("series", &series).field("claimed", &table.lines.len()).finish_non_exhaustive()
    }
}

impl Deltas {
    /// Holds about `max_series` sums, each until it was not used for `idle`, and up to twice that; looks for others in
    /// `past`.
    pub(super) fn new(past: Arc<dyn Recall>, max_series: usize, idle: Duration) -> Arc<Self> {
        Self::over(Arc::new(past), max_series, idle)
    }

    fn over(past: Arc<dyn Past>, max_series: usize, idle: Duration) -> Arc<Self> {
        let table = Table {
            lines: Lines::default(),
            young: HashMap::new(),
            old: HashMap::new(),
            turned_ms: 0,
            max_series,
            idle_ms: idle_ms(idle),
        };
        Arc::new(Deltas { table: Mutex::new(table), past })
    }

    /// Goes over to other bounds.
    pub(super) fn reload(&self, max_series: usize, idle: Duration) {
        let mut table = self.table.lock();
        (table.max_series, table.idle_ms) = (max_series, idle_ms(idle));
    }

    /// Writes a batch with `deltas` among its rows, each as what it adds up to. `room` is what the batch takes of a budget; it
    /// is given back once the batch is gone, whoever has hung up meanwhile.
    ///
    /// # Errors
    /// Those of the store, for writing as for finding sums again: then no row was added, or nobody knows.
    pub(super) async fn write(
        self: &Arc<Self>,
        ingest: Arc<dyn Ingest>,
        batch: Batch,
        deltas: Vec<Delta>,
        now_ms: i64,
        room: impl Send + 'static,
    ) -> Result<Written, Error> {
        let (answer, answered) = oneshot::channel();
        let all = self.clone();
        // On its own, so that it goes on when the sender goes away.
        let _worker = Worker::task("deltas", |_| async move {
            // Nobody may be there any more to hear it.
            let _ = answer.send(all.write_claimed(ingest, batch, deltas, now_ms).await);
            drop(room);
        });
        answered.await.map_err(|_| Error::internal("the writing of deltas broke off"))?
    }

    async fn write_claimed(
        self: Arc<Self>,
        ingest: Arc<dyn Ingest>,
        batch: Batch,
        deltas: Vec<Delta>,
        now_ms: i64,
    ) -> Result<Written, Error> {
        let rows = Rows::of(&batch, &deltas)?;
        let mut claim = self.claim(rows.keys(), now_ms).await;
        if let Err(error) = claim.find_again(now_ms).await {
            // Nothing was tried: what is known stays known.
            claim.give_back();
            return Err(error);
        }
        let AddedUp { batch, sums, not_added } = rows.add_up(batch, &deltas, &claim.sums);
        if batch.is_empty() {
            claim.give_back();
            return Ok(Written { receipt: Receipt::default(), not_added });
        }
        match ingest.write(batch).await {
            Ok(receipt) => {
                claim.sums = sums;
                // What would be in memory of these is not what is in the store, which the next request asks.
                for series in receipt.left_out.iter().flat_map(|left_out| left_out.places()) {
                    claim.forget(rows.place(*series));
                }
                claim.give_back();
                Ok(Written { receipt, not_added })
            }
            Err(error) => {
                // Of these it is known that nothing was kept.
                if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::Busy) {
                    claim.give_back();
                }
                Err(error)
            }
        }
    }

    /// Claims series for a request, once all who came before it have given them back.
    async fn claim(self: &Arc<Self>, keys: Vec<SeriesKey>, now_ms: i64) -> Claim {
        let (ticket, turn) = self.table.lock().lines.join(&keys);
        // Made before the wait, so that whoever is dropped meanwhile leaves the lines.
        let mut claim = Claim { deltas: self.clone(), ticket, keys, sums: Vec::new() };
        if let Some(turn) = turn {
            // Nobody but the claim itself takes it out of the lines untold.
            let _ = turn.await;
        }
        let mut table = self.table.lock();
        table.turn(now_ms);
        claim.sums = table.take(&claim.keys);
        drop(table);
        claim
    }
}

fn idle_ms(idle: Duration) -> i64 {
    i64::try_from(idle.as_millis()).unwrap_or(i64::MAX)
}

/// Series that one request may add to. Dropped, it gives them back without their sums.
struct Claim {
    deltas: Arc<Deltas>,
    ticket: Ticket,
    keys: Vec<SeriesKey>,
    /// One for each key; none if it is not known, or there is none.
    sums: Vec<Option<Sum>>,
}

impl Claim {
    /// Looks for the sums that are not in memory.
    async fn find_again(&mut self, now_ms: i64) -> Result<(), Error> {
        let missing: Vec<usize> = (0..self.keys.len()).filter(|place| self.sums[*place].is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys: Vec<SeriesKey> = missing.iter().map(|place| self.keys[*place].clone()).collect();
        let found = self.deltas.past.newest(&keys, now_ms.saturating_sub(PAST_MS)).await;
        let found = found.map_err(|e| e.context("the sums of deltas could not be found again"))?;
        for (place, sum) in missing.into_iter().zip(found) {
            self.sums[place] = sum;
        }
        Ok(())
    }

    /// Lets go of the sum at a place.
    fn forget(&mut self, place: Option<usize>) {
        if let Some(sum) = place.and_then(|place| self.sums.get_mut(place)) {
            *sum = None;
        }
    }

    /// Gives the series back with their sums.
    fn give_back(mut self) {
        let (keys, sums) = (self.keys.clone(), std::mem::take(&mut self.sums));
        let mut table = self.deltas.table.lock();
        let known = keys.into_iter().zip(sums).filter_map(|(key, sum)| Some((key, sum?)));
        table.young.extend(known);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.deltas.table.lock().lines.leave(self.ticket, &self.keys);
    }
}

#[cfg(test)]
mod tests;
