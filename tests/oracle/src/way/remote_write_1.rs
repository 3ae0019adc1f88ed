//! Remote write 1.0, encoded by hand.
//!
//! ```text
//! WriteRequest { timeseries = 1, metadata = 3 }        TimeSeries { labels = 1, samples = 2, exemplars = 3, histograms = 4 }
//! Label { name = 1, value = 2 }                        Sample { value = 1: double, timestamp = 2 }
//! Exemplar { labels = 1, value = 2: double, timestamp = 3 }
//! MetricMetadata { type = 1, metric_family_name = 2, help = 4 }
//! Histogram { count_int = 1, count_float = 2: double, sum = 3: double, schema = 4: sint32, zero_threshold = 5: double,
//!             zero_count_int = 6, zero_count_float = 7: double, negative_spans = 8, negative_deltas = 9: sint64,
//!             negative_counts = 10: double, positive_spans = 11, positive_deltas = 12: sint64,
//!             positive_counts = 13: double, reset_hint = 14, timestamp = 15, custom_values = 16: double,
//!             start_timestamp = 17 of 2.0 }
//! BucketSpan { offset = 1: sint32, length = 2 }
//! ```
//!
//! Source: the Prometheus remote-write specifications 1.0 and 2.0, `types.proto`

use std::io;

use crate::http::Connection;
use crate::log::Answer;
use crate::protobuf::{double, field, message, number, signed, varint};
use crate::row::{Histogram, Kind, Row, Value};
use crate::way::Request;

const HEADERS: &str =
    "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\nx-prometheus-remote-write-version: 0.1.0\r\n";

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post("/api/v1/write", HEADERS, &compress(&encode(request)))?;
    Ok(if reply.is_success() { Answer::Acknowledged } else { Answer::Refused(reply.status) })
}

/// Snappy, block format.
pub(crate) fn compress(message: &[u8]) -> Vec<u8> {
    // Only an input of 4 GiB could fail.
    snap::raw::Encoder::new().compress_vec(message).unwrap_or_default()
}

/// The message: a series for each run of rows of the same one.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    for rows in request.rows.chunk_by(|a, b| a.series == b.series) {
        message(&mut out, 1, |series| encode_series(series, request, rows));
    }
    for kind in request.kinds() {
        message(&mut out, 3, |metadata| {
            number(metadata, 1, kind_number(kind));
            field(metadata, 2, request.way.name(kind).as_bytes());
            field(metadata, 4, request.help.as_bytes());
        });
    }
    out
}

/// The number of a kind in both versions.
pub(crate) fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 1,
        Kind::Gauge => 2,
        Kind::Histogram => 3,
    }
}

fn encode_series(out: &mut Vec<u8>, request: &Request, rows: &[Row]) {
    // Sorted by name, as the specification wants.
    label(out, 1, "__name__", &request.way.name(rows[0].kind));
    for (name, value) in request.labels(rows[0].series) {
        label(out, 1, name, &value);
    }
    for row in rows {
        let time = row.time_ms as u64;
        match &row.value {
            Value::Number(value) => message(out, 2, |sample| {
                double(sample, 1, *value);
                number(sample, 2, time);
            }),
            Value::Histogram(histogram) => message(out, 4, |bytes| encode_histogram(bytes, histogram, time)),
        }
        if let Some(exemplar) = &row.exemplar {
            message(out, 3, |bytes| {
                label(bytes, 1, "draw", &exemplar.draw.to_string());
                label(bytes, 1, "span_id", &exemplar.span_id());
                label(bytes, 1, "trace_id", &exemplar.trace_id());
                double(bytes, 2, exemplar.value);
                number(bytes, 3, time);
            });
        }
    }
}

fn label(out: &mut Vec<u8>, number: u8, name: &str, value: &str) {
    message(out, number, |label| {
        field(label, 1, name.as_bytes());
        field(label, 2, value.as_bytes());
    });
}

/// A native histogram, but for the start that 2.0 has.
pub(crate) fn encode_histogram(out: &mut Vec<u8>, histogram: &Histogram, time: u64) {
    let (count, zero) = (histogram.count(), histogram.zero);
    if histogram.is_float {
        double(out, 2, Histogram::halved(count));
        double(out, 7, Histogram::halved(zero));
    } else {
        number(out, 1, count);
        number(out, 6, zero);
    }
    double(out, 3, histogram.sum);
    number(out, 4, signed(i64::from(histogram.schema)));
    double(out, 5, histogram.zero_threshold);
    encode_side(out, 8, histogram.is_float, &histogram.negative);
    encode_side(out, 11, histogram.is_float, &histogram.positive);
    number(out, 14, u64::from(histogram.hint));
    number(out, 15, time);
    if !histogram.bounds.is_empty() {
        let bounds: Vec<u8> = histogram.bounds.iter().flat_map(|bound| bound.to_le_bytes()).collect();
        field(out, 16, &bounds);
    }
}

/// Spans at field `first`, deltas or counts at one of the next two.
fn encode_side(out: &mut Vec<u8>, first: u8, is_float: bool, buckets: &[(i64, u64)]) {
    let (mut end, mut before, mut packed) = (0, 0, Vec::new());
    for run in buckets.chunk_by(|(a, _), (b, _)| a + 1 == *b) {
        message(out, first, |span| {
            number(span, 1, signed(run[0].0 - end));
            number(span, 2, run.len() as u64);
        });
        end = run[0].0 + run.len() as i64;
    }
    for (_, count) in buckets {
        if is_float {
            packed.extend_from_slice(&Histogram::halved(*count).to_le_bytes());
        } else {
            varint(&mut packed, signed(*count as i64 - before));
            before = *count as i64;
        }
    }
    if !buckets.is_empty() {
        field(out, if is_float { first + 2 } else { first + 1 }, &packed);
    }
}
