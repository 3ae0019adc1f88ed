//! Reads what a fleet gives, with the product's own decoder.

use std::collections::HashMap;
use std::sync::OnceLock;

use decode::{Limits, text};
use fleet::{Fleet, Settings};
use model::Batch;
use model::batch::{Kind, is_stale};
use model::labels::{LabelsBuilder, SeriesKey};

/// Noon of a day, UTC.
pub(crate) const NOON_MS: i64 = 1_767_268_800_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const SEED: u64 = 7;

/// The default fleet, made once.
pub(crate) fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| Fleet::new(SEED, &Settings::default()).unwrap())
}

/// The default fleet without silences, made once.
pub(crate) fn heard() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| Fleet::new(SEED, &Settings { silences: false, ..Settings::default() }).unwrap())
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
    pub(crate) kind: Kind,
}

impl Row {
    pub(crate) fn is_marker(&self) -> bool {
        is_stale(self.value)
    }
}

/// The samples of each series, in the order of the batches.
pub(crate) type Series = HashMap<SeriesKey, Vec<Row>>;

/// The series of one text.
pub(crate) fn of_text(text: &str) -> Series {
    let batch = text::decode(&text.to_owned().into(), 0, &Limits::default()).unwrap();
    of_batches([batch])
}

/// The series of batches. As in the store, labels are read of a series whose hash was not met before.
pub(crate) fn of_batches(batches: impl IntoIterator<Item = Batch>) -> Series {
    let mut places: HashMap<u128, usize> = HashMap::new();
    let mut all: Vec<(SeriesKey, Vec<Row>)> = Vec::new();
    let mut builder = LabelsBuilder::default();
    for batch in batches {
        for sample in &batch.samples {
            let (index, series) = (sample.series as usize, &batch.series[sample.series as usize]);
            let place = *places.entry(series.hash).or_insert_with(|| {
                all.push((batch.key(index, &mut builder).unwrap(), Vec::new()));
                all.len() - 1
            });
            all[place].1.push(Row { time_ms: sample.time_ms, value: sample.value, kind: series.kind });
        }
    }
    let count = all.len();
    let series: Series = all.into_iter().collect();
    assert_eq!(series.len(), count, "one series was written in two ways");
    series
}

/// What the samples of a series rise by; after a fall it counts from nothing, as `increase` does.
pub(crate) fn rise(rows: &[Row]) -> f64 {
    let values: Vec<f64> = rows.iter().filter(|row| !row.is_marker()).map(|row| row.value).collect();
    values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum()
}
