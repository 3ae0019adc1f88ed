//! Empty buckets are dropped, and spans that touch each other become one.

use super::FloatHistogram;
use super::side::Side;

impl FloatHistogram {
    /// Drops empty buckets, so that equal histograms look the same.
    pub(crate) fn compact(&mut self) {
        for (spans, counts) in
            [(&mut self.positive_spans, &mut self.positive), (&mut self.negative_spans, &mut self.negative)]
        {
            let is_full = counts.iter().all(|count| *count != 0.0);
            let is_split = spans.iter().all(|span| span.length > 0) && spans.iter().skip(1).all(|span| span.offset > 0);
            if is_full && is_split {
                continue;
            }
            let mut side = Side::<f64>::new(std::mem::take(spans), std::mem::take(counts));
            side.retain(|_, count| count != 0.0);
            (*spans, *counts) = (side.spans, side.counts);
        }
    }
}

#[cfg(test)]
mod tests;
