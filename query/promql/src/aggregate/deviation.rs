//! How far the values of a group are from their mean: variances and standard deviations.

use super::Row;
use crate::presence::Presence;

/// A variance a step, after Welford.
#[derive(Debug, Clone)]
pub(super) struct Deviations {
    states: Vec<State>,
    present: Presence,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    count: f64,
    mean: f64,
    squares: f64,
}

impl State {
    #[inline]
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            // Infinity is no distance away from itself by arithmetic, but it has no variance either.
            *self = State { count: 1.0, mean: value, squares: if value.is_finite() { 0.0 } else { f64::NAN } };
            return;
        }
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }
}

impl Deviations {
    pub(super) fn new(steps: usize) -> Self {
        Deviations { states: vec![State::default(); steps], present: Presence::none(steps) }
    }

    pub(super) fn fold(&mut self, values: &[f64], present: &Presence) {
        present.for_each_run(|run| {
            self.states[run.clone()].iter_mut().zip(&values[run]).for_each(|(state, value)| state.add(*value));
        });
        self.present.union_with(present);
    }

    pub(super) fn finish(self, is_standard: bool) -> Row {
        let value = |state: &State| {
            let variance = state.squares / state.count;
            if is_standard { variance.sqrt() } else { variance }
        };
        Row { values: self.states.iter().map(value).collect(), present: self.present }
    }
}
