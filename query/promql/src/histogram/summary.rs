//! Histograms without their buckets.

use super::{FloatHistogram, ResetHint};

impl FloatHistogram {
    /// Its count and sum alone, which is all that `histogram_count`, `histogram_sum` and `histogram_avg` look at.
    ///
    /// Without buckets nobody could tell resets any more, so that its hint says whether it was reset since the histogram
    /// before it, if there is one. Prometheus reads series so under these functions, unless one between needs the buckets:
    /// which makes hints contradict each other there that otherwise say nothing, and bounds never different.
    pub fn summary(&self, before: Option<&FloatHistogram>) -> FloatHistogram {
        let mut summary = FloatHistogram::empty(self.schema, Vec::new());
        summary.count = self.count;
        summary.sum = self.sum;
        summary.reset_hint = match (self.reset_hint, before) {
            (ResetHint::Unknown, Some(before)) if self.is_reset_since(before) => ResetHint::Reset,
            (ResetHint::Unknown, Some(_)) => ResetHint::NoReset,
            (hint, _) => hint,
        };
        summary
    }
}

#[cfg(test)]
mod tests;
