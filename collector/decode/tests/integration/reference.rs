//! Crate `prometheus-parse` as a second opinion on what both can read.

use bytes::Bytes;
use decode::{Limits, text};
use model::labels::LabelsBuilder;
use prometheus_parse::{Scrape, Value};
use proptest::prelude::*;

use crate::cases::ANSWER_MS;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_the_same(
        rows in prop::collection::vec(
            ("[a-z_][a-z0-9_]{0,9}", prop::collection::btree_map("[a-z][a-z0-9_]{0,9}", "[a-zA-Z0-9/_.-]{1,9}", 0..4), any::<i32>(), 0i64..4_000_000_000_000),
            1..20,
        )
    ) {
        let mut body = String::new();
        for (name, labels, value, time_ms) in &rows {
            let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            text::write_sample(&mut body, name, labels, f64::from(*value) / 8.0, Some(*time_ms)).unwrap();
        }
        let theirs = Scrape::parse(body.lines().map(|line| Ok(line.to_owned()))).unwrap().samples;
        let batch = text::decode(&Bytes::from(body), ANSWER_MS, &Limits::default()).unwrap();
        prop_assert_eq!(batch.samples.len(), theirs.len());
        let mut builder = LabelsBuilder::default();
        for (sample, their) in batch.samples.iter().zip(&theirs) {
            let key = batch.key(sample.series as usize, &mut builder).unwrap();
            prop_assert_eq!(key.name.as_ref(), &their.metric);
            prop_assert_eq!(key.labels.iter().filter(|(name, value)| their.labels.get(name) == Some(value)).count(), key.labels.iter().count());
            prop_assert_eq!(sample.time_ms, their.timestamp.timestamp_millis());
            prop_assert_eq!(Value::Untyped(sample.value), their.value.clone());
        }
    }
}
