//! The message of OTLP metrics, encoded by hand, which OTLP over HTTP and over gRPC both carry; and its answer.
//!
//! ```text
//! ExportMetricsServiceRequest { resource_metrics = 1 }    ResourceMetrics { scope_metrics = 2 }
//! ScopeMetrics { metrics = 2 }
//! Metric { name = 1, description = 2, gauge = 5, sum = 7, exponential_histogram = 10 }
//! Gauge { data_points = 1 }                               Sum { data_points = 1, temporality = 2, is_monotonic = 3 }
//! ExponentialHistogram { data_points = 1, temporality = 2 }
//! NumberDataPoint { start = 2, time = 3, as_double = 4, exemplars = 5, as_int = 6, attributes = 7 }
//! ExponentialHistogramDataPoint { attributes = 1, start = 2, time = 3, count = 4, sum = 5, scale = 6: sint32,
//!                                 zero_count = 7, positive = 8, negative = 9, exemplars = 11, zero_threshold = 14 }
//! Buckets { offset = 1: sint32, bucket_counts = 2: uint64 }
//! Exemplar { time = 2, as_double = 3, span_id = 4, trace_id = 5, filtered_attributes = 7 }
//! KeyValue { key = 1, value = 2: AnyValue }               AnyValue { string = 1 }
//! ExportMetricsServiceResponse { partial_success = 1: { rejected_data_points = 1, error_message = 2 } }
//! ```
//!
//! Times are `fixed64` nanoseconds. Source: <https://github.com/open-telemetry/opentelemetry-proto>

use crate::log::Answer;
use crate::protobuf::{double, field, fixed, message, number, read_varint, signed, varint};
use crate::row::{Exemplar, Histogram, Kind, Row, Value};
use crate::way::{Request, otlp_records};

pub(crate) const NANOS: i64 = 1_000_000;

/// The message.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    if request.way.is_columnar() {
        return otlp_records::encode(request);
    }
    let mut out = Vec::new();
    message(&mut out, 1, |resource| {
        message(resource, 2, |scope| {
            for kind in request.kinds() {
                message(scope, 2, |metric| encode_metric(metric, request, kind));
            }
        });
    });
    out
}

/// The name of a metric before the translation, which appends to that of a counter.
pub(crate) fn name(request: &Request, kind: Kind) -> String {
    let name = request.way.name(kind);
    name.strip_suffix("_total").unwrap_or(&name).to_owned()
}

/// The number of a temporality: what was added since the last time, or all of it.
pub(crate) fn temporality(request: &Request) -> u64 {
    if request.way.is_delta() { 1 } else { 2 }
}

/// A whole number goes as one where the series always has them.
pub(crate) fn whole(row: &Row, value: f64, is_delta: bool) -> Option<i64> {
    (is_delta && row.series.is_multiple_of(2)).then_some(value as i64)
}

/// Where the buckets of one sign begin, and all of them up to the last one with observations.
///
/// A bucket is named by its lower end here, and by its upper end in [`Histogram`].
pub(crate) fn dense(buckets: &[(i64, u64)]) -> (i64, Vec<u64>) {
    let Some((first, _)) = buckets.first() else { return (0, Vec::new()) };
    let mut counts = Vec::new();
    for (index, count) in buckets {
        counts.resize((index - first) as usize, 0);
        counts.push(*count);
    }
    (first - 1, counts)
}

fn encode_metric(out: &mut Vec<u8>, request: &Request, kind: Kind) {
    field(out, 1, name(request, kind).as_bytes());
    field(out, 2, request.help.as_bytes());
    let data = match kind {
        Kind::Gauge => 5,
        Kind::Counter => 7,
        Kind::Histogram => 10,
    };
    message(out, data, |data| {
        for row in request.series(kind).flatten() {
            message(data, 1, |point| match &row.value {
                Value::Number(value) => encode_number(point, request, row, *value),
                Value::Histogram(histogram) => encode_histogram(point, request, row, histogram),
            });
        }
        if kind != Kind::Gauge {
            number(data, 2, temporality(request));
        }
        if kind == Kind::Counter {
            number(data, 3, 1);
        }
    });
}

fn encode_number(out: &mut Vec<u8>, request: &Request, row: &Row, value: f64) {
    encode_times(out, row);
    match whole(row, value, request.way.is_delta()) {
        Some(whole) => fixed(out, 6, whole as u64),
        None => double(out, 4, value),
    }
    encode_attributes(out, 7, request, row.series);
    encode_exemplar(out, 5, row);
}

fn encode_histogram(out: &mut Vec<u8>, request: &Request, row: &Row, histogram: &Histogram) {
    encode_attributes(out, 1, request, row.series);
    encode_times(out, row);
    fixed(out, 4, histogram.count());
    double(out, 5, histogram.sum);
    number(out, 6, signed(i64::from(histogram.schema)));
    fixed(out, 7, histogram.zero);
    for (side, buckets) in [(8, &histogram.positive), (9, &histogram.negative)] {
        message(out, side, |bytes| {
            let (offset, counts) = dense(buckets);
            let mut packed = Vec::new();
            counts.iter().for_each(|count| varint(&mut packed, *count));
            number(bytes, 1, signed(offset));
            field(bytes, 2, &packed);
        });
    }
    encode_exemplar(out, 11, row);
    double(out, 14, histogram.zero_threshold);
}

fn encode_times(out: &mut Vec<u8>, row: &Row) {
    if let Some(start_ms) = row.start_ms {
        fixed(out, 2, (start_ms * NANOS) as u64);
    }
    fixed(out, 3, (row.time_ms * NANOS) as u64);
}

fn encode_attributes(out: &mut Vec<u8>, number: u8, request: &Request, series: u64) {
    for (key, value) in request.labels(series) {
        encode_attribute(out, number, key, &value);
    }
}

pub(crate) fn encode_attribute(out: &mut Vec<u8>, number: u8, key: &str, value: &str) {
    message(out, number, |attribute| {
        field(attribute, 1, key.as_bytes());
        message(attribute, 2, |any| field(any, 1, value.as_bytes()));
    });
}

fn encode_exemplar(out: &mut Vec<u8>, number: u8, row: &Row) {
    let Some(Exemplar { value, trace_id, span_id, draw }) = &row.exemplar else { return };
    message(out, number, |exemplar| {
        fixed(exemplar, 2, (row.time_ms * NANOS) as u64);
        double(exemplar, 3, *value);
        field(exemplar, 4, &span_id.to_be_bytes());
        field(exemplar, 5, &trace_id.to_be_bytes());
        encode_attribute(exemplar, 7, "draw", &draw.to_string());
    });
}

/// What an answer of success says: that all was taken, unless it counts points that were not. A warning alone, as of deltas
/// that were there already, counts none.
pub(crate) fn answer(request: &Request, mut response: &[u8]) -> Answer {
    const PARTIAL_SUCCESS: u64 = 1 << 3 | 2;
    const REJECTED: u64 = 1 << 3;
    let partial = read_varint(&mut response).is_some_and(|tag| tag == PARTIAL_SUCCESS);
    let rejected = (partial && read_varint(&mut response).is_some() && read_varint(&mut response) == Some(REJECTED))
        .then(|| read_varint(&mut response).unwrap_or(u64::MAX));
    match rejected.unwrap_or(0) {
        0 => Answer::Acknowledged,
        rejected => Answer::Partial(request.size().saturating_sub(rejected)),
    }
}
