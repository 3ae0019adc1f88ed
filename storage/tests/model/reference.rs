//! What must hold after any history of writes, restarts and power cuts.
//!
//! Owns: the truth. It is written from DESIGN.md section 5 and `model::Ingest`, not from the code under test:
//! an acknowledged row is there; of a key written twice the later write in the journal's order wins; a batch is there
//! whole or not at all; a refused batch never shows; a batch of unknown outcome may show after a restart, but once a
//! restart has decided, it stays decided, unless it only lived in what a power cut may forget.
//! Does not own: where rows are kept.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// The number of a write, in the order in which they were issued.
pub(crate) type WriteId = usize;

/// What the caller of a write was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is durable.
    Acked,
    /// Nothing of it was kept.
    Refused,
    /// It may or may not be there (an answer such as `Unavailable`, or none at all).
    Unknown,
}

/// Whether the rows of a write of unknown outcome are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Nothing seen so far says.
    Doubt,
    /// They are. `safe`: a cut has moved them, so that no power cut can take them back.
    Here { safe: bool },
    /// They are not. `decided`: no later restart may bring them back.
    Gone { decided: bool },
}

#[derive(Debug)]
struct Write<K> {
    /// Writes of one group were in flight at once: the journal may hold them in any order.
    group: usize,
    /// Within a batch the last row of a key counts.
    rows: BTreeMap<K, u64>,
    outcome: Outcome,
    presence: Presence,
    /// The life of the process in which it was issued.
    life: u64,
    /// A later write of the same life was acknowledged: the journal is past this one.
    overtaken: bool,
    /// It was overtaken when the running cut began: the cut's position is past this one.
    cut_off: bool,
}

/// The history so far, and what is still possible of it.
#[derive(Debug)]
pub(crate) struct Reference<K> {
    writes: Vec<Write<K>>,
    /// Per group the orders of its writes that agree with all that was seen.
    orders: Vec<Vec<Vec<WriteId>>>,
    /// The writes of each key, in the order in which they were issued.
    by_key: BTreeMap<K, Vec<WriteId>>,
    life: u64,
    /// How many writes were issued when the running cut began.
    cut_from: usize,
}

impl<K: Ord + Clone + Debug> Reference<K> {
    pub(crate) fn new() -> Self {
        Reference { writes: Vec::new(), orders: Vec::new(), by_key: BTreeMap::new(), life: 0, cut_from: 0 }
    }

    /// A batch is about to be written. Until [`Reference::settle`] its outcome is unknown.
    pub(crate) fn issue(&mut self, rows: &[(K, u64)]) -> WriteId {
        self.issue_group(&[rows.to_vec()])[0]
    }

    /// Batches are about to be written at once.
    pub(crate) fn issue_group(&mut self, batches: &[Vec<(K, u64)>]) -> Vec<WriteId> {
        let group = self.orders.len();
        let first = self.writes.len();
        for batch in batches {
            let id = self.writes.len();
            let rows: BTreeMap<K, u64> = batch.iter().cloned().collect();
            for key in rows.keys() {
                self.by_key.entry(key.clone()).or_default().push(id);
            }
            let (outcome, presence) = (Outcome::Unknown, Presence::Doubt);
            self.writes.push(Write {
                group,
                rows,
                outcome,
                presence,
                life: self.life,
                overtaken: false,
                cut_off: false,
            });
        }
        let ids: Vec<WriteId> = (first..self.writes.len()).collect();
        self.orders.push(permutations(&ids));
        ids
    }

    /// The caller of a write was answered.
    pub(crate) fn settle(&mut self, id: WriteId, outcome: Outcome) {
        self.writes[id].outcome = outcome;
        self.writes[id].presence = Presence::Doubt;
        if outcome == Outcome::Acked {
            let (group, life) = (self.writes[id].group, self.life);
            for earlier in self.writes.iter_mut().filter(|w| w.group < group && w.life == life) {
                earlier.overtaken = true;
            }
        }
    }

    /// A cut is about to begin.
    pub(crate) fn cut_begins(&mut self) {
        self.cut_from = self.writes.len();
        for write in &mut self.writes {
            write.cut_off = write.overtaken;
        }
    }

    /// The cut that began last ended well: all that is there is in blocks or synced, and the journal before it will not be read again.
    pub(crate) fn cut_done(&mut self) {
        for write in &mut self.writes[..self.cut_from] {
            write.presence = match write.presence {
                Presence::Here { .. } => Presence::Here { safe: true },
                Presence::Gone { .. } if write.cut_off => Presence::Gone { decided: true },
                other => other,
            };
        }
    }

    /// The process has died (or was ended) and the next one has read what is there.
    pub(crate) fn restarted(&mut self, power_cut: bool) {
        self.life += 1;
        for write in &mut self.writes {
            write.presence = match write.presence {
                Presence::Here { safe: false } if power_cut => Presence::Doubt,
                Presence::Gone { decided: false } => Presence::Doubt,
                other => other,
            };
        }
    }

    /// Compares what can be seen with what may be seen, and remembers what it says of doubtful writes.
    ///
    /// The error says which key is wrong, what was seen and what the history of the key is.
    pub(crate) fn observe(&mut self, seen: &BTreeMap<K, u64>) -> Result<(), String> {
        if let Some((key, bits)) = seen.iter().find(|(key, _)| !self.by_key.contains_key(key)) {
            return Err(format!("{key:?} = {} was never written", show(*bits)));
        }
        let keys: Vec<K> = self.by_key.keys().cloned().collect();
        // What one key says of a batch narrows what another key may show: repeat until nothing new is learned.
        loop {
            let mut learned = false;
            for key in &keys {
                learned |= self.explain(key, seen.get(key).copied())?;
            }
            if !learned {
                return Ok(());
            }
        }
    }

    /// No key is stored more often than it was written.
    pub(crate) fn count(&self, stored: &BTreeMap<K, usize>) -> Result<(), String> {
        for (key, count) in stored {
            let writes = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
            let possible = writes.iter().filter(|id| self.may_be_here(**id)).count();
            if *count > possible {
                return Err(format!("{key:?} is stored {count} times, {}", self.history(key)));
            }
        }
        Ok(())
    }

    fn may_be_here(&self, id: WriteId) -> bool {
        match self.writes[id].outcome {
            Outcome::Acked => true,
            Outcome::Refused => false,
            Outcome::Unknown => !matches!(self.writes[id].presence, Presence::Gone { .. }),
        }
    }

    fn must_be_here(&self, id: WriteId) -> bool {
        match self.writes[id].outcome {
            Outcome::Acked => true,
            Outcome::Refused => false,
            Outcome::Unknown => matches!(self.writes[id].presence, Presence::Here { .. }),
        }
    }

    /// Finds the writes that can have left `bits` at `key`. If there is only one, learns from it; tells whether it did.
    fn explain(&mut self, key: &K, bits: Option<u64>) -> Result<bool, String> {
        let ids = self.by_key[key].clone();
        let mut writers = ids.iter().copied().filter(|id| self.can_have_left(*id, key, bits, &ids));
        let Some(bits) = bits else {
            return match ids.iter().find(|id| self.must_be_here(**id)) {
                Some(_) => Err(format!("{key:?} is missing, {}", self.history(key))),
                None => Ok(self.learn_gone(&ids)),
            };
        };
        let Some(writer) = writers.next() else {
            return Err(format!("{key:?} = {}, {}", show(bits), self.history(key)));
        };
        if writers.next().is_some() {
            return Ok(false);
        }
        let mut learned = self.learn_here(writer);
        let group = self.writes[writer].group;
        let later: Vec<WriteId> = ids.iter().copied().filter(|id| self.writes[*id].group > group).collect();
        learned |= self.learn_gone(&later);
        let before: Vec<WriteId> = self.rivals(writer, &ids);
        let orders = &mut self.orders[group];
        let possible = orders.len();
        orders.retain(|order| is_last(order, writer, &before));
        Ok(learned | (orders.len() < possible))
    }

    fn can_have_left(&self, writer: WriteId, key: &K, bits: Option<u64>, ids: &[WriteId]) -> bool {
        let group = self.writes[writer].group;
        let before = self.rivals(writer, ids);
        Some(self.writes[writer].rows[key]) == bits
            && self.may_be_here(writer)
            && ids.iter().all(|id| self.writes[*id].group <= group || !self.must_be_here(*id))
            && self.orders[group].iter().any(|order| is_last(order, writer, &before))
    }

    /// The writes of the same key that were in flight with `writer` and are there for certain.
    fn rivals(&self, writer: WriteId, ids: &[WriteId]) -> Vec<WriteId> {
        let group = self.writes[writer].group;
        let is_rival = |id: &WriteId| *id != writer && self.writes[*id].group == group && self.must_be_here(*id);
        ids.iter().copied().filter(is_rival).collect()
    }

    fn learn_here(&mut self, id: WriteId) -> bool {
        let write = &mut self.writes[id];
        if write.outcome != Outcome::Unknown || write.presence != Presence::Doubt {
            return false;
        }
        write.presence = Presence::Here { safe: false };
        true
    }

    fn learn_gone(&mut self, ids: &[WriteId]) -> bool {
        let mut learned = false;
        for id in ids {
            let write = &mut self.writes[*id];
            if write.outcome == Outcome::Unknown && write.presence == Presence::Doubt {
                write.presence = Presence::Gone { decided: write.life < self.life };
                learned = true;
            }
        }
        learned
    }

    fn history(&self, key: &K) -> String {
        let mut text = String::from("written as");
        for id in self.by_key.get(key).into_iter().flatten() {
            let write = &self.writes[*id];
            let value = show(write.rows[key]);
            text +=
                &format!(" [write {id} of group {} in life {}: {value}, {:?}", write.group, write.life, write.outcome);
            text += &if write.outcome == Outcome::Unknown { format!(", {:?}]", write.presence) } else { "]".into() };
        }
        text + &format!(", now in life {}", self.life)
    }
}

/// Whether `writer` comes after all of `others`.
fn is_last(order: &[WriteId], writer: WriteId, others: &[WriteId]) -> bool {
    let place = |id: WriteId| order.iter().position(|o| *o == id);
    others.iter().all(|other| place(*other) < place(writer))
}

fn show(bits: u64) -> String {
    format!("{:?} (bits {bits:#x})", f64::from_bits(bits))
}

fn permutations(ids: &[WriteId]) -> Vec<Vec<WriteId>> {
    if ids.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in ids.iter().enumerate() {
        let rest: Vec<WriteId> = ids.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, id)| *id).collect();
        all.extend(permutations(&rest).into_iter().map(|tail| [vec![*first], tail].concat()));
    }
    all
}

mod tests {
    use super::*;

    fn seen(rows: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
        rows.iter().copied().collect()
    }

    #[test]
    fn an_acknowledged_row_must_be_seen_and_the_later_write_wins() {
        let mut truth = Reference::new();
        let first = truth.issue(&[("a", 1)]);
        truth.settle(first, Outcome::Acked);
        assert!(truth.observe(&seen(&[])).is_err(), "missing");
        assert!(truth.observe(&seen(&[("a", 2)])).is_err(), "another value");
        assert!(truth.observe(&seen(&[("a", 1), ("b", 1)])).is_err(), "never written");
        truth.observe(&seen(&[("a", 1)])).unwrap();
        let second = truth.issue(&[("a", 2)]);
        truth.settle(second, Outcome::Acked);
        truth.observe(&seen(&[("a", 2)])).unwrap();
        assert!(truth.observe(&seen(&[("a", 1)])).is_err(), "an older value");
        assert!(truth.count(&BTreeMap::from([("a", 2)])).is_ok());
        assert!(truth.count(&BTreeMap::from([("a", 3)])).is_err());
    }

    #[test]
    fn a_refused_write_never_shows() {
        let mut truth = Reference::new();
        let id = truth.issue(&[("a", 1)]);
        truth.settle(id, Outcome::Refused);
        truth.observe(&seen(&[])).unwrap();
        assert!(truth.observe(&seen(&[("a", 1)])).is_err());
        assert!(truth.count(&BTreeMap::from([("a", 1)])).is_err());
    }

    #[test]
    fn an_unknown_batch_is_there_whole_or_not_at_all() {
        let mut truth = Reference::new();
        truth.issue(&[("a", 1), ("b", 2)]);
        assert!(truth.observe(&seen(&[("a", 1)])).is_err(), "half of it");
        let mut truth = Reference::new();
        truth.issue(&[("a", 1), ("b", 2)]);
        let second = truth.issue(&[("b", 3)]);
        truth.settle(second, Outcome::Acked);
        truth.observe(&seen(&[("a", 1), ("b", 3)])).unwrap();
        assert!(truth.observe(&seen(&[("b", 3)])).is_err(), "it was there a moment ago");
    }

    #[test]
    fn a_restart_decides_an_unknown_batch_for_good() {
        let mut truth = Reference::new();
        truth.issue(&[("a", 1)]);
        truth.observe(&seen(&[])).unwrap();
        truth.restarted(false);
        truth.observe(&seen(&[("a", 1)])).unwrap();
        truth.restarted(false);
        assert!(truth.observe(&seen(&[])).is_err(), "a kill forgets nothing");
        truth.restarted(true);
        truth.observe(&seen(&[])).unwrap();
        truth.restarted(true);
        assert!(truth.observe(&seen(&[("a", 1)])).is_err(), "it was gone");
    }

    #[test]
    fn what_a_cut_has_moved_no_power_cut_takes_back() {
        let mut truth = Reference::new();
        truth.issue(&[("a", 1)]);
        truth.restarted(false);
        truth.observe(&seen(&[("a", 1)])).unwrap();
        truth.cut_begins();
        truth.cut_done();
        truth.restarted(true);
        assert!(truth.observe(&seen(&[])).is_err());
    }

    #[test]
    fn what_a_cut_has_passed_does_not_come_back() {
        let mut truth = Reference::new();
        let lost = truth.issue(&[("a", 1)]);
        truth.settle(lost, Outcome::Unknown);
        let acked = truth.issue(&[("b", 1)]);
        truth.settle(acked, Outcome::Acked);
        truth.observe(&seen(&[("b", 1)])).unwrap();
        truth.cut_begins();
        truth.cut_done();
        truth.restarted(false);
        assert!(truth.observe(&seen(&[("a", 1), ("b", 1)])).is_err());
    }

    #[test]
    fn writes_in_flight_at_once_have_one_order_for_all_keys_and_times() {
        let mut truth = Reference::new();
        let batches = [vec![("a", 1), ("b", 1)], vec![("a", 2), ("b", 2)]];
        for id in truth.issue_group(&batches) {
            truth.settle(id, Outcome::Acked);
        }
        assert!(truth.observe(&seen(&[("a", 1), ("b", 2)])).is_err(), "two orders at once");
        let mut truth = Reference::new();
        for id in truth.issue_group(&batches) {
            truth.settle(id, Outcome::Acked);
        }
        truth.observe(&seen(&[("a", 1), ("b", 1)])).unwrap();
        assert!(truth.observe(&seen(&[("a", 2), ("b", 2)])).is_err(), "another order than before");
    }
}
