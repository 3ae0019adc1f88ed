//! Values of samples, and the samples of a series within a window of time.

use crate::histogram::FloatHistogram;

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Box<FloatHistogram>),
}

impl From<FloatHistogram> for Value {
    fn from(histogram: FloatHistogram) -> Self {
        Value::Histogram(Box::new(histogram))
    }
}

/// The samples of one series within a window of time, in order of time. No time is there twice, also not once as a number
/// and once as a histogram. No staleness marker is among them.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Where the window begins, in milliseconds; a sample of this time is not in it.
    pub start_ms: i64,
    /// Where the window ends, in milliseconds; a sample of this time is in it.
    pub end_ms: i64,
    /// The times of the numbers, in milliseconds.
    pub times_ms: &'a [i64],
    /// The numbers, as many as times.
    pub values: &'a [f64],
    /// The native histograms with their times in milliseconds.
    pub histograms: &'a [(i64, FloatHistogram)],
}

impl Window<'_> {
    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.times_ms.is_empty() && self.histograms.is_empty()
    }
}
