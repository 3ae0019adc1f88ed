//! What the writer writes, the reader reads.

use bytes::Bytes;
use decode::{Limits, text};
use model::batch::Kind;
use model::labels::{LabelsBuilder, NAME_LABEL};
use proptest::prelude::*;

use crate::cases::ANSWER_MS;

#[derive(Debug, Clone)]
struct Row {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
    time_ms: Option<i64>,
}

/// Text that is hard on a reader: its own marks, escapes, line ends, NUL, and anything of Unicode.
fn nasty(min: usize) -> impl Strategy<Value = String> {
    let marks =
        prop::sample::select(vec!['"', '\\', '\n', '\r', '\t', ' ', '{', '}', ',', '=', '#', '\0', 'n', 'é', '🦀']);
    prop::collection::vec(prop_oneof![marks, any::<char>()], min..12).prop_map(|chars| chars.into_iter().collect())
}

fn value() -> impl Strategy<Value = f64> {
    let nearby = (any::<i32>(), 0i32..9).prop_map(|(digits, scale)| f64::from(digits) / 10f64.powi(scale));
    let odd =
        prop::sample::select(vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, 5e-324, 1e22, 1e23]);
    prop_oneof![any::<u64>().prop_map(f64::from_bits), nearby, odd]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let name = prop_oneof![nasty(1), "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}"];
    let label = (prop_oneof![nasty(1), "[a-zA-Z_][a-zA-Z0-9_]{0,8}"], nasty(0));
    let time = prop::option::of(model::time::MIN_TIME_MS..=model::time::MAX_TIME_MS);
    let row = (name, prop::collection::vec(label, 0..5), value(), time);
    let row = row.prop_map(|(name, mut labels, value, time_ms)| {
        labels.sort();
        labels.dedup_by(|a, b| a.0 == b.0);
        labels.retain(|(name, value)| name != NAME_LABEL && name != "cluster" && !value.is_empty());
        Row { name, labels, value, time_ms }
    });
    prop::collection::vec(row, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_read_as_written(rows in rows()) {
        let mut body = String::new();
        for row in &rows {
            let labels = row.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            text::write_sample(&mut body, &row.name, labels, row.value, row.time_ms).unwrap();
        }
        let batch = text::decode(&Bytes::from(body.clone()), ANSWER_MS, &Limits::default()).unwrap();
        prop_assert_eq!(batch.samples.len(), rows.len());
        let mut builder = LabelsBuilder::default();
        for (sample, row) in batch.samples.iter().zip(&rows) {
            let key = batch.key(sample.series as usize, &mut builder).unwrap();
            let labels: Vec<_> = key.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!((key.name.as_ref(), &labels), (row.name.as_str(), &row.labels), "{}", body);
            prop_assert_eq!(sample.time_ms, row.time_ms.unwrap_or(ANSWER_MS));
            if row.value.is_nan() {
                prop_assert_eq!(sample.value.to_bits(), 0x7ff8_0000_0000_0001);
            } else {
                prop_assert_eq!(sample.value.to_bits(), row.value.to_bits(), "{}", body);
            }
        }
    }

    #[test]
    fn families_read_as_written(name in nasty(1), help in nasty(1)) {
        let mut body = String::new();
        text::write_family(&mut body, &name, Kind::Histogram, &help).unwrap();
        for suffix in ["", "_bucket", "_sum", "_count", "_total"] {
            text::write_sample(&mut body, &format!("{name}{suffix}"), [], 1.0, None).unwrap();
        }
        let batch = text::decode(&Bytes::from(body), ANSWER_MS, &Limits::default()).unwrap();
        prop_assert_eq!(&batch.metadata[0].name, &name);
        prop_assert_eq!(&batch.metadata[0].help, &help);
        let kinds: Vec<_> = batch.series.iter().map(|series| series.kind).collect();
        prop_assert_eq!(&kinds[..4], &[Kind::Histogram; 4]);
        prop_assert_eq!(kinds[4], Kind::Unknown);
    }

    /// Our value of any decimal is that of the standard library, which rounds correctly.
    #[test]
    fn values_are_rounded_correctly(text in "[+-]?[0-9]{0,22}\\.?[0-9]{0,22}([eE][+-]?[0-9]{1,3})?") {
        let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
        let body = Bytes::from(format!("a {text}\n"));
        let got = text::decode(&body, ANSWER_MS, &Limits::default()).ok().map(|batch| batch.samples[0].value.to_bits());
        prop_assert_eq!(got, expected.map(f64::to_bits));
    }
}
