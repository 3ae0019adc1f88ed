//! Native histograms as PromQL calculates with them: all counts are floating-point numbers.

pub use model::histogram::{ResetHint, Span as BucketSpan};

/// A native histogram whose counts are floating-point numbers.
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
