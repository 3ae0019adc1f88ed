//! The greatest and least values of a group.

use super::Row;
use crate::presence::Presence;

/// The best value a step; none until one comes that is a number.
#[derive(Debug, Clone)]
pub(super) struct Extremes {
    values: Vec<f64>,
    present: Presence,
}

impl Extremes {
    pub(super) fn new(steps: usize) -> Self {
        Extremes { values: vec![f64::NAN; steps], present: Presence::none(steps) }
    }

    #[inline]
    pub(super) fn fold(&mut self, values: &[f64], present: &Presence, is_better: impl Fn(f64, f64) -> bool) {
        present.for_each_run(|run| {
            for (best, value) in self.values[run.clone()].iter_mut().zip(&values[run]) {
                *best = if is_better(*value, *best) || best.is_nan() { *value } else { *best };
            }
        });
        self.present.union_with(present);
    }

    pub(super) fn finish(self) -> Row {
        Row { values: self.values, present: self.present }
    }
}
