//! What the store does on the journal's writer thread: encode, apply, acknowledge, freeze.
//!
//! Owns: the order of these steps. Every row is applied to the head after it is durable and before it is acknowledged.
//! Does not own: grouping and syncing (`journal::Writer`).

use std::collections::BTreeSet;
use std::sync::Arc;

use journal::{Group, Position, RecordBuilder};
use model::time::Date;
use model::{Error, ErrorKind, Receipt};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::cut::plan::Window;
use crate::head::{Frozen, Head};
use crate::record::{Origin, RecordWriter};
use crate::rows::Rows;

/// Rows on their way into the journal, and who waits for them.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) rows: Rows,
    pub(crate) origin: Origin,
    pub(crate) receipt: Receipt,
    pub(crate) answer: oneshot::Sender<Result<Receipt, Error>>,
}

/// A cut that waits for the journal's next generation to begin.
#[derive(Debug)]
pub(crate) struct FreezeOrder {
    pub(crate) number: u64,
    pub(crate) window: Window,
    /// The dates it may take rows of: those whose rows of `series` are known.
    pub(crate) dates: BTreeSet<Date>,
    /// Where the generation began, and what was taken.
    pub(crate) done: Option<(Position, Frozen)>,
}

/// The place where a cut leaves its order and finds the result.
pub(crate) type FreezeSlot = Arc<Mutex<Option<FreezeOrder>>>;

/// The store's part in the writer.
#[derive(Debug)]
pub(crate) struct StoreGroup {
    head: Arc<Head>,
    records: RecordWriter,
    freeze: FreezeSlot,
}

impl StoreGroup {
    pub(crate) fn new(head: Arc<Head>, freeze: FreezeSlot) -> Self {
        StoreGroup { head, records: RecordWriter::default(), freeze }
    }
}

impl Group for StoreGroup {
    type Item = Item;

    fn encode(&mut self, item: &Item, generation: u64, record: &mut RecordBuilder) {
        self.records.write(&item.rows, item.origin, generation, &mut record.tag, &mut record.payload);
    }

    fn durable(&mut self, items: Vec<(Position, Item)>) {
        for (_, item) in items {
            // Carried rows are in the head already: they never left it.
            if item.origin == Origin::Written {
                self.head.apply(item.rows, item.origin);
            }
            // A caller that went away does not want the answer.
            let _ = item.answer.send(Ok(item.receipt));
        }
    }

    fn failed(&mut self, items: Vec<Item>, error: &journal::Error) {
        for item in items {
            // Whatever the cause, the rows may be on the disk all the same: `Busy` would promise that they are not.
            let message = format!("the journal did not take the rows: {error}");
            let told = Error::new(ErrorKind::Unavailable, message).with_retry_after(std::time::Duration::from_secs(1));
            let _ = item.answer.send(Err(told));
        }
    }

    fn begun(&mut self, _generation: u64, start: Position) {
        if let Some(order) = self.freeze.lock().as_mut().filter(|order| order.done.is_none()) {
            order.done = Some((start, self.head.freeze(order.number, order.window, &order.dates)));
        }
    }
}
