//! Logs and spans as histories write them, and what must hold of them.
//!
//! Owns: of which rows each batch is, and the truth of them. They have no key: each acknowledged batch is there whole and once,
//! and a row that was written twice is there twice.
//! Does not own: what makes a row of a seed, how rows are read (`columnar_read`), what may become of a batch whose outcome is
//! unknown (`reference`).

use std::collections::BTreeMap;

use storage::Table;

use crate::columnar_read::Seed;
use crate::reference::{Outcome, Reference, WriteId};
use crate::sender::When;

/// Sources of logs write on this grid, so that histories meet the same instant again.
const GRID_MS: i64 = 5_000;
const DAY_MS: i64 = 86_400_000;
const NANOS: i64 = 1_000_000;

/// A batch of logs or spans to be written.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) table: Table,
    /// Of each row its time; [`When::Again`] is an earlier row once more, the same in all columns.
    pub(crate) rows: Vec<When>,
}

/// All senders of logs and spans of a history, and what must hold of their rows.
#[derive(Debug)]
pub(crate) struct Columnar {
    /// A batch is known by the number of its first row, which is written nowhere else.
    truth: Reference<u64>,
    batches: BTreeMap<u64, (WriteId, Vec<Seed>)>,
    /// The rows that may be written again.
    repeatable: Vec<Seed>,
    last_number: u64,
}

/// The batches that were seen, by the number of their first row.
pub(crate) type Batches = BTreeMap<u64, u64>;

impl Columnar {
    pub(crate) fn new() -> Self {
        let (truth, batches) = (Reference::new(), BTreeMap::new());
        Columnar { truth, batches, repeatable: Vec::new(), last_number: 0 }
    }

    /// Decides the rows of a batch.
    pub(crate) fn seeds(&mut self, parcel: &Parcel, now_ms: i64) -> Vec<Seed> {
        let mut seeds = Vec::new();
        for when in &parcel.rows {
            let of_table = |seed: &&Seed| seed.table == parcel.table;
            let earlier: Vec<Seed> = self.repeatable.iter().filter(of_table).copied().collect();
            let is_first = seeds.is_empty();
            let seed = match when {
                When::Again(n) if !is_first && !earlier.is_empty() => earlier[usize::from(*n) % earlier.len()],
                _ => self.new_seed(parcel.table, *when, now_ms),
            };
            if !is_first {
                self.repeatable.push(seed);
            }
            seeds.push(seed);
        }
        seeds
    }

    fn new_seed(&mut self, table: Table, when: When, now_ms: i64) -> Seed {
        let grid = now_ms.div_euclid(GRID_MS) * GRID_MS;
        let time_unix_nano = match when {
            When::Steps(steps) => (grid + steps * GRID_MS) * NANOS,
            When::Millis(by_ms) => (now_ms + by_ms) * NANOS + by_ms.rem_euclid(NANOS),
            When::Days(days) => (grid + days * DAY_MS) * NANOS,
            When::First => 0,
            When::Last => i64::MAX,
            When::Again(_) => now_ms * NANOS,
        };
        self.last_number += 1;
        Seed { table, time_unix_nano, number: self.last_number }
    }

    /// Batches are about to be written at once.
    pub(crate) fn issue(&mut self, batches: &[Vec<Seed>]) -> Vec<WriteId> {
        let keyed = |batch: &Vec<Seed>| batch.iter().take(1).map(|seed| (seed.number, seed.number)).collect();
        let ids = self.truth.issue_group(&batches.iter().map(keyed).collect::<Vec<Vec<(u64, u64)>>>());
        for (batch, id) in batches.iter().zip(&ids) {
            self.batches.extend(batch.first().map(|first| (first.number, (*id, batch.clone()))));
        }
        ids
    }

    /// See [`Reference::settle`].
    pub(crate) fn settle(&mut self, id: WriteId, outcome: Outcome) {
        self.truth.settle(id, outcome);
    }

    /// See [`Reference::cut_begins`].
    pub(crate) fn cut_begins(&mut self) {
        self.truth.cut_begins();
    }

    /// See [`Reference::cut_done`].
    pub(crate) fn cut_done(&mut self) {
        self.truth.cut_done();
    }

    /// See [`Reference::restarted`].
    pub(crate) fn restarted(&mut self, power_cut: bool) {
        self.truth.restarted(power_cut);
    }

    /// How many batches there were so far.
    pub(crate) fn writes(&self) -> usize {
        self.batches.len()
    }

    /// The batches that these rows are. The error names a row that is there too often or too seldom for that.
    pub(crate) fn batches_of(&self, found: &[Seed]) -> Result<Batches, String> {
        let mut counts = BTreeMap::<Seed, (usize, usize)>::new();
        for seed in found {
            counts.entry(*seed).or_default().0 += 1;
        }
        let seen: Batches =
            found.iter().map(|s| s.number).filter(|n| self.batches.contains_key(n)).map(|n| (n, n)).collect();
        for seed in seen.keys().flat_map(|first| &self.batches[first].1) {
            counts.entry(*seed).or_default().1 += 1;
        }
        match counts.iter().find(|(_, (found, written))| found != written) {
            Some((seed, (found, written))) => Err(format!(
                "{seed:?} is there {found} times, the batches whose first rows are there have it {written} times"
            )),
            None => Ok(seen),
        }
    }

    /// Compares what can be seen with what may be seen; see [`Reference::observe`].
    pub(crate) fn observe(&mut self, seen: &Batches) -> Result<(), String> {
        self.truth.observe(seen)
    }

    /// Whether each of these batches may be there, seen in the midst of something.
    pub(crate) fn may_be(&self, seen: &Batches) -> Result<(), String> {
        self.truth.count(&seen.keys().map(|first| (*first, 1)).collect())
    }

    /// A snapshot shows what was seen when there were so many batches; those written since may show too.
    pub(crate) fn compare(&self, seen: &Batches, writes: usize, now: &Batches) -> Result<(), String> {
        if let Some(gone) = seen.keys().find(|first| !now.contains_key(first)) {
            return Err(format!("the batch of {:?} is gone", self.batches[gone].1));
        }
        let is_old = |first: &&u64| !seen.contains_key(first) && self.batches[first].0 < writes;
        match now.keys().find(is_old) {
            Some(fresh) => Err(format!("the batch of {:?} came from nowhere", self.batches[fresh].1)),
            None => Ok(()),
        }
    }
}

mod tests {
    use super::*;

    const PARCEL: [When; 3] = [When::Steps(0), When::Steps(-1), When::Again(0)];

    /// Two acknowledged batches of logs, the second with a row of the first once more.
    fn written() -> (Columnar, Vec<Seed>) {
        let mut columnar = Columnar::new();
        let parcel = Parcel { table: Table::Logs, rows: PARCEL.to_vec() };
        let batches = vec![columnar.seeds(&parcel, 10_000), columnar.seeds(&parcel, 20_000)];
        for id in columnar.issue(&batches) {
            columnar.settle(id, Outcome::Acked);
        }
        (columnar, batches.concat())
    }

    #[test]
    fn a_row_that_was_written_more_than_once_must_be_there_as_often() {
        let (mut columnar, mut rows) = written();
        let again = rows[1];
        assert_eq!(rows.iter().filter(|seed| **seed == again).count(), 3, "{rows:?}");
        let seen = columnar.batches_of(&rows).unwrap();
        columnar.observe(&seen).unwrap();
        rows.push(again);
        assert!(columnar.batches_of(&rows).is_err(), "once too often");
        rows.retain(|seed| *seed != again);
        assert!(columnar.batches_of(&rows).is_err(), "taken for a repetition");
    }

    #[test]
    fn an_acknowledged_batch_must_be_there_once_and_nothing_else() {
        let (mut columnar, rows) = written();
        assert!(columnar.batches_of(&rows[1..]).is_err(), "half of the first");
        let seen = columnar.batches_of(&rows[..3]).unwrap();
        assert!(columnar.observe(&seen).is_err(), "the second is missing");
        assert!(columnar.batches_of(&[&rows[..], &rows[..3]].concat()).is_err(), "the first is there twice");
        let stranger = Seed { table: Table::Spans, time_unix_nano: 1, number: 99 };
        assert!(columnar.batches_of(&[&rows[..], &[stranger]].concat()).is_err(), "nobody wrote it");
    }
}
