//! Any bytes are a page of exposition as protobuf, read whole or refused.
//!
//! The first byte says which histograms are wanted; the rest is the page.

use bytes::Bytes;
use decode::Limits;
use decode::metric_families::{Histograms, decode};
use model::Batch;
use model::labels::LabelsBuilder;
use model::time::in_range;

pub(crate) fn check(input: &[u8]) {
    let Some((choice, page)) = input.split_first() else { return };
    let wanted = Histograms { native: choice & 1 == 1, classic_too: choice & 2 == 2 };
    let limits = Limits { max_rows: 100_000, max_decoded_bytes: 1 << 20, ..Limits::default() };
    let Ok(batch) = decode(&Bytes::copy_from_slice(page), 1_700_000_000_000, wanted, &limits) else { return };
    assert!(batch.body.len() <= limits.max_decoded_bytes);
    assert!(wanted.native || batch.histograms.is_empty());
    let mut builder = LabelsBuilder::default();
    for (index, series) in batch.series.iter().enumerate() {
        let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
        assert_eq!(series.hash, Batch::hash(bytes));
        let key = batch.key(index, &mut builder).expect("labels that were checked");
        assert!(!key.name.is_empty());
    }
    let mut rows = batch.samples.len() + batch.exemplars.len() + batch.metadata.len();
    for sample in &batch.samples {
        assert!((sample.series as usize) < batch.series.len() && in_range(sample.time_ms));
    }
    for histogram in &batch.histograms {
        assert!((histogram.series as usize) < batch.series.len() && in_range(histogram.time_ms));
        histogram.value.validate().expect("a sound histogram");
        rows += 1 + histogram.value.buckets();
    }
    for start in &batch.starts {
        assert!((start.series as usize) < batch.series.len() && in_range(start.start_ms));
    }
    for exemplar in &batch.exemplars {
        assert!((exemplar.series as usize) < batch.series.len() && in_range(exemplar.time_ms));
    }
    assert!(rows <= limits.max_rows);
}
