//! The rows of one kind that a series has in the head: those that no cut has taken, and those that cuts have.
//!
//! Owns: a row's way from live to frozen and, if it stays, back; in which of the two a snapshot sees it.
//! Does not own: which rows leave (`settle`), how rows are packed (`run`, `histograms`).

use std::sync::Arc;

use super::settle::Carried;
use super::slots::Slot;
use crate::series::Series;

/// Rows of the live head win over all others; those of frozen cut n have this rank plus n; blocks are far below.
const FROZEN_RANK: i64 = i64::MAX / 2;

/// Rows of one series, packed, in the order in which they were applied: of two with the same time the later one counts.
pub(crate) trait PackedRun: Default {
    /// What a row has beside its time.
    type Value;

    /// How many rows were pushed.
    fn len(&self) -> usize;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The earliest and the latest time in milliseconds.
    fn range(&self) -> Option<(i64, i64)>;

    /// Bytes of memory taken.
    fn memory_bytes(&self) -> i64;

    /// Puts the rows into `out`: sorted by time, each time once, the row that was applied last.
    fn read(&self, out: &mut Vec<(i64, Self::Value)>);

    /// The rows whose time `leaves`, and the others.
    fn split(&self, leaves: impl Fn(i64) -> bool) -> (Self, Self);

    /// Adds the rows of a run that were applied later than its own.
    fn append(&mut self, later: &Self);

    /// Journals the rows again.
    fn carry(&self, series: &Arc<Series>, carried: &mut Carried);

    /// Where a series has such rows; `None` if it never had one.
    fn of_slot(slot: &mut Slot) -> Option<&mut Runs<Self>>;
}

/// The rows of one kind of a series.
#[derive(Debug, Default)]
pub(crate) struct Runs<R> {
    /// Those that no cut has taken.
    pub(super) live: R,
    /// What a cut has taken and a snapshot may still need, by the cut's number.
    frozen: Vec<(u64, Arc<R>)>,
}

impl<R: PackedRun> Runs<R> {
    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.frozen.is_empty()
    }

    /// The runs that a snapshot sees whose blocks reach up to cut `committed`, the oldest first, with their rank.
    pub(super) fn visible(&self, committed: u64) -> impl Iterator<Item = (i64, &R)> {
        let frozen = self.frozen.iter().filter(move |(cut, _)| *cut > committed);
        let frozen = frozen.map(|(cut, run)| (FROZEN_RANK + *cut as i64, run.as_ref()));
        frozen.chain(Some((i64::MAX, &self.live)).filter(|(_, run)| !run.is_empty()))
    }

    /// Takes all live rows for cut `number`; `None` if there is none.
    pub(super) fn freeze(&mut self, number: u64) -> Option<Arc<R>> {
        if self.live.is_empty() {
            return None;
        }
        let run = Arc::new(std::mem::take(&mut self.live));
        self.frozen.push((number, run.clone()));
        Some(run)
    }

    /// Of the run `whole` that cut `number` has taken, leaves it `leave` and gives `stay` back to the live rows. Returns by
    /// how many bytes that grew. Does nothing if it was done before.
    pub(super) fn settle(&mut self, number: u64, whole: &Arc<R>, leave: Arc<R>, mut stay: R) -> i64 {
        let is_whole = |(cut, run): &(u64, Arc<R>)| *cut == number && Arc::ptr_eq(run, whole);
        let Some(at) = self.frozen.iter().position(is_whole) else { return 0 };
        let before = whole.memory_bytes() + self.live.memory_bytes();
        // What was written meanwhile is later.
        stay.append(&self.live);
        self.live = stay;
        let after = leave.memory_bytes() + self.live.memory_bytes();
        if leave.is_empty() {
            self.frozen.remove(at);
        } else {
            self.frozen[at].1 = leave;
        }
        after - before
    }

    /// Lets go of what cut `number` and those before it took; returns how many bytes that freed.
    pub(super) fn retire(&mut self, number: u64) -> i64 {
        super::retire(&mut self.frozen, number, R::memory_bytes)
    }
}
