//! OTLP: logs ([`logs`]), traces ([`traces`]), and here metrics: the protobuf message `ExportMetricsServiceRequest`, translated to
//! Prometheus' words. Each is read as JSON as well ([`json`]).
//!
//! Owns: the message after decompression, the translation of names, labels and points, which points are refused and why.
//! Does not own: compression ([`crate::body`]), headers and answers, gRPC, the sums that deltas add up to (`collector`).
//!
//! ```text
//! ExportMetricsServiceRequest { resource_metrics = 1 }
//! ResourceMetrics { resource = 1: Resource, scope_metrics = 2 }     Resource { attributes = 1: KeyValue }
//! ScopeMetrics { scope = 1: InstrumentationScope, metrics = 2, schema_url = 3 }
//! ```
//!
//! The message is walked in place. What all points of a resource or a metric share is translated once; for a point, its
//! own label values are copied behind it, into the one buffer that becomes the body of the batch.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/>, `opentelemetry/proto/metrics/v1/metrics.proto`

mod attributes;
mod distributions;
mod envelope;
mod exemplars;
pub mod json;
mod labels;
pub mod logs;
mod metrics;
mod numbers;
mod resource;
pub mod traces;
mod translation;
mod values;

use std::collections::HashSet;
use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, PLAIN, Sample, Start};

use self::labels::Labels;
pub use self::logs::DecodedLogs;
pub use self::traces::DecodedSpans;
pub use self::translation::{Promotion, Strategy, Translation};
use crate::protobuf::wire::{Fields, Malformed, Value};
use crate::{Error, Limits};

/// Reasons that are kept of refused points; their number goes on.
const MAX_REASONS: usize = 10;

/// A request that was read.
#[derive(Debug)]
pub struct Decoded {
    /// Its rows. Those of `deltas` hold what was added since the last time, not yet what it adds up to.
    pub batch: Batch,
    /// Which rows those are.
    pub deltas: Vec<Delta>,
    /// Of each data point that is in `batch` its series there.
    pub points: Vec<Range<u32>>,
    /// Data points that are not.
    pub refused: Refused,
}

/// The rows of one data point that says what was added since the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// In [`Batch::samples`].
    pub samples: Range<u32>,
    /// In [`Batch::histograms`].
    pub histograms: Range<u32>,
    /// Its place in [`Decoded::points`].
    pub point: u32,
    /// In [`Batch::exemplars`]: those that came with the point.
    pub exemplars: Range<u32>,
    /// The begin of the time in which it was added, in milliseconds since the Unix epoch; 0 if unknown.
    pub start_ms: i64,
    /// The end of that time.
    pub time_ms: i64,
}

/// The data points, log records or spans that were left out, for the answer to the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub points: u64,
    /// Why, of the first ten that are told apart.
    pub reasons: Vec<String>,
}

impl Refused {
    /// Counts points, records or spans that are left out.
    pub fn add(&mut self, points: u64, reason: impl Into<String>) {
        self.points += points;
        let reason = reason.into();
        if self.reasons.len() < MAX_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Why a point is not taken.
#[derive(Debug)]
enum Fault {
    /// It is wrong by itself: the others are taken.
    Refused(String),
    /// The request is no such message, or too large: nothing is taken.
    Fatal(Error),
}

impl Fault {
    #[cold]
    fn wrong_type(message: &str, number: u64) -> Self {
        let what =
            format!("field {number} of {message} has the wrong wire type: is this the OTLP request of another signal?");
        Fault::Fatal(Error::invalid(what))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Fatal(error)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Fault::Fatal(malformed.into())
    }
}

/// Reads a whole request, protobuf, already decompressed.
///
/// A data point that is wrong by itself, or later than `latest_ms`, is left out and counted. Points without a recorded value are staleness markers.
/// The resource attribute `k8s.cluster.name` is the label `cluster`; an attribute `cluster` of a point then is
/// `exported_cluster`. Labels are written out once for each series of a point, which may come to many times the bytes of
/// the request: at most `max_label_bytes`.
///
/// # Errors
/// `Invalid` if the bytes are no such message, `TooLarge` if a limit is broken: then nothing is taken.
pub fn decode(
    body: &Bytes,
    latest_ms: i64,
    translation: &Translation,
    limits: &Limits,
    max_label_bytes: usize,
) -> Result<Decoded, Error> {
    if body.len() > limits.max_decoded_bytes || u32::try_from(body.len()).is_err() {
        let what = format!("the request has {} bytes, the limit is {}", body.len(), limits.max_decoded_bytes);
        return Err(Error::too_large(what));
    }
    let mut decoder = Decoder::new(body, translation, limits, max_label_bytes);
    decoder.latest_ms = latest_ms;
    match decoder.request() {
        Ok(()) => Ok(decoder.finish()),
        Err(Fault::Fatal(error)) => Err(error),
        Err(Fault::Refused(reason)) => Err(Error::invalid(reason)),
    }
}

/// A batch while it is made of a request.
struct Decoder<'a> {
    body: &'a [u8],
    translation: &'a Translation,
    limits: &'a Limits,
    max_label_bytes: usize,
    batch: Batch,
    deltas: Vec<Delta>,
    points: Vec<Range<u32>>,
    refused: Refused,
    rows: usize,
    /// Label bytes of all series; becomes the body of the batch.
    text: Vec<u8>,
    /// What the labels of a series are made of.
    labels: Labels,
    /// Points after this time are left out.
    latest_ms: i64,
    /// The earliest and the latest time of the resource at hand, in milliseconds.
    times_ms: Option<(i64, i64)>,
    /// Rows of `target_info` that are there: several resources may have the same.
    target_infos: HashSet<(u128, i64)>,
    /// Hashes of metadata that is there: many resources have the same metrics.
    families: HashSet<u128>,
    metric: metrics::Metric,
    buckets: distributions::Buckets,
    /// Quantile and value, of the summary at hand.
    quantiles: Vec<(f64, f64)>,
    /// For a number that is written as text.
    number: String,
}

/// How much there was before a point.
#[derive(Debug, Clone, Copy)]
struct Before {
    series: usize,
    samples: usize,
    histograms: usize,
    starts: usize,
    exemplars: usize,
    text: usize,
}

impl<'a> Decoder<'a> {
    fn new(body: &'a [u8], translation: &'a Translation, limits: &'a Limits, max_label_bytes: usize) -> Self {
        Decoder {
            body,
            translation,
            limits,
            max_label_bytes: max_label_bytes.min(u32::MAX as usize),
            batch: Batch::new(Bytes::new(), PLAIN),
            deltas: Vec::new(),
            points: Vec::new(),
            refused: Refused::default(),
            rows: 0,
            text: Vec::with_capacity(body.len().min(max_label_bytes)),
            labels: Labels::default(),
            latest_ms: i64::MAX,
            times_ms: None,
            target_infos: HashSet::new(),
            families: HashSet::new(),
            metric: metrics::Metric::default(),
            buckets: distributions::Buckets::default(),
            quantiles: Vec::new(),
            number: String::new(),
        }
    }

    fn request(&mut self) -> Result<(), Fault> {
        let mut fields = Fields::new(self.body, 0..self.body.len());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => self.resource_metrics(range)?,
                (1, _) => return Err(Fault::wrong_type("ExportMetricsServiceRequest", number)),
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Decoded {
        self.batch.body = self.text.into();
        Decoded { batch: self.batch, deltas: self.deltas, points: self.points, refused: self.refused }
    }

    /// Counts rows against the limit before they are kept.
    #[inline]
    fn count_rows(&mut self, rows: usize) -> Result<(), Fault> {
        self.rows = self.rows.saturating_add(rows);
        if self.rows > self.limits.max_rows { Err(self.too_many_rows()) } else { Ok(()) }
    }

    #[cold]
    fn too_many_rows(&self) -> Fault {
        let max = self.limits.max_rows;
        let what = format!("the request has more than {max} samples, buckets, exemplars and metrics: send it in parts");
        Fault::Fatal(Error::too_large(what))
    }

    fn before(&self) -> Before {
        Before {
            series: self.batch.series.len(),
            samples: self.batch.samples.len(),
            histograms: self.batch.histograms.len(),
            starts: self.batch.starts.len(),
            exemplars: self.batch.exemplars.len(),
            text: self.text.len(),
        }
    }

    /// Takes a point, or leaves out all of it.
    fn point(
        &mut self,
        range: Range<usize>,
        take: fn(&mut Self, Range<usize>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let before = self.before();
        match take(self, range) {
            Ok(()) => {
                let series = self.series_since(before);
                self.points.push(series);
                Ok(())
            }
            Err(Fault::Refused(reason)) => {
                self.batch.series.truncate(before.series);
                self.batch.samples.truncate(before.samples);
                self.batch.histograms.truncate(before.histograms);
                self.batch.starts.truncate(before.starts);
                self.batch.exemplars.truncate(before.exemplars);
                self.text.truncate(before.text);
                self.refused.add(1, format!("metric {:?}: {reason}", self.metric.shown_name()));
                Ok(())
            }
            Err(fatal) => Err(fatal),
        }
    }

    /// The series of the point whose rows were added since: all new ones, and the one before if the point goes on with it.
    fn series_since(&self, before: Before) -> Range<u32> {
        let sample = self.batch.samples.get(before.samples).map(|row| row.series);
        let first = sample.or_else(|| self.batch.histograms.get(before.histograms).map(|row| row.series));
        let new = before.series as u32;
        first.unwrap_or(new).min(new)..self.batch.series.len() as u32
    }

    /// Adds a row of a series, and since when it counts.
    #[inline]
    fn sample(&mut self, series: u32, when: &When, value: f64) {
        self.batch.samples.push(Sample { series, time_ms: when.time_ms, value });
        self.start(series, when);
    }

    fn start(&mut self, series: u32, when: &When) {
        if when.has_start() && self.metric.counts && !self.metric.is_delta {
            let start = Start { series, time_ms: when.time_ms, start_ms: when.start_ms };
            // Points of one series mostly come one after the other, with the same start.
            let said =
                self.batch.starts.last().is_some_and(|last| (last.series, last.start_ms) == (series, start.start_ms));
            if !said {
                self.batch.starts.push(start);
            }
        }
    }

    /// Refuses a delta that would make the sum of its series no number for ever.
    fn check_finite(&self, value: Option<f64>, when: &When) -> Result<(), Fault> {
        match value {
            Some(value) if self.metric.is_delta && !when.is_stale && !value.is_finite() => {
                Err(Fault::Refused(format!("a delta is {value}, not finite: all further sums would be")))
            }
            _ => Ok(()),
        }
    }

    /// What all points do once their rows are there.
    fn end_point(&mut self, before: Before, when: &When) -> Result<(), Fault> {
        let time_ms = when.time_ms;
        if time_ms > self.latest_ms {
            let latest_ms = self.latest_ms;
            let what = format!(
                "the time {time_ms} ms is too far in the future: nothing after {latest_ms} ms is taken (future_limit)"
            );
            return Err(Fault::Refused(what));
        }
        let (first, last) = self.times_ms.unwrap_or((time_ms, time_ms));
        self.times_ms = Some((first.min(time_ms), last.max(time_ms)));
        if self.metric.is_delta && !when.is_stale {
            self.deltas.push(Delta {
                samples: before.samples as u32..self.batch.samples.len() as u32,
                histograms: before.histograms as u32..self.batch.histograms.len() as u32,
                point: self.points.len() as u32,
                exemplars: before.exemplars as u32..self.batch.exemplars.len() as u32,
                start_ms: when.start_ms,
                time_ms,
            });
        }
        Ok(())
    }

    /// Ends the series whose labels were written from `start` of the text on.
    #[inline]
    fn end_series(&mut self, start: usize, kind: Kind) -> Result<u32, Fault> {
        self.check_room()?;
        Ok(labels::end_series(&mut self.batch, &self.text, start, kind))
    }
}

/// The times of a point, and whether it says that its series ended.
#[derive(Debug, Clone, Copy, Default)]
struct When {
    start_ms: i64,
    time_ms: i64,
    is_stale: bool,
}

impl When {
    /// Of the fields of a point, in nanoseconds.
    fn new(start: u64, time: u64, flags: u64) -> Result<Self, Fault> {
        const NO_RECORDED_VALUE: u64 = 1;
        if time == 0 {
            return Err(Fault::Refused("a data point has no time (time_unix_nano is 0)".to_owned()));
        }
        let to_ms = |nanos: u64| (nanos / 1_000_000) as i64;
        Ok(When { start_ms: to_ms(start), time_ms: to_ms(time), is_stale: flags & NO_RECORDED_VALUE != 0 })
    }

    /// Whether the point says since when it counts, and it makes sense.
    fn has_start(&self) -> bool {
        self.start_ms > 0 && self.start_ms <= self.time_ms && !self.is_stale
    }

    /// The value of a row of the point.
    fn value(&self, value: f64) -> f64 {
        if self.is_stale { f64::from_bits(model::batch::STALE_NAN_BITS) } else { value }
    }
}

#[cfg(test)]
mod tests;
