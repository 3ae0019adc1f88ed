//! Any bytes are a page of exposition as protobuf, read whole or refused.
//!
//! The first byte says which histograms are wanted; the rest is the page.

use bytes::Bytes;
use decode::Limits;
use decode::metric_families::{Histograms, decode};
use model::Batch;
use model::labels::LabelsBuilder;

use super::rows::check_rows;

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
    assert!(check_rows(&batch) <= limits.max_rows);
}
