//! Means of a group.

use super::Row;
use crate::presence::Presence;
use crate::summation::Mean;

/// A mean a step.
#[derive(Debug, Clone)]
pub(super) struct Means {
    means: Vec<Mean>,
    present: Presence,
}

impl Means {
    pub(super) fn new(steps: usize) -> Self {
        Means { means: vec![Mean::default(); steps], present: Presence::none(steps) }
    }

    pub(super) fn fold(&mut self, values: &[f64], present: &Presence) {
        let steps = present.steps();
        let (means, values) = (&mut self.means[..steps], &values[..steps]);
        present.for_each(|step| means[step].add(values[step]));
        self.present.union_with(present);
    }

    /// The steps with a number so far.
    pub(super) fn present(&self) -> &Presence {
        &self.present
    }

    pub(super) fn finish(self) -> Row {
        Row { values: self.means.iter().map(Mean::mean).collect(), present: self.present }
    }
}
