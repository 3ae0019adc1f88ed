//! Whether a counter was reset between two histograms.

use super::bounds::upper_bound;
use super::custom::{common_bounds, place_in};
use super::resolution::coarser;
use super::side::Buckets;
use super::zero::widened;
use super::{FloatHistogram, ResetHint};

impl FloatHistogram {
    /// Whether it was reset since a histogram before it.
    ///
    /// Its hint decides. Without one it was if a count is less than before, or if it is finer: a finer schema or a
    /// narrower zero bucket, or a wider one that ends within a filled bucket of before. A coarser one is compared with
    /// what the one before would be as coarse.
    pub(crate) fn is_reset_since(&self, before: &FloatHistogram) -> bool {
        match self.reset_hint {
            ResetHint::Reset => return true,
            ResetHint::NoReset => return false,
            // Functions of counters take gauges for counters, and warn.
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < before.count {
            return true;
        }
        if self.has_custom_buckets() {
            if !before.has_custom_buckets() {
                return true;
            }
            if self.custom_bounds != before.custom_bounds {
                return self.has_less_within_common_bounds(before);
            }
        }
        if self.schema > before.schema || self.zero_threshold < before.zero_threshold {
            return true;
        }
        if self.zero_threshold != before.zero_threshold {
            let (positive, negative) = (Buckets::positive(before), Buckets::negative(before));
            let (zero, threshold) = widened(before.zero_count, positive, negative, before.schema, self.zero_threshold);
            if threshold != self.zero_threshold || self.zero_count < zero {
                return true;
            }
        } else if self.zero_count < before.zero_count {
            return true;
        }
        let steps = u32::from(before.schema.abs_diff(self.schema));
        self.has_less(Buckets::positive(self), Buckets::positive(before), steps)
            || self.has_less(Buckets::negative(self), Buckets::negative(before), steps)
    }

    /// Whether a bucket of one sign holds less than before, when the schema was finer by some steps.
    fn has_less(&self, now: Buckets<'_, f64>, before: Buckets<'_, f64>, steps: u32) -> bool {
        let in_zero = |index: i64| self.zero_threshold != 0.0 && upper_bound(index, self.schema) <= self.zero_threshold;
        if steps == 0 && now.spans == before.spans && !now.first_index().is_some_and(in_zero) {
            return now.counts.iter().zip(before.counts).any(|(now, before)| now < before);
        }
        let mut now = now.indexed().skip_while(|(index, _)| in_zero(*index)).peekable();
        let mut before = coarser(before.indexed(), steps).skip_while(|(index, _)| in_zero(*index));
        before.any(|(index, count)| {
            while now.next_if(|(place, _)| *place < index).is_some() {}
            match now.peek() {
                Some((place, left)) if *place == index => *left < count,
                _ => count != 0.0,
            }
        })
    }

    fn has_less_within_common_bounds(&self, before: &FloatHistogram) -> bool {
        let common = common_bounds(&self.custom_bounds, &before.custom_bounds);
        let sums = |histogram: &FloatHistogram| {
            let mut sums = vec![0.0; common.len() + 1];
            for (index, count) in Buckets::positive(histogram).indexed() {
                sums[place_in(&common, &histogram.custom_bounds, index)] += count;
            }
            sums
        };
        sums(self).iter().zip(sums(before)).any(|(now, before)| *now < before)
    }
}

#[cfg(test)]
mod tests;
