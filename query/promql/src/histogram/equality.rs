//! When PromQL holds two histograms to be equal.

use model::histogram::Span;

use super::FloatHistogram;

impl FloatHistogram {
    /// Whether two histograms are the same data: the same buckets, empty ones too, and the same numbers, bit for bit. The
    /// hints of resets do not matter.
    pub fn equals(&self, other: &FloatHistogram) -> bool {
        self.schema == other.schema
            && self.count.to_bits() == other.count.to_bits()
            && self.sum.to_bits() == other.sum.to_bits()
            && (!self.has_custom_buckets() || self.custom_bounds == other.custom_bounds)
            && self.zero_threshold == other.zero_threshold
            && self.zero_count.to_bits() == other.zero_count.to_bits()
            && filled(&self.negative_spans) == filled(&other.negative_spans)
            && same_bits(&self.negative, &other.negative)
            && filled(&self.positive_spans) == filled(&other.positive_spans)
            && same_bits(&self.positive, &other.positive)
    }
}

fn same_bits(ours: &[f64], theirs: &[f64]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Spans without those of no bucket.
fn filled(spans: &[Span]) -> Vec<Span> {
    let mut filled = Vec::with_capacity(spans.len());
    let mut skipped = 0;
    for span in spans {
        if span.length == 0 {
            skipped += span.offset;
        } else {
            filled.push(Span { offset: span.offset + skipped, length: span.length });
            skipped = 0;
        }
    }
    filled
}

#[cfg(test)]
mod tests;
