//! Reads what a fleet emits: spans and lines, each with the cluster and the resource that it is of.

use std::collections::HashMap;
use std::sync::Arc;

use fleet::{Fleet, Telemetry};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::reading::MINUTE_MS;

/// Of a span or a line, with where it is from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Emitted<T> {
    pub(crate) cluster: Arc<str>,
    pub(crate) resource: Arc<Resource>,
    pub(crate) of: T,
}

impl<T> Emitted<T> {
    /// An attribute of its resource; empty if there is none.
    pub(crate) fn from(&self, key: &str) -> String {
        text(&self.resource.attributes, key)
    }
}

/// What a fleet emits in an interval.
pub(crate) fn emitted(fleet: &Fleet, from_ms: i64, to_ms: i64) -> (Vec<Emitted<Span>>, Vec<Emitted<LogRecord>>) {
    let (mut spans, mut lines) = (Vec::new(), Vec::new());
    for Telemetry { cluster, traces, logs } in fleet.traffic().between(from_ms, to_ms).unwrap() {
        let cluster: Arc<str> = cluster.into();
        for of_resource in traces.resource_spans {
            let resource = Arc::new(of_resource.resource.unwrap());
            let all = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
            spans.extend(all.map(|of| Emitted { cluster: cluster.clone(), resource: resource.clone(), of }));
        }
        for of_resource in logs.resource_logs {
            let resource = Arc::new(of_resource.resource.unwrap());
            let all = of_resource.scope_logs.into_iter().flat_map(|of_scope| of_scope.log_records);
            lines.extend(all.map(|of| Emitted { cluster: cluster.clone(), resource: resource.clone(), of }));
        }
    }
    (spans, lines)
}

/// The spans of an interval that `keep` keeps, which may take from them what is not needed: a few minutes of a busy fleet are a
/// gigabyte.
pub(crate) fn kept(
    fleet: &Fleet,
    from_ms: i64,
    to_ms: i64,
    keep: impl Fn(&mut Emitted<Span>) -> bool,
) -> Vec<Emitted<Span>> {
    let mut all = Vec::new();
    for start_ms in (from_ms..to_ms).step_by(MINUTE_MS as usize) {
        let (mut spans, _) = emitted(fleet, start_ms, to_ms.min(start_ms + MINUTE_MS));
        spans.retain_mut(&keep);
        all.append(&mut spans);
    }
    all
}

/// Spans by trace and identifier, none of which comes twice.
pub(crate) fn by_id(spans: &[Emitted<Span>]) -> HashMap<(&[u8], &[u8]), &Emitted<Span>> {
    let all: HashMap<_, _> = spans.iter().map(|span| ((&span.of.trace_id[..], &span.of.span_id[..]), span)).collect();
    assert_eq!(all.len(), spans.len(), "a span comes twice");
    all
}

/// An attribute as text; empty if there is none.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => panic!("{key} is {other:?}"),
        None => String::new(),
    }
}

/// The text of a line.
pub(crate) fn body(line: &LogRecord) -> &str {
    match line.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("a line without a text: {other:?}"),
    }
}

/// How long a span took, in seconds.
pub(crate) fn seconds(span: &Span) -> f64 {
    (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e9
}
