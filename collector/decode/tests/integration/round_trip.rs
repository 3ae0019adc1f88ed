//! What the writer writes, the reader reads.

use bytes::Bytes;
use decode::{Limits, openmetrics, text};
use model::batch::{Exemplar, Kind, Metadata};
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

/// Labels of at most 128 characters, names and values together.
fn exemplar() -> impl Strategy<Value = Exemplar> {
    let label = (nasty(1), nasty(1));
    let time_ms = model::time::MIN_TIME_MS..=model::time::MAX_TIME_MS;
    (prop::collection::vec(label, 0..5), value(), time_ms).prop_map(|(labels, value, time_ms)| Exemplar {
        series: 0,
        time_ms,
        value,
        labels,
    })
}

/// The bits of a value as it comes back: there is one NaN.
fn read_bits(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0001 } else { value.to_bits() }
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
            prop_assert_eq!(sample.value.to_bits(), read_bits(row.value), "{}", body);
        }
    }

    /// The text format takes the same series, as the same: without times and exemplars a line is of both formats.
    #[test]
    fn openmetrics_reads_as_written(rows in rows(), exemplar in prop::option::of(exemplar())) {
        let (mut body, mut common) = (String::new(), String::new());
        // Every second sample has the exemplar.
        let exemplar = |index: usize| exemplar.as_ref().filter(|_| index % 2 == 1);
        for (index, Row { name, labels, value, time_ms }) in rows.iter().enumerate() {
            let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            openmetrics::write_sample(&mut common, name, labels.clone(), *value, None, None).unwrap();
            openmetrics::write_sample(&mut body, name, labels, *value, *time_ms, exemplar(index)).unwrap();
        }
        openmetrics::write_end(&mut body).unwrap();
        let batch = openmetrics::decode(&Bytes::from(body.clone()), ANSWER_MS, &Limits::default()).unwrap();
        let text = text::decode(&Bytes::from(common), ANSWER_MS, &Limits::default()).unwrap();
        prop_assert_eq!((batch.samples.len(), text.samples.len()), (rows.len(), rows.len()));
        prop_assert_eq!(batch.salt(), text.salt());
        let mut builder = LabelsBuilder::default();
        let mut exemplars = batch.exemplars.iter();
        for (index, (sample, row)) in batch.samples.iter().zip(&rows).enumerate() {
            let key = batch.key(index, &mut builder).unwrap();
            let labels: Vec<_> = key.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!((key.name.as_ref(), &labels), (row.name.as_str(), &row.labels), "{}", body);
            prop_assert_eq!(batch.series[index].hash, text.series[index].hash);
            prop_assert_eq!(sample.time_ms, row.time_ms.unwrap_or(ANSWER_MS), "{}", body);
            prop_assert_eq!(sample.value.to_bits(), read_bits(row.value), "{}", body);
            if let Some(exemplar) = exemplar(index) {
                let got = exemplars.next().unwrap();
                prop_assert_eq!((got.series, got.time_ms), (sample.series, exemplar.time_ms), "{}", body);
                prop_assert_eq!((got.value.to_bits(), &got.labels), (read_bits(exemplar.value), &exemplar.labels));
            }
        }
        prop_assert!(exemplars.next().is_none());
    }

    #[test]
    fn families_of_openmetrics_read_as_written(
        name in nasty(1), help in nasty(0), with_unit in any::<bool>(), kind in prop::sample::select(&Kind::ALL[..])
    ) {
        let unit = if with_unit { name.clone() } else { String::new() };
        let name = if with_unit { format!("a_{name}") } else { name };
        let family = Metadata { name, kind, unit, help };
        let mut body = String::new();
        openmetrics::write_family(&mut body, &family).unwrap();
        openmetrics::write_sample(&mut body, &family.name, [], 1.0, None, None).unwrap();
        openmetrics::write_end(&mut body).unwrap();
        let batch = openmetrics::decode(&Bytes::from(body.clone()), ANSWER_MS, &Limits::default()).unwrap();
        let says_nothing = kind == Kind::Unknown && !with_unit && family.help.is_empty();
        prop_assert_eq!(&batch.metadata[..], if says_nothing { &[][..] } else { std::slice::from_ref(&family) });
        prop_assert_eq!(batch.series[0].kind, kind);
    }

    /// Times are what the nearest double times a thousand is, cut off.
    #[test]
    fn times_in_seconds_are_cut_off(text in "-?[0-9]{1,10}(\\.[0-9]{0,12})?(e-?[0-2])?") {
        let expected = (text.parse::<f64>().unwrap() * 1000.0).trunc() as i64;
        prop_assume!(model::time::in_range(expected));
        let body = Bytes::from(format!("a 1 {text}\n# EOF\n"));
        let batch = openmetrics::decode(&body, ANSWER_MS, &Limits::default()).unwrap();
        prop_assert_eq!(batch.samples[0].time_ms, expected);
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
