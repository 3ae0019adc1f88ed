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
        present.for_each_run(|run| {
            self.means[run.clone()].iter_mut().zip(&values[run]).for_each(|(mean, value)| mean.add(*value));
        });
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
