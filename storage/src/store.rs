//! The store: one place rows live in.
//!
//! Owns: the order of opening (tables, journal, replay), the write path up to the acknowledgement, budgets, closing.
//! Does not own: the steps of a cut (`cut`), what a query sees (`snapshot`).

mod admit;
mod columns;
mod idle;
mod known;
mod loss;
mod open;
mod place;
mod resolve;
mod stats;
mod stretches;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::files::FilesRef;
use model::time::Date;
use model::worker::Worker;
use model::{Batch, Clock, Error, ErrorKind, Ingest, Logs, Receipt, Spans};
use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use crate::block_cache::BlockCache;
use crate::config::Config;
use crate::cut::cutter::{Cutter, Reason};
use crate::days::{DayKey, Days};
use crate::head::Head;
use crate::record::Origin;
use crate::rows::Content;
use crate::series::RawCache;
use crate::snapshot::Snapshot;
use crate::staging::Staging;
use crate::tables::Table;
use crate::view::View;
use crate::writer::{FreezeSlot, Item, StoreGroup, Trouble};

pub use open::OnDamage;
pub use stats::Stats;
use stretches::Stretches;

/// One place rows live in: bucket, journal, tables, budgets. A value, not a global; cloning shares it.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Arc<Inner>,
    workers: Mutex<Vec<Worker>>,
}

impl Drop for Shared {
    /// A store that is let go without [`Store::close`] leaves its rows in the journal, but no worker behind.
    fn drop(&mut self) {
        for worker in self.workers.lock().iter() {
            worker.stop_signal().now();
        }
    }
}

/// What a store stands on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The file layer.
    pub files: FilesRef,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// What all parts of a store share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) files: FilesRef,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) head: Arc<Head>,
    pub(crate) writer: Arc<journal::Writer<StoreGroup>>,
    pub(crate) journal_uuid: Uuid,
    pub(crate) freeze: FreezeSlot,
    trouble: Trouble,
    pub(crate) view: RwLock<Arc<View>>,
    pub(crate) block_cache: BlockCache,
    pub(crate) object_store: Arc<dyn ObjectStore>,
    /// The blocks on their way to the bucket; `object_store` reads them from here.
    pub(crate) staging: Arc<Staging>,
    cutter: tokio::sync::Mutex<Cutter>,
    raw: RawCache,
    stretches: Stretches,
    /// What was last said of each family, by cluster and name, with the day it was said; of yesterday and today.
    metadata: Mutex<HashMap<Family, Said>>,
    rounds: Mutex<idle::Rounds>,
    closed: AtomicBool,
    /// Cuts and deliveries that did not come through.
    cut_failures: AtomicU64,
    disk: admit::Disk,
    _lock: model::files::Lock,
    /// Wakes the worker that cuts, when the memory budget asks for it.
    pressure: Notify,
    /// Wakes it when logs and spans are as many as a block should have.
    fullness: Notify,
}

/// A metric family of a cluster: the cluster, the family's name.
type Family = (Arc<str>, String);
/// When something was said of a family, and its hash.
type Said = (Date, u64);

/// Families of which it is remembered what was said; beyond, all is forgotten: what is said again makes a row again.
const KNOWN_FAMILIES: usize = 100_000;

/// Files that no table needs are deleted after this time, so that a query that still reads them can end.
pub(crate) const GRACE: Duration = Duration::from_secs(3600);

/// A sender is told to come back after this when a budget is full.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Store {
    /// Opens a store, making it if it is not there, and replays its journal.
    ///
    /// # Errors
    /// `Corrupt` if the journal is damaged before its tail, `Unavailable` if folder or bucket cannot be reached,
    /// `Invalid` if the URL is not one of a place that can be written.
    pub async fn open(config: Config, parts: Parts) -> Result<Self, Error> {
        Self::open_with(config, parts, OnDamage::Stop).await
    }

    /// As [`Store::open`], and says what is to be done with a journal that is damaged before its tail.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(config: Config, parts: Parts, on_damage: OnDamage) -> Result<Self, Error> {
        let inner = Arc::new(open::open(config, parts, on_damage).await?);
        let workers = Mutex::new(work::start(&inner));
        Ok(Store(Arc::new(Shared { inner, workers })))
    }

    /// What a query sees: every acknowledged row once, from now on unmoved by cuts.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.0.inner.clone())
    }

    /// Cuts the head into blocks and commits them, and lets go of series that are idle. Returns the number of rows that
    /// moved.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away; the rows stay safe and are tried again.
    pub async fn cut(&self) -> Result<u64, Error> {
        work::cut(&self.0.inner, Reason::Regular).await
    }

    /// Cuts logs and spans alone, as the store does by itself once they are as many as a block should have. Returns the number
    /// of rows that moved.
    ///
    /// # Errors
    /// As [`Store::cut`].
    #[doc(hidden)] // Reached by the model's histories, which say when a cut happens.
    pub async fn cut_columns(&self) -> Result<u64, Error> {
        work::cut(&self.0.inner, Reason::Size).await
    }

    /// Cuts everything up to now, as the store does by itself when memory is short. Returns the number of rows that moved.
    ///
    /// # Errors
    /// As [`Store::cut`].
    #[doc(hidden)] // As `cut_columns`.
    pub async fn cut_under_pressure(&self) -> Result<u64, Error> {
        work::cut(&self.0.inner, Reason::Pressure).await
    }

    /// Writes a checkpoint of every table that has commits, and removes the old part of its log, as the store does by itself
    /// after many commits.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away.
    #[doc(hidden)] // As `cut_columns`.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        work::checkpoint(&self.0.inner, &mut Default::default(), 1).await
    }

    /// Removes the days that are older than the retention, and files that no table needs. Returns the blocks removed.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away.
    pub async fn expire(&self) -> Result<usize, Error> {
        work::expire(&self.0.inner).await
    }

    /// Stops taking rows, cuts everything, stops the workers.
    ///
    /// # Errors
    /// As [`Store::cut`]; what could not be cut stays in the journal.
    pub async fn close(&self) -> Result<(), Error> {
        let inner = &self.0.inner;
        inner.closed.store(true, Ordering::SeqCst);
        let workers = std::mem::take(&mut *self.0.workers.lock());
        for worker in workers {
            worker.stop().await;
        }
        let mut cutter = inner.cutter.lock().await;
        // Rows of more dates than one cut takes need more than one.
        let drained = loop {
            match cutter.cut(inner, Reason::Drain).await {
                Ok(_) if inner.head.is_empty() => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        drop(cutter);
        inner.writer.stop().await.map_err(Error::from)?;
        drained
    }

    /// Why the store takes no rows, as far as its last attempt tells; `None` if it does. A budget that is full is no
    /// obstacle: it empties by itself.
    pub fn obstacle(&self) -> Option<String> {
        let inner = &self.0.inner;
        if inner.writer.is_stopped() {
            return Some("the journal's writer has stopped, restart this server".into());
        }
        inner.trouble.at(inner.clock.now_ms())
    }

    /// How full the store is, for metrics and budgets.
    pub fn stats(&self) -> Stats {
        stats::of(&self.0.inner)
    }
}

#[async_trait]
impl Ingest for Store {
    async fn write(&self, batch: Batch) -> Result<Receipt, Error> {
        let inner = &self.0.inner;
        let is_pressed = inner.admit()?;
        let patience = batch.patience;
        let (rows, receipt) = inner.clone().resolve(batch).await?;
        let receipt = Receipt { is_pressed, ..receipt };
        if rows.is_empty() {
            return Ok(receipt);
        }
        let said: Vec<_> = rows.metadata.iter().map(resolve::fingerprint).collect();
        let started = rows.starts.clone();
        let (answer, told) = oneshot::channel();
        let item = Item { content: Content::Metrics(rows), origin: Origin::Written, receipt, answer };
        inner.writer.submit_patiently(item, patience).map_err(|(_, error)| Error::from(error))?;
        let receipt = told
            .await
            .map_err(|_| Error::new(ErrorKind::Unavailable, "the store is closing").with_retry_after(RETRY_AFTER))??;
        started.iter().for_each(|row| row.series.note_start(row));
        if !said.is_empty() {
            let mut known = inner.metadata.lock();
            if known.len() >= KNOWN_FAMILIES {
                known.clear();
            }
            known.extend(said);
        }
        Ok(receipt)
    }

    async fn write_logs(&self, logs: Logs) -> Result<Receipt, Error> {
        columns::write(&self.0.inner, logs, Content::Logs).await
    }

    async fn write_spans(&self, spans: Spans) -> Result<Receipt, Error> {
        columns::write(&self.0.inner, spans, Content::Spans).await
    }
}

impl Inner {
    /// Makes the rows that a day has in `series` known to `days`.
    pub(crate) async fn load_day(&self, view: &View, date: Date, days: &mut Days) -> Result<(), Error> {
        if days.knows(date) {
            return Ok(());
        }
        let mut known = Vec::new();
        for block in view.of(Table::Series).dates(date..=date) {
            match self.block_cache.series_block(block).await {
                Ok(series) => {
                    for ordinal in 0..series.rows() {
                        let info = series.info(ordinal)?;
                        known.push(DayKey::of(&info.key, info.id));
                    }
                }
                // Its series get a second row, which harms nobody; without, the rows of this day could never leave.
                Err(error) if error.kind() == ErrorKind::Corrupt => tracing::error!(%error, "a block is damaged"),
                Err(error) => return Err(error),
            }
        }
        days.add(date, known);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
