//! One cut up to the staging folder: give back and journal again what stays, build blocks, seal them with a manifest.
//!
//! Owns: the order of these steps, and going on where it stopped. A step that failed is tried again; none is done twice.
//! Does not own: the steps themselves, when a cut begins (`cutter`), what becomes of the staged blocks (`staged`).

use std::sync::Arc;

use journal::Position;
use model::{Error, Receipt};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::build::{self, Built, StagedFile};
use super::manifest::Manifest;
use super::staged::StagedCut;
use crate::block::Block;
use crate::columnar::{Carry, Packed};
use crate::days::Days;
use crate::delta::{Change, NewBlock, Txn};
use crate::head::{CutRows, Frozen};
use crate::record::Origin;
use crate::rows::Content;
use crate::store::Inner;
use crate::tables::Table;
use crate::writer::Item;

/// A cut between its barrier and its staged blocks.
#[derive(Debug)]
pub(crate) struct Job {
    taken: Taken,
    /// What its manifest is named by, however often it is written.
    id: Uuid,
    /// Where the new generation begins: every row below is staged, in a table, or carried once this cut is staged.
    start: Position,
    /// Whether rows of series lie below that are in no block.
    leaves_metrics: bool,
    carried: bool,
    built: Option<Built>,
}

/// What a cut has taken out of the head.
#[derive(Debug)]
enum Taken {
    /// All that was there.
    Frozen(Arc<Frozen>),
    /// What leaves.
    Settled(Arc<CutRows>),
}

impl Job {
    pub(crate) fn new(start: Position, frozen: Frozen) -> Self {
        let leaves_metrics = frozen.leaves_metrics;
        Job {
            taken: Taken::Frozen(Arc::new(frozen)),
            id: Uuid::new_v4(),
            start,
            leaves_metrics,
            carried: false,
            built: None,
        }
    }

    /// Where the journal may be dropped up to when the cut is staged; `None` if no further than before.
    pub(crate) fn droppable(&self) -> Option<Position> {
        (!self.leaves_metrics).then_some(self.start)
    }

    /// Does what is left to do until the cut is staged; returns its rows as well. After an error it may be called again.
    ///
    /// # Errors
    /// `Unavailable` or `Busy` if journal or disk do not take what they are given: all rows are still safe.
    pub(crate) async fn stage(&mut self, inner: &Inner, days: &mut Days) -> Result<(StagedCut, Arc<CutRows>), Error> {
        let rows = self.settle(inner).await?;
        self.carry(inner, &rows).await?;
        self.build(inner, &rows, days).await?;
        let blocks = self.built.as_ref().map_or(&[][..], |built| &built.blocks);
        let mut changes = Vec::new();
        for table in Table::ALL {
            let of_table = blocks.iter().filter(|block| block.table == table);
            let adds: Vec<NewBlock> = of_table.map(|block| new_block(block, inner.journal_uuid)).collect();
            if !adds.is_empty() {
                let txn = Txn { app_id: inner.journal_uuid, position: self.start.0 as i64 };
                changes.push((table, Change::add(adds, Some(txn))));
            }
        }
        let manifest = Manifest::new(self.id, inner.journal_uuid, self.start, changes);
        let staged = StagedCut::seal(&inner.staging, rows.number, manifest).await?;
        for (date, series) in self.built.iter().flat_map(|built| &built.new_days) {
            days.add(*date, series.iter().copied());
        }
        Ok((staged, rows))
    }

    /// Gives back to the head what stays. Seldom much, but it takes a look at every row.
    async fn settle(&mut self, inner: &Inner) -> Result<Arc<CutRows>, Error> {
        let frozen = match &self.taken {
            Taken::Settled(rows) => return Ok(rows.clone()),
            Taken::Frozen(frozen) => frozen.clone(),
        };
        let head = inner.head.clone();
        let settled = tokio::task::spawn_blocking(move || head.settle(&frozen)).await;
        let rows = Arc::new(settled.map_err(|e| Error::internal("settling a cut panicked").with_source(e))?);
        self.taken = Taken::Settled(rows.clone());
        Ok(rows)
    }

    /// Journals the rows that stay above the new generation's beginning. Doing it twice is harmless: a carried row
    /// never replaces a row, and of carried logs and spans it is told which they are.
    async fn carry(&mut self, inner: &Inner, rows: &CutRows) -> Result<(), Error> {
        if self.carried {
            return Ok(());
        }
        // One at a time: all of them copied at once could be much of the memory.
        for rows in &rows.carried {
            journal_again(inner, Content::Metrics(rows.clone())).await?;
        }
        let carry = |part| Some(Carry { cut: self.start.0, part });
        for (logs, part) in rows.carried_logs.iter().zip(0..) {
            journal_again(inner, Content::Logs(Packed::new(logs.clone(), carry(part)))).await?;
        }
        for (spans, part) in rows.carried_spans.iter().zip(0..) {
            journal_again(inner, Content::Spans(Packed::new(spans.clone(), carry(part)))).await?;
        }
        self.carried = true;
        Ok(())
    }

    async fn build(&mut self, inner: &Inner, rows: &Arc<CutRows>, days: &mut Days) -> Result<(), Error> {
        if self.built.is_some() {
            return Ok(());
        }
        let (rows, files, folder) = (rows.clone(), inner.files.clone(), inner.staging.path().to_owned());
        // Shared, so that a panic does not take along what is known.
        let shared = Arc::new(std::mem::take(days));
        let known = shared.clone();
        let built = tokio::task::spawn_blocking(move || build::build(&rows, &known, &files, &folder)).await;
        *days = Arc::unwrap_or_clone(shared);
        self.built = Some(built.map_err(|e| Error::internal("building blocks panicked").with_source(e))??);
        Ok(())
    }
}

async fn journal_again(inner: &Inner, content: Content) -> Result<(), Error> {
    let (answer, told) = oneshot::channel();
    let item = Item { content, origin: Origin::Carried, receipt: Receipt::default(), answer };
    inner.writer.submit_reserved(item).map_err(|(_, error)| Error::from(error))?;
    told.await.map_err(|_| Error::internal("the journal's writer went away"))??;
    Ok(())
}

fn new_block(staged: &StagedFile, journal: Uuid) -> NewBlock {
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
    new.keys = bounds.map(|bounds| bounds.keys.each_ref().map(|(min, max)| (min.to_string(), max.to_string())));
    new.last_samples = staged.meta.last_samples.clone();
    new
}
