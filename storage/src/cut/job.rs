//! One cut on its way: journal again what stays, stage, upload, commit, make visible, drop the generation.
//!
//! Owns: the order of these steps, and going on where it stopped. A step that failed is tried again; none is done twice.
//! Does not own: the steps themselves, nor when a cut begins (`cutter`).

use std::collections::VecDeque;
use std::sync::Arc;

use journal::Position;
use model::{Error, Receipt};
use object_store::{ObjectStoreExt, PutPayload};
use tokio::sync::oneshot;

use super::build::{self, Built, Staged};
use crate::block::Block;
use crate::days::Days;
use crate::delta::{Change, DeltaTable, NewBlock, Txn};
use crate::head::Frozen;
use crate::record::Origin;
use crate::store::Inner;
use crate::tables::Table;
use crate::writer::Item;

/// A cut between its barrier and the dropped generation.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) frozen: Arc<Frozen>,
    /// Where the new generation begins: everything below is in blocks once this cut has committed.
    start: Position,
    carried: bool,
    built: Option<Built>,
    uploaded: usize,
    /// The commits still to be made, in their order. One that failed is tried again as it was: only so can it be
    /// recognised if it came through after all.
    commits: VecDeque<(Table, Change)>,
}

impl Job {
    pub(crate) fn new(start: Position, frozen: Frozen) -> Self {
        let (frozen, commits) = (Arc::new(frozen), VecDeque::new());
        Job { frozen, start, carried: false, built: None, uploaded: 0, commits }
    }

    /// Where the journal may be dropped up to when the job is done.
    pub(crate) fn start(&self) -> Position {
        self.start
    }

    /// Does what is left to do up to the last commit. After an error it may be called again.
    ///
    /// # Errors
    /// `Unavailable` or `Busy` if journal, disk or bucket do not take what they are given: all rows are still safe.
    pub(crate) async fn advance(
        &mut self,
        inner: &Inner,
        tables: &mut [DeltaTable],
        days: &mut Days,
    ) -> Result<(), Error> {
        self.carry(inner).await?;
        self.stage(inner, days).await?;
        self.upload(inner).await?;
        self.commit(tables).await?;
        for (date, series) in self.built.iter().flat_map(|built| &built.new_days) {
            days.add(*date, series.iter().copied());
        }
        Ok(())
    }

    /// Journals the rows that stay above the new generation's beginning. Doing it twice is harmless: a carried row
    /// never replaces a row.
    async fn carry(&mut self, inner: &Inner) -> Result<(), Error> {
        if self.carried {
            return Ok(());
        }
        let mut answers = Vec::new();
        for rows in &self.frozen.carried {
            let (answer, told) = oneshot::channel();
            let item = Item { rows: rows.clone(), origin: Origin::Carried, receipt: Receipt::default(), answer };
            inner.writer.submit_reserved(item).map_err(|(_, error)| Error::from(error))?;
            answers.push(told);
        }
        for told in answers {
            told.await.map_err(|_| Error::internal("the journal's writer went away"))??;
        }
        self.carried = true;
        Ok(())
    }

    async fn stage(&mut self, inner: &Inner, days: &mut Days) -> Result<(), Error> {
        if self.built.is_some() {
            return Ok(());
        }
        let view = inner.view.read().clone();
        for date in &self.frozen.dates {
            inner.load_day(&view, *date, days).await?;
        }
        let (frozen, files, folder) = (self.frozen.clone(), inner.files.clone(), inner.staged.clone());
        let moved = std::mem::take(days);
        let (built, moved) = tokio::task::spawn_blocking(move || {
            let built = build::build(&frozen, &moved, &files, &folder);
            (built, moved)
        })
        .await
        .map_err(|e| Error::internal("building blocks panicked").with_source(e))?;
        *days = moved;
        let built = built?;
        for table in Table::ALL {
            let of_table = built.blocks.iter().filter(|block| block.table == table);
            let adds: Vec<NewBlock> = of_table.map(|block| new_block(block, inner.journal_uuid)).collect();
            if !adds.is_empty() {
                let txn = Txn { app_id: inner.journal_uuid, position: self.start.0 as i64 };
                self.commits.push_back((table, Change::add(adds, Some(txn))));
            }
        }
        self.built = Some(built);
        Ok(())
    }

    async fn upload(&mut self, inner: &Inner) -> Result<(), Error> {
        let blocks = self.built.as_ref().map_or(&[][..], |built| &built.blocks);
        for block in &blocks[self.uploaded..] {
            let (files, path) = (inner.files.clone(), block.file.clone());
            let bytes = tokio::task::spawn_blocking(move || model::files::read(&*files, &path))
                .await
                .map_err(|e| Error::internal("reading a staged block panicked").with_source(e))?
                .map_err(|e| staged_lost(block, e))?;
            let target = Inner::location(block.table, &block.object);
            inner.object_store.put(&target, PutPayload::from(bytes)).await.map_err(|e| {
                Error::new(model::ErrorKind::Unavailable, format!("cannot upload a block to {target}")).with_source(e)
            })?;
            self.uploaded += 1;
        }
        Ok(())
    }

    async fn commit(&mut self, tables: &mut [DeltaTable]) -> Result<(), Error> {
        while let Some((table, change)) = self.commits.front() {
            if let Some((delta, _)) = tables.iter_mut().zip(Table::ALL).find(|(_, of)| of == table) {
                delta.commit(change).await?;
            }
            self.commits.pop_front();
        }
        Ok(())
    }

    /// The files of a table that this cut uploads.
    pub(crate) fn objects(&self, table: Table) -> impl Iterator<Item = String> {
        let blocks = self.built.iter().flat_map(|built| &built.blocks);
        blocks.filter(move |block| block.table == table).map(|block| block.object.clone())
    }

    /// Removes the staged files, which nobody needs after the commit.
    pub(crate) async fn unstage(self, inner: &Inner) {
        let files = inner.files.clone();
        let blocks = self.built.map(|built| built.blocks).unwrap_or_default();
        let removed = tokio::task::spawn_blocking(move || {
            for block in blocks {
                // What is left is removed at the next start.
                if let Err(error) = files.remove(&block.file) {
                    tracing::warn!(file = %block.file.display(), %error, "cannot remove a staged block");
                }
            }
        });
        if removed.await.is_err() {
            tracing::warn!("removing staged blocks panicked");
        }
    }
}

fn staged_lost(block: &Staged, error: std::io::Error) -> Error {
    let file = block.file.display();
    Error::new(model::ErrorKind::Unavailable, format!("cannot read the staged block {file}")).with_source(error)
}

fn new_block(staged: &Staged, journal: uuid::Uuid) -> NewBlock {
    let bounds = staged.meta.bounds.as_ref();
    let mut new = NewBlock::new(Block {
        path: staged.object.clone(),
        size_bytes: staged.meta.size_bytes,
        date: staged.date,
        rows: staged.meta.rows,
        min_time_ms: bounds.map_or(staged.date.start_ms(), |bounds| bounds.min_time_ms),
        max_time_ms: bounds.map_or(staged.date.start_ms(), |bounds| bounds.max_time_ms),
        window_ms: staged.window_ms,
        journal,
        gen_min: 0,
        gen_max: 0,
    });
    new.names = bounds.map(|bounds| (bounds.min_name.to_string(), bounds.max_name.to_string()));
    new.last_samples = staged.meta.last_samples.clone();
    new.clusters = bounds.map(|bounds| (bounds.min_cluster.to_string(), bounds.max_cluster.to_string()));
    new
}
