//! What holds of the rows of every batch that a decoder lets through.

use model::Batch;
use model::time::in_range;

/// Checks that each row is of a series of the batch, at a time that a table can hold, and sound by itself; gives how many rows
/// and buckets there are.
pub(crate) fn check_rows(batch: &Batch) -> usize {
    let is_series = |series: u32| (series as usize) < batch.series.len();
    let mut rows = batch.samples.len() + batch.exemplars.len() + batch.metadata.len();
    for sample in &batch.samples {
        assert!(is_series(sample.series) && in_range(sample.time_ms));
    }
    for histogram in &batch.histograms {
        assert!(is_series(histogram.series) && in_range(histogram.time_ms));
        histogram.value.validate().expect("a sound histogram");
        rows += 1 + histogram.value.buckets();
    }
    for start in &batch.starts {
        assert!(is_series(start.series) && in_range(start.start_ms));
    }
    for exemplar in &batch.exemplars {
        assert!(is_series(exemplar.series) && in_range(exemplar.time_ms));
    }
    rows
}
