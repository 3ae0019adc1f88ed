//! Coarser buckets: neighbours become one.

use super::amount::Amount;
use super::side::Side;
use super::{CUSTOM_BUCKETS, FloatHistogram};

/// The buckets of a schema that is coarser by some steps, given those of the finer one in ascending order.
pub(super) fn coarser<T: Amount>(
    buckets: impl Iterator<Item = (i64, T)>,
    steps: u32,
) -> impl Iterator<Item = (i64, T)> {
    // -1 and +1 since a bucket is named by its upper end.
    let mut finer = buckets.map(move |(index, count)| (((index - 1) >> steps.min(62)) + 1, count)).peekable();
    std::iter::from_fn(move || {
        let (index, mut sum) = finer.next()?;
        while let Some((_, count)) = finer.next_if(|(next, _)| *next == index) {
            sum = sum.plus(count);
        }
        Some((index, sum))
    })
}

impl<T: Amount> Side<T> {
    /// Makes its buckets those of a schema that is coarser by some steps.
    pub(super) fn reduce(&mut self, steps: u32) {
        if steps > 0 {
            let reduced: Vec<_> = coarser(self.view().indexed(), steps).collect();
            self.set(&reduced);
        }
    }
}

impl FloatHistogram {
    /// Merges neighbouring buckets until the schema is no finer than `schema`; those with custom buckets stay as they are.
    pub(crate) fn reduce_to(&mut self, schema: i8) {
        if self.schema == CUSTOM_BUCKETS || self.schema <= schema {
            return;
        }
        let steps = u32::from(self.schema.abs_diff(schema));
        for (spans, counts) in
            [(&mut self.positive_spans, &mut self.positive), (&mut self.negative_spans, &mut self.negative)]
        {
            let mut side = Side::<f64>::new(std::mem::take(spans), std::mem::take(counts));
            side.reduce(steps);
            (*spans, *counts) = (side.spans, side.counts);
        }
        self.schema = schema;
    }
}

#[cfg(test)]
mod tests;
