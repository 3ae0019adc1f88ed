//! Sums of a group.

use super::Row;
use crate::presence::Presence;
use crate::summation::Sum;

/// A sum a step.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    sums: Vec<Sum>,
    present: Presence,
}

impl Sums {
    pub(super) fn new(steps: usize) -> Self {
        Sums { sums: vec![Sum::default(); steps], present: Presence::none(steps) }
    }

    pub(super) fn fold(&mut self, values: &[f64], present: &Presence) {
        let steps = present.steps();
        let (sums, values) = (&mut self.sums[..steps], &values[..steps]);
        present.for_each(|step| sums[step].add(values[step]));
        self.present.union_with(present);
    }

    /// The steps with a number so far.
    pub(super) fn present(&self) -> &Presence {
        &self.present
    }

    pub(super) fn finish(self) -> Row {
        Row { values: self.sums.into_iter().map(Sum::total).collect(), present: self.present }
    }
}
