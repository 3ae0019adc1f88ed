//! Functions over the samples of a window of time.

pub mod histograms;
