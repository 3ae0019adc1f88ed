//! Sums of a group.

use super::Row;
use crate::presence::Presence;
use crate::summation::Sum;

/// The two parts of a [`Sum`] a step, each on its own, so that folding a row runs on vectors.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    rounded: Vec<f64>,
    lost: Vec<f64>,
    present: Presence,
}

impl Sums {
    pub(super) fn new(steps: usize) -> Self {
        Sums { rounded: vec![0.0; steps], lost: vec![0.0; steps], present: Presence::none(steps) }
    }

    pub(super) fn fold(&mut self, values: &[f64], present: &Presence) {
        present.for_each_run(|run| {
            let parts = self.rounded[run.clone()].iter_mut().zip(&mut self.lost[run.clone()]);
            for ((rounded, lost), value) in parts.zip(&values[run]) {
                let mut sum = Sum { rounded: *rounded, lost: *lost };
                sum.add(*value);
                (*rounded, *lost) = (sum.rounded, sum.lost);
            }
        });
        self.present.union_with(present);
    }

    /// The steps with a number so far.
    pub(super) fn present(&self) -> &Presence {
        &self.present
    }

    pub(super) fn finish(self) -> Row {
        let mut values = self.rounded;
        values.iter_mut().zip(self.lost).for_each(|(rounded, lost)| *rounded += lost);
        Row { values, present: self.present }
    }
}
