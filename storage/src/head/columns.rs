//! Logs and spans of the head: chunks of columns, which are merged while they are small.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::time::Date;
use model::{Logs, Spans};
use parking_lot::Mutex;

use super::settle::Carried;
use crate::columnar::{Chunk, Columnar};
use crate::cut::plan;

/// So many chunks of about one size become one.
const MERGED: usize = 8;
/// Chunks of at least so many rows stay as they are: what each chunk costs is little beside them.
const ENOUGH_ROWS: usize = 512;

/// The chunks of a table, shared.
pub(crate) type Chunks<C> = Arc<Vec<Chunk<C>>>;

/// Logs and spans that are in no block yet.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) logs: Mutex<OfTable<Logs>>,
    pub(super) spans: Mutex<OfTable<Spans>>,
}

/// Rows of one table.
#[derive(Debug)]
pub(super) struct OfTable<C> {
    /// In the order in which they came.
    live: Vec<Chunk<C>>,
    /// Bytes of the live ones.
    live_bytes: i64,
    /// What cuts have taken and a snapshot may still need, by the cut's number.
    frozen: Vec<(u64, Chunks<C>)>,
}

impl<C> Default for OfTable<C> {
    fn default() -> Self {
        OfTable { live: Vec::new(), live_bytes: 0, frozen: Vec::new() }
    }
}

impl<C: Columnar> OfTable<C> {
    /// Adds rows and returns by how many bytes they grew.
    pub(super) fn apply(&mut self, rows: Arc<C>) -> i64 {
        let Some(chunk) = Chunk::new(rows) else { return 0 };
        let mut grown = chunk.bytes;
        self.live.push(chunk);
        while let Some(merged) = self.merge() {
            grown += merged;
        }
        self.live_bytes += grown;
        grown
    }

    /// Makes one of the last chunks, if they are enough of one size.
    fn merge(&mut self) -> Option<i64> {
        let size = |chunk: &Chunk<C>| chunk.rows.len().max(1).ilog(MERGED);
        let last = self.live.last().filter(|chunk| chunk.rows.len() < ENOUGH_ROWS)?;
        let alike = self.live.iter().rev().take_while(|chunk| size(chunk) == size(last)).take(MERGED).count();
        if alike < MERGED {
            return None;
        }
        let parts = self.live.split_off(self.live.len() - MERGED);
        let mut rows = C::default();
        parts.iter().for_each(|part| rows.append(&part.rows, 0..part.rows.len()));
        let merged = Chunk::new(Arc::new(rows))?;
        let grown = merged.bytes - parts.iter().map(|part| part.bytes).sum::<i64>();
        self.live.push(merged);
        Some(grown)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Takes all for cut `number`.
    pub(super) fn freeze(&mut self, number: u64) -> Chunks<C> {
        self.live_bytes = 0;
        let frozen = Arc::new(std::mem::take(&mut self.live));
        self.frozen.push((number, frozen.clone()));
        frozen
    }

    /// Of what cut `number` has taken gives the rows beyond its first dates back, once; returns what leaves, what stays, and by
    /// how many bytes that grew.
    ///
    /// The dates are those of what was taken, not those that were there when the cut was planned: only a block tells a start
    /// that carried rows count, so a cut must not carry rows of a table that it has no block of.
    fn settle(&mut self, number: u64, whole: &Chunks<C>) -> (Chunks<C>, Vec<Chunk<C>>, i64) {
        let dates = first_dates(whole);
        let may_leave = |date: Date| dates.contains(&date);
        let (mut leave, mut stay) = (Vec::with_capacity(whole.len()), Vec::new());
        for chunk in whole.iter() {
            match chunk.date() {
                Some(date) if may_leave(date) => leave.push(chunk.clone()),
                Some(_) => stay.push(chunk.clone()),
                None if chunk.dates().all(may_leave) => leave.push(chunk.clone()),
                None => {
                    leave.extend(chunk.of_dates(may_leave));
                    stay.extend(chunk.of_dates(|date| !may_leave(date)));
                }
            }
        }
        if stay.is_empty() {
            return (whole.clone(), stay, 0);
        }
        let bytes = |chunks: &[Chunk<C>]| chunks.iter().map(|chunk| chunk.bytes).sum::<i64>();
        let grown = bytes(&leave) + bytes(&stay) - bytes(whole);
        let leave = Arc::new(leave);
        let is_whole = |(cut, of): &&mut (u64, Chunks<C>)| *cut == number && Arc::ptr_eq(of, whole);
        let Some((_, frozen)) = self.frozen.iter_mut().find(is_whole) else { return (leave, stay, 0) };
        *frozen = leave.clone();
        // What was written meanwhile is later.
        self.live.splice(0..0, stay.iter().cloned());
        self.live_bytes += bytes(&stay);
        (leave, stay, grown)
    }

    /// All rows that are in no block of a view that reaches up to a cut.
    pub(super) fn chunks(&self, cut: u64) -> Vec<Chunk<C>> {
        let frozen = self.frozen.iter().filter(|(number, _)| *number > cut);
        frozen.flat_map(|(_, chunks)| chunks.iter()).chain(&self.live).cloned().collect()
    }

    /// Lets go of what cut `number` and those before it took; returns how many bytes that freed.
    pub(super) fn retire(&mut self, number: u64) -> i64 {
        super::retire(&mut self.frozen, number, |chunks: &Vec<Chunk<C>>| chunks.iter().map(|chunk| chunk.bytes).sum())
    }
}

/// The first dates of some chunks, as many as a cut takes.
fn first_dates<C: Columnar>(chunks: &[Chunk<C>]) -> BTreeSet<Date> {
    let of_chunk = |chunk: &Chunk<C>| match chunk.date() {
        Some(date) => BTreeSet::from([date]),
        None => chunk.dates().collect(),
    };
    let dates = chunks.iter().flat_map(of_chunk).map(|date| (date, false)).collect();
    plan::admitted(&dates).into_iter().collect()
}

impl Columns {
    pub(super) fn is_empty(&self) -> bool {
        self.logs.lock().is_empty() && self.spans.lock().is_empty()
    }

    pub(super) fn live_bytes(&self) -> i64 {
        self.logs.lock().live_bytes + self.spans.lock().live_bytes
    }

    /// Gives back what does not leave in a cut; returns what leaves, and by how many bytes all grew.
    pub(super) fn settle(
        &self,
        number: u64,
        (logs, spans): (&Chunks<Logs>, &Chunks<Spans>),
        carried: &mut Carried,
    ) -> (Chunks<Logs>, Chunks<Spans>, i64) {
        let (logs, logs_stay, of_logs) = self.logs.lock().settle(number, logs);
        let (spans, spans_stay, of_spans) = self.spans.lock().settle(number, spans);
        carried.logs.extend(logs_stay.into_iter().map(|chunk| chunk.rows));
        carried.spans.extend(spans_stay.into_iter().map(|chunk| chunk.rows));
        (logs, spans, of_logs + of_spans)
    }

    pub(super) fn retire(&self, number: u64) -> i64 {
        self.logs.lock().retire(number) + self.spans.lock().retire(number)
    }
}
