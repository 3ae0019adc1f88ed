//! Custom buckets of different bounds: they are brought to the bounds that both have.

use model::histogram::spans_of;

use super::amount::Amount;
use super::side::{Buckets, Side};
use crate::summation::Sum;

/// The bounds that are in both, which are ascending.
pub(super) fn common_bounds(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    let mut rest = theirs.iter().copied().peekable();
    let is_there = |bound: &f64| {
        while rest.next_if(|their| their < bound).is_some() {}
        rest.peek() == Some(bound)
    };
    ours.iter().copied().filter(is_there).collect()
}

/// The place among coarser bounds of a bucket, given its place among finer ones.
pub(super) fn place_in(common: &[f64], bounds: &[f64], index: i64) -> usize {
    let bound = usize::try_from(index).ok().and_then(|place| bounds.get(place));
    bound.map_or(common.len(), |bound| common.partition_point(|coarser| coarser < bound))
}

impl<T: Amount> Side<T> {
    /// Adds other custom buckets `sign` times, both sides brought to common bounds. Nothing empty remains.
    pub(super) fn add_custom(
        &mut self,
        bounds: &[f64],
        other: Buckets<'_, f64>,
        other_bounds: &[f64],
        sign: f64,
        common: &[f64],
    ) {
        // What is lost in rounding matters here even where the result keeps none of it.
        let mut sums = vec![Sum::default(); common.len() + 1];
        for (index, count) in self.view().indexed() {
            let sum = &mut sums[place_in(common, bounds, index)];
            *sum = sum.plus(count.into());
        }
        for (index, count) in other.indexed() {
            let sum = &mut sums[place_in(common, other_bounds, index)];
            *sum = sum.plus(Sum::from(sign * count));
        }
        let filled = sums.iter().enumerate().filter(|(_, sum)| !sum.is_zero());
        self.spans = spans_of(filled.clone().map(|(place, _)| place as i64));
        self.counts = filled.map(|(_, sum)| T::of(*sum)).collect();
    }
}

#[cfg(test)]
mod tests;
