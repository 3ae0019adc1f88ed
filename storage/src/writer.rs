//! What the store does on the journal's writer thread: encode, apply, acknowledge, freeze.
//!
//! Owns: the order of these steps. Every row is applied to the head after it is durable and before it is acknowledged. What
//! senders are told of rows that the journal did not take.
//! Does not own: grouping and syncing (`journal::Writer`).

use std::sync::Arc;
use std::time::Duration;

use journal::{Group, Position, RecordBuilder};
use model::{Clock, Error, ErrorKind, Receipt};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::cut::plan::Window;
use crate::head::{CutDates, Frozen, Head, Takes};
use crate::record::{Origin, RecordWriter};
use crate::rows::Content;

/// When whoever sent rows that the journal did not take should send them again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Rows on their way into the journal, and who waits for them.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) content: Content,
    pub(crate) origin: Origin,
    pub(crate) receipt: Receipt,
    pub(crate) answer: oneshot::Sender<Result<Receipt, Error>>,
}

/// A cut that waits for the journal's next generation to begin.
#[derive(Debug)]
pub(crate) struct FreezeOrder {
    pub(crate) number: u64,
    pub(crate) window: Window,
    pub(crate) takes: Takes,
    /// The dates it may take rows of.
    pub(crate) dates: CutDates,
    /// Where the generation began, and what was taken.
    pub(crate) done: Option<(Position, Frozen)>,
}

/// The place where a cut leaves its order and finds the result.
pub(crate) type FreezeSlot = Arc<Mutex<Option<FreezeOrder>>>;

/// Why the journal did not take the newest rows, and since when; `None` if it took them. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<(i64, String)>>>);

/// A journal that took no rows counts as able to for this long after nobody tried. Whoever sends only to servers that are
/// ready would else never find out that the disk is well again.
const TROUBLE_MS: u64 = 30_000;

impl Trouble {
    /// Why rows are refused at `now_ms`, as far as the last attempt tells.
    pub(crate) fn at(&self, now_ms: i64) -> Option<String> {
        let trouble = self.0.lock();
        trouble.as_ref().filter(|(since_ms, _)| now_ms.abs_diff(*since_ms) < TROUBLE_MS).map(|(_, why)| why.clone())
    }
}

/// The store's part in the writer.
#[derive(Debug)]
pub(crate) struct StoreGroup {
    head: Arc<Head>,
    records: RecordWriter,
    freeze: FreezeSlot,
    trouble: Trouble,
    clock: Arc<dyn Clock>,
}

impl StoreGroup {
    pub(crate) fn new(head: Arc<Head>, freeze: FreezeSlot, trouble: Trouble, clock: Arc<dyn Clock>) -> Self {
        StoreGroup { head, records: RecordWriter::default(), freeze, trouble, clock }
    }
}

/// What to do about rows that the journal did not take.
fn refusal(error: &journal::Error) -> String {
    if error.is_disk_full() {
        return format!(
            "disk full: the journal did not take the rows, {error}; free space on this disk, or move the folder of \
             storage.local_dir to a larger one; the rows are not acknowledged, send them again"
        );
    }
    format!(
        "the journal did not take the rows, {error}; look at the disk; the rows are not acknowledged, send them again"
    )
}

impl Group for StoreGroup {
    type Item = Item;

    fn encode(&mut self, item: &Item, generation: u64, record: &mut RecordBuilder) {
        let (tag, payload) = (&mut record.tag, &mut record.payload);
        match &item.content {
            Content::Metrics(rows) => self.records.write(rows, item.origin, generation, tag, payload),
            Content::Logs(packed) => packed.write(tag, payload),
            Content::Spans(packed) => packed.write(tag, payload),
        }
    }

    fn durable(&mut self, items: Vec<(Position, Item)>) {
        if self.trouble.0.lock().take().is_some() {
            tracing::info!("the journal takes rows again");
        }
        for (_, item) in items {
            // Carried rows are in the head already: they went back to it.
            if item.origin == Origin::Written {
                match item.content {
                    Content::Metrics(rows) => self.head.apply(rows, item.origin),
                    Content::Logs(packed) => self.head.apply_logs(packed.rows),
                    Content::Spans(packed) => self.head.apply_spans(packed.rows),
                }
            }
            // A caller that went away does not want the answer.
            let _ = item.answer.send(Ok(item.receipt));
        }
    }

    fn failed(&mut self, items: Vec<Item>, error: &journal::Error) {
        let message = refusal(error);
        // Before anybody is told, so that who then asks for readiness hears of it. A record that is larger than any
        // journal takes says nothing of the journal.
        if !matches!(error, journal::Error::TooLarge { .. }) {
            let before = self.trouble.0.lock().replace((self.clock.now_ms(), message.clone()));
            // Once for each reason: senders come again every second.
            if before.is_none_or(|(_, told)| told != message) {
                tracing::error!(why = message, "the store takes no rows");
            }
        }
        for item in items {
            // Whatever the cause, the rows may be on the disk all the same: `Busy` would promise that they are not.
            let told = Error::new(ErrorKind::Unavailable, &message).with_retry_after(RETRY_AFTER);
            let _ = item.answer.send(Err(told));
        }
    }

    fn begun(&mut self, _generation: u64, start: Position) {
        if let Some(order) = self.freeze.lock().as_mut().filter(|order| order.done.is_none()) {
            let dates = std::mem::take(&mut order.dates);
            order.done = Some((start, self.head.freeze(order.number, order.window, order.takes, dates)));
        }
    }
}
