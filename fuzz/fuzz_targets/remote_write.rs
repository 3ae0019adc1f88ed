//! Any bytes are a request that is read whole or refused.
#![no_main]

use bytes::Bytes;
use decode::{Limits, remote_write};
use libfuzzer_sys::fuzz_target;
use model::Batch;
use model::labels::LabelsBuilder;

fuzz_target!(|input: &[u8]| {
    let Ok(batch) = remote_write::decode(&Bytes::copy_from_slice(input), &Limits::default()) else { return };
    let mut builder = LabelsBuilder::default();
    for (index, series) in batch.series.iter().enumerate() {
        let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
        assert_eq!(series.hash, Batch::hash(bytes));
        batch.key(index, &mut builder).expect("labels that were checked");
    }
    for sample in &batch.samples {
        assert!((sample.series as usize) < batch.series.len() && model::time::in_range(sample.time_ms));
    }
    for exemplar in &batch.exemplars {
        assert!((exemplar.series as usize) < batch.series.len() && model::time::in_range(exemplar.time_ms));
    }
});
