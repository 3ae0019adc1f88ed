//! How many series of a group have a value, numbers and histograms alike.

use super::Row;
use crate::presence::Presence;

/// A count a step.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    counts: Vec<u32>,
    present: Presence,
}

impl Counts {
    pub(super) fn new(steps: usize) -> Self {
        Counts { counts: vec![0; steps], present: Presence::none(steps) }
    }

    pub(super) fn fold(&mut self, present: &Presence) {
        present.for_each_run(|run| self.counts[run].iter_mut().for_each(|count| *count += 1));
        self.present.union_with(present);
    }

    /// Counts one value at a step.
    pub(super) fn add(&mut self, step: usize) {
        self.counts[step] += 1;
        self.present.insert(step);
    }

    /// The counts, or ones where only the group itself is asked for.
    pub(super) fn finish(self, is_group: bool) -> Row {
        let value = |count: u32| if is_group { 1.0 } else { f64::from(count) };
        Row { values: self.counts.into_iter().map(value).collect(), present: self.present }
    }
}
