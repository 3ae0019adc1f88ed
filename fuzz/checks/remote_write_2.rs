//! Any bytes are a request of remote write 2.0: what is kept of it is sound, and the same texts are the same series.

use std::collections::HashMap;

use bytes::Bytes;
use decode::{Limits, remote_write};
use model::labels::LabelsBuilder;
use model::{Batch, SeriesKey};

use super::rows::check_rows;

const LATEST_MS: i64 = 1_700_000_000_000;

pub(crate) fn check(input: &[u8]) {
    let limits = Limits { max_rows: 200_000, max_decoded_bytes: 1 << 20, ..Limits::default() };
    let body = Bytes::copy_from_slice(input);
    let Ok(decoded) = remote_write::v2::decode(&body, LATEST_MS, &limits) else { return };
    check_batch(&decoded.batch, &limits);
    assert!(decoded.batch.samples.iter().all(|sample| sample.time_ms <= LATEST_MS));
    // In characters, of which a byte that is none becomes up to eight.
    assert!(decoded.refused.messages().all(|(_, message)| message.chars().count() < 1000));
}

/// What holds of every batch that the decoder lets through.
pub(crate) fn check_batch(batch: &Batch, limits: &Limits) {
    let mut builder = LabelsBuilder::default();
    let mut keys: HashMap<u128, SeriesKey> = HashMap::new();
    let mut text_bytes = 0;
    for index in 0..batch.series.len() {
        batch.read_labels(index, &mut builder).expect("labels that were checked");
        text_bytes += builder.pairs().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let key = builder.build(None).expect("labels that were checked");
        assert!(!key.name.is_empty());
        let first = keys.entry(batch.series[index].hash).or_insert_with(|| key.clone());
        assert_eq!(*first, key, "two series of one hash");
    }
    let texts = batch.metadata.iter().map(|said| said.name.len() + said.unit.len() + said.help.len());
    assert!(text_bytes + texts.sum::<usize>() <= limits.max_decoded_bytes);
    assert!(check_rows(batch) <= limits.max_rows && batch.symbols.len() <= limits.max_rows);
}
