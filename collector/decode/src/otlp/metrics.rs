//! Scopes and metrics: what all points of a metric share.
//!
//! ```text
//! Metric { name = 1, description = 2, unit = 3,
//!          gauge = 5, sum = 7, histogram = 9, exponential_histogram = 10, summary = 11 }
//! Gauge, Summary { data_points = 1 }       Histogram, ExponentialHistogram { data_points = 1, temporality = 2 }
//! Sum { data_points = 1, temporality = 2, is_monotonic = 3 }
//! ```

use std::ops::Range;

use model::batch::{Kind, Metadata};
use xxhash_rust::xxh3::xxh3_128;

use super::translation::{Shape, unit_word};
use super::values::text;
use super::{Decoder, Fault};
use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};

/// The metric at hand. Kept and reused.
#[derive(Debug, Default)]
pub(super) struct Metric {
    /// Its translated name.
    pub(super) name: String,
    /// Its name as it was sent.
    original: String,
    pub(super) kind: Kind,
    /// Whether its points say what was added since the last time.
    pub(super) is_delta: bool,
    /// Whether its points add up from a start.
    pub(super) counts: bool,
}

impl Metric {
    /// For a message: cut short, as anything from outside.
    pub(super) fn shown_name(&self) -> &str {
        let cut = (0..=60.min(self.original.len())).rev().find(|at| self.original.is_char_boundary(*at));
        &self.original[..cut.unwrap_or(0)]
    }
}

/// The number of a field of `Metric`, which says what the points are.
const GAUGE: u64 = 5;
const SUM: u64 = 7;
const HISTOGRAM: u64 = 9;
const EXPONENTIAL: u64 = 10;
const SUMMARY: u64 = 11;

const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

/// The fields of `Metric` as they are on the wire.
#[derive(Debug, Default)]
struct Parts {
    name: Range<usize>,
    description: Range<usize>,
    unit: Range<usize>,
    /// Number and place of the field that holds the points.
    data: Option<(u64, Range<usize>)>,
}

/// What the message of the points says of all of them.
#[derive(Debug, Default)]
struct Data {
    temporality: u64,
    is_monotonic: bool,
    points: u64,
}

impl Decoder<'_> {
    /// Takes the `Metric` at `range`, whose series get no labels at all if `trouble` says why.
    pub(super) fn metric(&mut self, range: Range<usize>, trouble: Option<&str>) -> Result<(), Fault> {
        let parts = self.metric_parts(range)?;
        let Some((field, range)) = parts.data.clone() else {
            let shown = quoted(&self.body[parts.name]);
            self.refused.add(0, format!("metric {shown} has no data points of a known type"));
            return Ok(());
        };
        let data = self.metric_data(field, range.clone())?;
        if data.points == 0 {
            return Ok(());
        }
        self.count_rows(1)?;
        let begun = match trouble {
            Some(trouble) => Err(Fault::Refused(trouble.to_owned())),
            None => self.begin_metric(&parts, field, &data),
        };
        match begun {
            Ok(()) => {}
            Err(Fault::Refused(reason)) => {
                self.refused.add(data.points, format!("metric {}: {reason}", quoted(&self.body[parts.name])));
                return Ok(());
            }
            Err(fatal) => return Err(fatal),
        }
        let take = match field {
            GAUGE | SUM => Self::number_point,
            HISTOGRAM if self.translation.classic_to_native => Self::custom_point,
            HISTOGRAM => Self::histogram_point,
            EXPONENTIAL => Self::exponential_point,
            _ => Self::summary_point,
        };
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            if let (1, Value::Bytes(point)) = (number, value) {
                self.point(point, take)?;
            }
        }
        Ok(())
    }

    fn metric_parts(&self, range: Range<usize>) -> Result<Parts, Fault> {
        let mut parts = Parts::default();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => parts.name = range,
                (2, Value::Bytes(range)) => parts.description = range,
                (3, Value::Bytes(range)) => parts.unit = range,
                (GAUGE | SUM | HISTOGRAM | EXPONENTIAL | SUMMARY, Value::Bytes(range)) => {
                    parts.data = Some((number, range));
                }
                (1..=3 | GAUGE | SUM | HISTOGRAM | EXPONENTIAL | SUMMARY, _) => {
                    return Err(Fault::wrong_type("Metric", number));
                }
                _ => {}
            }
        }
        Ok(parts)
    }

    /// Reads what stands behind the points, and counts them.
    fn metric_data(&self, field: u64, range: Range<usize>) -> Result<Data, Fault> {
        let mut data = Data::default();
        let has_temporality = matches!(field, SUM | HISTOGRAM | EXPONENTIAL);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(_)) => data.points += 1,
                (2, Value::Varint(number)) if has_temporality => data.temporality = number,
                (3, Value::Varint(number)) if field == SUM => data.is_monotonic = number != 0,
                (1, _) => return Err(Fault::wrong_type("the data of Metric", number)),
                (2, _) if has_temporality => return Err(Fault::wrong_type("the data of Metric", number)),
                (3, _) if field == SUM => return Err(Fault::wrong_type("Sum", number)),
                _ => {}
            }
        }
        Ok(data)
    }

    fn begin_metric(&mut self, parts: &Parts, field: u64, data: &Data) -> Result<(), Fault> {
        let name = text(&self.body[parts.name.clone()], "its name")?;
        let unit = text(&self.body[parts.unit.clone()], "its unit")?;
        for (text, what) in [(name, "name"), (unit, "unit")] {
            if text.len() > self.limits.max_name_bytes {
                let limit = self.limits.max_name_bytes;
                return Err(Fault::Refused(format!("its {what} has {} bytes, the limit is {limit}", text.len())));
            }
        }
        let has_temporality = matches!(field, SUM | HISTOGRAM | EXPONENTIAL);
        if has_temporality && !matches!(data.temporality, DELTA | CUMULATIVE) {
            let what = format!("the aggregation temporality {} is neither delta nor cumulative", data.temporality);
            return Err(Fault::Refused(what));
        }
        let (kind, shape) = match field {
            GAUGE => (Kind::Gauge, Shape::Gauge),
            SUM if data.is_monotonic => (Kind::Counter, Shape::Counter),
            SUM => (Kind::Gauge, Shape::Other),
            SUMMARY => (Kind::Summary, Shape::Other),
            _ => (Kind::Histogram, Shape::Other),
        };
        self.metric.name = self.translation.metric(name, unit, shape).map_err(Fault::Refused)?;
        self.metric.original.clear();
        self.metric.original.push_str(name);
        self.metric.kind = kind;
        self.metric.is_delta = has_temporality && data.temporality == DELTA;
        self.metric.counts = field != GAUGE;
        self.add_metadata(unit, parts.description.clone());
        Ok(())
    }

    /// What the sender says of the metric, once a request; a help text that is no text or too long is left out.
    fn add_metadata(&mut self, unit: &str, description: Range<usize>) {
        let help = &self.body[description];
        let help = std::str::from_utf8(help).ok().filter(|help| help.len() <= self.limits.max_value_bytes);
        let help = help.unwrap_or("");
        let hashes = [self.metric.name.as_bytes(), unit.as_bytes(), help.as_bytes()].map(xxh3_128);
        let mixed = hashes.iter().fold(self.metric.kind as u128, |mixed, hash| mixed.rotate_left(41) ^ hash);
        if self.families.insert(mixed) {
            self.batch.metadata.push(Metadata {
                name: self.metric.name.clone(),
                kind: self.metric.kind,
                unit: unit_word(unit),
                help: help.to_owned(),
            });
        }
    }
}
