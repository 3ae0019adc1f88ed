//! The buckets of one sign: which there are, and what is in each.

use model::histogram::{Span, indexed, spans_of};

use super::FloatHistogram;
use super::amount::Amount;

/// Buckets that belong to somebody else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets<'a, T> {
    /// Which there are.
    pub(super) spans: &'a [Span],
    /// What is in each, in order.
    pub(super) counts: &'a [T],
}

impl<'a> Buckets<'a, f64> {
    /// Those of the positive observations of a histogram.
    pub(super) fn positive(histogram: &'a FloatHistogram) -> Self {
        Buckets { spans: &histogram.positive_spans, counts: &histogram.positive }
    }

    /// Those of the negative ones.
    pub(super) fn negative(histogram: &'a FloatHistogram) -> Self {
        Buckets { spans: &histogram.negative_spans, counts: &histogram.negative }
    }
}

impl<'a, T: Copy> Buckets<'a, T> {
    /// The buckets with their indices, in ascending order.
    pub(super) fn indexed(self) -> impl Iterator<Item = (i64, T)> + 'a {
        indexed(self.spans, self.counts)
    }

    /// The index of the lowest bucket.
    pub(super) fn first_index(self) -> Option<i64> {
        self.indexed().next().map(|(index, _)| index)
    }
}

/// Buckets of one sign that are calculated with.
#[derive(Debug, Clone)]
pub(super) struct Side<T> {
    /// Which there are.
    pub(super) spans: Vec<Span>,
    /// What is in each, in order.
    pub(super) counts: Vec<T>,
}

impl<T: Amount> Side<T> {
    /// The buckets of a histogram.
    pub(super) fn new(spans: Vec<Span>, counts: Vec<f64>) -> Self {
        Side { spans, counts: counts.into_iter().map(T::from).collect() }
    }

    /// The buckets as somebody else sees them.
    pub(super) fn view(&self) -> Buckets<'_, T> {
        Buckets { spans: &self.spans, counts: &self.counts }
    }

    /// Replaces all buckets by others in ascending order of their indices.
    pub(super) fn set(&mut self, buckets: &[(i64, T)]) {
        self.spans = spans_of(buckets.iter().map(|(index, _)| *index));
        self.counts.clear();
        self.counts.extend(buckets.iter().map(|(_, count)| *count));
    }

    /// Adds other buckets, each `sign` times, from the first one on that is not to be left out. Empty ones stay, and
    /// come along.
    pub(super) fn add<U: Copy + Into<T>>(&mut self, other: Buckets<'_, U>, sign: f64, left_out: impl Fn(i64) -> bool) {
        if self.spans == other.spans && !other.first_index().is_some_and(&left_out) {
            for (count, theirs) in self.counts.iter_mut().zip(other.counts) {
                *count = count.plus((*theirs).into().times(sign));
            }
            return;
        }
        let theirs = other.indexed().skip_while(|(index, _)| left_out(*index));
        let mut merged = Vec::with_capacity(self.counts.len() + other.counts.len());
        let mut ours = self.view().indexed().peekable();
        for (index, count) in theirs {
            let count = count.into().times(sign);
            while let Some(bucket) = ours.next_if(|(place, _)| *place < index) {
                merged.push(bucket);
            }
            match ours.next_if(|(place, _)| *place == index) {
                Some((_, present)) => merged.push((index, present.plus(count))),
                None => merged.push((index, count)),
            }
        }
        merged.extend(ours);
        self.set(&merged);
    }

    /// Keeps what satisfies a condition, given index and count.
    pub(super) fn retain(&mut self, keep: impl Fn(i64, T) -> bool) {
        let kept: Vec<_> = self.view().indexed().filter(|(index, count)| keep(*index, *count)).collect();
        self.set(&kept);
    }
}
