//! OTLP over HTTP, as JSON, written by hand: whole numbers of 64 bits are texts there, ids hexadecimal digits.

use std::io;

use super::otlp::{self, dense, whole};
use crate::http::Connection;
use crate::log::Answer;
use crate::row::{Histogram, Kind, Row, Value};
use crate::way::Request;

const PATH: &str = "/v1/metrics";
const HEADERS: &str = "content-type: application/json\r\n";

/// Sends a request, and waits for nothing.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<()> {
    connection.send(PATH, HEADERS, encode(request).as_bytes())
}

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post(PATH, HEADERS, encode(request).as_bytes())?;
    if !reply.is_success() {
        return Ok(Answer::Refused(reply.status));
    }
    let text = String::from_utf8_lossy(&reply.body);
    let rejected = text.split_once("\"rejectedDataPoints\":\"").and_then(|(_, rest)| rest.split_once('"'));
    match rejected.map_or(Ok(0), |(number, _)| number.parse::<u64>()) {
        Ok(0) => Ok(Answer::Acknowledged),
        Ok(rejected) => Ok(Answer::Partial((request.rows.len() as u64).saturating_sub(rejected))),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("odd answer: {text}"))),
    }
}

/// The message.
pub(crate) fn encode(request: &Request) -> String {
    let metrics = list(request.kinds(), |kind| metric(request, kind));
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":{metrics}}}]}}]}}"#)
}

fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    format!("[{}]", items.into_iter().map(text).collect::<Vec<_>>().join(","))
}

fn metric(request: &Request, kind: Kind) -> String {
    let points = list(request.series(kind).flatten(), |row| point(request, row));
    let temporality = format!(r#""aggregationTemporality":{},"#, otlp::temporality(request));
    let (data, more) = match kind {
        Kind::Gauge => ("gauge", String::new()),
        Kind::Counter => ("sum", temporality + r#""isMonotonic":true,"#),
        Kind::Histogram => ("exponentialHistogram", temporality),
    };
    let (name, help) = (otlp::name(request, kind), &request.help);
    format!(r#"{{"name":"{name}","description":"{help}","{data}":{{{more}"dataPoints":{points}}}}}"#)
}

fn point(request: &Request, row: &Row) -> String {
    let attributes = list(request.labels(row.series), |(key, value)| attribute(key, &value));
    let start = row.start_ms.map_or(String::new(), |start_ms| format!(r#""startTimeUnixNano":"{start_ms}000000","#));
    let value = match &row.value {
        Value::Number(value) => match whole(row, *value, request.way.is_delta()) {
            Some(whole) => format!(r#""asInt":"{whole}""#),
            None => format!(r#""asDouble":{value:?}"#),
        },
        Value::Histogram(histogram) => distribution(histogram),
    };
    let exemplars = list(&row.exemplar, |exemplar| {
        let (time_ms, value) = (row.time_ms, exemplar.value);
        let (trace_id, span_id) = (exemplar.trace_id(), exemplar.span_id());
        let own = attribute("draw", &exemplar.draw.to_string());
        format!(
            r#"{{"timeUnixNano":"{time_ms}000000","asDouble":{value:?},"traceId":"{trace_id}","spanId":"{span_id}","filteredAttributes":[{own}]}}"#
        )
    });
    let time = format!(r#""timeUnixNano":"{}000000""#, row.time_ms);
    format!(r#"{{"attributes":{attributes},{start}{time},{value},"exemplars":{exemplars}}}"#)
}

fn distribution(histogram: &Histogram) -> String {
    let side = |buckets: &[(i64, u64)]| {
        let (offset, counts) = dense(buckets);
        format!(r#"{{"offset":{offset},"bucketCounts":{}}}"#, list(counts, |count| format!("\"{count}\"")))
    };
    format!(
        r#""count":"{}","sum":{:?},"scale":{},"zeroCount":"{}","zeroThreshold":{:?},"positive":{},"negative":{}"#,
        histogram.count(),
        histogram.sum,
        histogram.schema,
        histogram.zero,
        histogram.zero_threshold,
        side(&histogram.positive),
        side(&histogram.negative)
    )
}

fn attribute(key: &str, value: &str) -> String {
    format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
}
