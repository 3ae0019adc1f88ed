//! Exemplars, starts and metadata of the head: few, so one list for all shards.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use model::time::Date;

use super::freeze::CutDates;
use super::settle::Carried;
use crate::cut::plan;
use crate::record::Origin;
use crate::rows::{ExemplarRow, MetadataRow, Rows, StartRow};

/// Exemplars, starts and metadata that are in no block yet.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) exemplars: Vec<ExemplarRow>,
    pub(super) starts: Vec<StartRow>,
    /// The newest by cluster and name.
    pub(super) metadata: BTreeMap<(Arc<str>, String), MetadataRow>,
    /// What cuts have taken and a snapshot may still need, by the cut's number.
    pub(super) frozen: Vec<(u64, Arc<FrozenExtras>)>,
}

/// What a cut took of them.
#[derive(Debug, Default)]
pub(crate) struct FrozenExtras {
    pub(crate) exemplars: Vec<ExemplarRow>,
    pub(crate) starts: Vec<StartRow>,
    pub(crate) metadata: Vec<MetadataRow>,
}

impl FrozenExtras {
    fn memory_bytes(&self) -> i64 {
        let starts = (self.starts.len() * size_of::<StartRow>()) as i64;
        let exemplars = self.exemplars.iter().map(ExemplarRow::memory_bytes).chain([starts]);
        exemplars.chain(self.metadata.iter().map(MetadataRow::memory_bytes)).sum()
    }
}

impl Extras {
    pub(super) fn is_empty(&self) -> bool {
        self.exemplars.is_empty() && self.starts.is_empty() && self.metadata.is_empty()
    }

    /// Adds the exemplars, starts and metadata among the rows and returns by how many bytes they grew. A carried one that
    /// is there already is left out.
    pub(super) fn apply(&mut self, Rows { exemplars, starts, metadata, .. }: Rows, origin: Origin) -> i64 {
        let mut grown = self.apply_starts(starts, origin);
        let key = |row: &ExemplarRow| (Arc::as_ptr(&row.series), row.time_ms, row.value.to_bits(), row.labels.clone());
        let present: HashSet<_> = match origin {
            Origin::Written => HashSet::new(),
            Origin::Carried => self.exemplars.iter().map(key).collect(),
        };
        for row in exemplars {
            if origin == Origin::Written || !present.contains(&key(&row)) {
                grown += row.memory_bytes();
                self.exemplars.push(row);
            }
        }
        for row in metadata {
            grown += row.memory_bytes();
            let before = self.metadata.insert((row.cluster.clone(), row.family.name.clone()), row);
            grown -= before.map_or(0, |row| row.memory_bytes());
        }
        grown
    }

    fn apply_starts(&mut self, starts: Vec<StartRow>, origin: Origin) -> i64 {
        let key = |row: &StartRow| (Arc::as_ptr(&row.series), row.time_ms, row.start_ms);
        let before = self.starts.len();
        let present: HashSet<_> = match origin {
            Origin::Written => HashSet::new(),
            Origin::Carried => self.starts.iter().map(key).collect(),
        };
        self.starts.extend(starts.into_iter().filter(|row| !present.contains(&key(row))));
        ((self.starts.len() - before) * size_of::<StartRow>()) as i64
    }

    /// The first dates of exemplars, as many as a cut takes.
    pub(super) fn exemplar_dates(&self) -> BTreeSet<Date> {
        leaving_dates(self.exemplars.iter().map(|row| row.time_ms))
    }

    /// The first dates of starts, as many as a cut takes.
    pub(super) fn start_dates(&self) -> BTreeSet<Date> {
        leaving_dates(self.starts.iter().map(|row| row.time_ms))
    }

    /// Takes all for cut `number`.
    pub(super) fn freeze(&mut self, number: u64) -> Arc<FrozenExtras> {
        let (exemplars, starts) = (std::mem::take(&mut self.exemplars), std::mem::take(&mut self.starts));
        let metadata = std::mem::take(&mut self.metadata).into_values().collect();
        let frozen = Arc::new(FrozenExtras { exemplars, starts, metadata });
        self.frozen.push((number, frozen.clone()));
        frozen
    }

    /// Of what cut `number` has taken gives exemplars and starts of other dates back, once; returns what leaves.
    pub(super) fn settle(
        &mut self,
        number: u64,
        whole: &Arc<FrozenExtras>,
        dates: &CutDates,
        carried: &mut Carried,
    ) -> Arc<FrozenExtras> {
        let exemplar_leaves = |row: &ExemplarRow| dates.exemplars.contains(&Date::of_ms(row.time_ms));
        let start_leaves = |row: &StartRow| dates.starts.contains(&Date::of_ms(row.time_ms));
        if whole.exemplars.iter().all(exemplar_leaves) && whole.starts.iter().all(start_leaves) {
            return whole.clone();
        }
        let (exemplars, exemplars_stay): (Vec<_>, Vec<_>) = whole.exemplars.iter().cloned().partition(exemplar_leaves);
        let (starts, starts_stay): (Vec<_>, Vec<_>) = whole.starts.iter().cloned().partition(start_leaves);
        carried.exemplars(&exemplars_stay);
        carried.starts(&starts_stay);
        let leave = Arc::new(FrozenExtras { exemplars, starts, metadata: whole.metadata.clone() });
        let is_whole = |(cut, of): &&mut (u64, Arc<FrozenExtras>)| *cut == number && Arc::ptr_eq(of, whole);
        let Some((_, frozen)) = self.frozen.iter_mut().find(is_whole) else { return leave };
        *frozen = leave.clone();
        // What was written meanwhile is later.
        self.exemplars.splice(0..0, exemplars_stay);
        self.starts.splice(0..0, starts_stay);
        leave
    }

    /// Lets go of what cut `number` and those before it took; returns how many bytes that freed.
    pub(super) fn retire(&mut self, number: u64) -> i64 {
        super::retire(&mut self.frozen, number, FrozenExtras::memory_bytes)
    }
}

fn leaving_dates(times_ms: impl Iterator<Item = i64>) -> BTreeSet<Date> {
    let dates = times_ms.map(|time_ms| (Date::of_ms(time_ms), false)).collect();
    plan::admitted(&dates).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use model::SeriesKey;
    use model::batch::{Kind, Metadata};

    use super::super::{Head, Takes};
    use super::*;
    use crate::cut::plan::Window;
    use crate::rows::Rows;

    fn exemplar(head: &Head, time_ms: i64, trace: &str) -> ExemplarRow {
        let key = SeriesKey { name: Arc::from("m"), cluster: Arc::from(""), labels: model::Labels::empty() };
        let (series, _) = head.entry(key, Kind::Unknown).unwrap();
        ExemplarRow { series, time_ms, value: 1.0, labels: vec![("trace_id".into(), trace.into())] }
    }

    #[test]
    fn carried_exemplars_come_in_once() {
        let head = Head::new(1);
        let rows = |traces: &[&str]| Rows {
            exemplars: traces.iter().map(|trace| exemplar(&head, 1, trace)).collect(),
            ..Rows::default()
        };
        head.apply(rows(&["a", "b"]), Origin::Written);
        head.apply(rows(&["a", "b", "c"]), Origin::Carried);
        head.apply(rows(&["a", "b", "c"]), Origin::Carried);
        assert_eq!(head.extras.lock().exemplars.len(), 3);
    }

    #[test]
    fn what_they_take_is_counted_and_given_back() {
        let head = Head::new(1);
        let family = Metadata { name: "m".into(), kind: Kind::Gauge, unit: String::new(), help: "x".repeat(1000) };
        let said = MetadataRow { cluster: Arc::from("eu"), family, time_ms: 1 };
        let rows = Rows {
            exemplars: vec![exemplar(&head, 1, &"t".repeat(1000))],
            metadata: vec![said.clone(), said],
            ..Rows::default()
        };
        let before = head.usage().bytes();
        head.apply(rows, Origin::Written);
        assert!((before + 2000..before + 3000).contains(&head.usage().bytes()), "the same said twice counts once");
        let window = Window::draining(0, 10);
        drop(head.settle(&head.freeze(1, window, Takes::All, head.dates(window, Takes::All))));
        assert!(head.usage().bytes() > before + 2000, "a snapshot may need them");
        head.retire(1);
        assert_eq!(head.usage().bytes(), before);
    }
}
