//! Native histograms as PromQL calculates with them: all counts are floating-point numbers.
//!
//! Owns: their arithmetic, in the order of operations that Prometheus has, so that results agree to the last digits.
//! Does not own: which histograms a query meets, and what it says of them (`functions`, `binary`).

mod amount;
mod arithmetic;
pub(crate) mod bounds;
pub mod buckets;
mod compaction;
mod convert;
mod custom;
mod equality;
pub(crate) mod interpolation;
mod reset;
mod resolution;
#[cfg(test)]
pub(crate) mod samples;
mod side;
mod sum;
mod summary;
mod tally;
mod text;
mod trim;
mod zero;

pub(crate) use arithmetic::{Combined, MixedBuckets};
pub use model::histogram::{CUSTOM_BUCKETS, ResetHint, Span as BucketSpan};
pub(crate) use sum::{HistogramMean, HistogramSum};
pub(crate) use trim::Keep;

/// A native histogram whose counts are floating-point numbers.
///
/// Its `==` is that of the struct; that of PromQL is [`FloatHistogram::equals`].
#[derive(Debug, Clone, PartialEq)]
pub struct FloatHistogram {
    /// The schema, as of [`model::NativeHistogram`].
    pub schema: i8,
    /// Whether it has been reset since the sample before.
    pub reset_hint: ResetHint,
    /// All observations.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// Observations from `-zero_threshold` to `zero_threshold` are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// The bounds of custom buckets, ascending; empty for others.
    pub custom_bounds: Vec<f64>,
    /// Which buckets of positive observations there are.
    pub positive_spans: Vec<BucketSpan>,
    /// Which buckets of negative observations there are.
    pub negative_spans: Vec<BucketSpan>,
    /// Observations of each bucket of the positive spans, in order; none is relative to another.
    pub positive: Vec<f64>,
    /// Observations of each bucket of the negative spans, in order.
    pub negative: Vec<f64>,
}

impl FloatHistogram {
    /// A histogram without observations.
    pub fn empty(schema: i8, custom_bounds: Vec<f64>) -> Self {
        FloatHistogram {
            schema,
            reset_hint: ResetHint::Unknown,
            count: 0.0,
            sum: 0.0,
            zero_threshold: 0.0,
            zero_count: 0.0,
            custom_bounds,
            positive_spans: Vec::new(),
            negative_spans: Vec::new(),
            positive: Vec::new(),
            negative: Vec::new(),
        }
    }

    /// Whether its buckets have bounds of their own.
    pub(crate) fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS
    }
}

#[cfg(test)]
mod tests;
