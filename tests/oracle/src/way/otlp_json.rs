//! OTLP over HTTP, as JSON, written by hand: whole numbers of 64 bits are texts there, ids hexadecimal digits.

use std::io;

use super::otlp::{self, NANOS, dense, whole};
use crate::http::Connection;
use crate::log::Answer;
use crate::row::{Histogram, Kind, Row, Value};
use crate::way::Request;

const HEADERS: &str = "content-type: application/json\r\n";

fn path(request: &Request) -> &'static str {
    if request.way.has_spans() { "/v1/traces" } else { "/v1/metrics" }
}

/// Sends a request, and waits for nothing.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<()> {
    connection.send(path(request), HEADERS, encode(request).as_bytes())
}

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post(path(request), HEADERS, encode(request).as_bytes())?;
    if !reply.is_success() {
        return Ok(Answer::Refused(reply.status));
    }
    let text = String::from_utf8_lossy(&reply.body);
    let field = if request.way.has_spans() { "\"rejectedSpans\":\"" } else { "\"rejectedDataPoints\":\"" };
    let rejected = text.split_once(field).and_then(|(_, rest)| rest.split_once('"'));
    match rejected.map_or(Ok(0), |(number, _)| number.parse::<u64>()) {
        Ok(0) => Ok(Answer::Acknowledged),
        Ok(rejected) => Ok(Answer::Partial(request.size().saturating_sub(rejected))),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("odd answer: {text}"))),
    }
}

/// The message.
pub(crate) fn encode(request: &Request) -> String {
    if request.way.has_spans() {
        return spans(request);
    }
    let metrics = list(request.kinds(), |kind| metric(request, kind));
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":{metrics}}}]}}]}}"#)
}

fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    format!("[{}]", items.into_iter().map(text).collect::<Vec<_>>().join(","))
}

/// The message of traces.
fn spans(request: &Request) -> String {
    let service = attribute("service.name", &request.way.service());
    let own = attribute("connection", &request.connection.to_string());
    let spans = list(&request.records, |record| {
        let (start, end) = (record.time_ms * NANOS, record.time_ms * NANOS + record.duration_nanos() as i64);
        let (name, trace) = (record.text(), record.trace_id(request.connection));
        format!(
            r#"{{"traceId":"{trace:032x}","spanId":"{name}","name":"{name}","kind":2,"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","attributes":[{own}]}}"#
        )
    });
    let scope = format!(r#"[{{"spans":{spans}}}]"#);
    format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":[{service}]}},"scopeSpans":{scope}}}]}}"#)
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
