//! Any bytes are a request of which what is good is kept.
#![no_main]

use bytes::Bytes;
use decode::{Limits, remote_write};
use libfuzzer_sys::fuzz_target;
use model::Batch;
use model::labels::LabelsBuilder;
use model::time::MAX_TIME_MS;

use self::rows::check_rows;

#[path = "../checks/rows.rs"]
mod rows;

fuzz_target!(|input: &[u8]| {
    let body = Bytes::copy_from_slice(input);
    let Ok(decoded) = remote_write::decode(&body, MAX_TIME_MS, &Limits::default()) else { return };
    let batch = decoded.batch;
    let mut builder = LabelsBuilder::default();
    for (index, series) in batch.series.iter().enumerate() {
        let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
        assert_eq!(series.hash, Batch::hash(bytes));
        batch.key(index, &mut builder).expect("labels that were checked");
    }
    check_rows(&batch);
    // Without a look at the labels the same rows are there, and those whose labels are bad.
    let unchecked = remote_write::decode_leaving_labels(&body, MAX_TIME_MS, &Limits::default());
    let unchecked = unchecked.expect("what can be read with a look at labels").batch;
    let mut good = 0;
    for sample in &unchecked.samples {
        assert!(model::time::in_range(sample.time_ms));
        good += usize::from(unchecked.key(sample.series as usize, &mut builder).is_ok());
    }
    assert_eq!(good, batch.samples.len());
});
