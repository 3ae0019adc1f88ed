//! Log lines and spans in each form that they may be pushed in, byte for byte: no client would write some of them.
//!
//! JSON has bytes as they are, but for quotes, backslashes and control characters, which it wants escaped.

use chrono::{DateTime, SecondsFormat};

use crate::otlp_json;
use crate::remote_write::{field, varint};

/// How rows are written, and over what they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    OtlpProtobuf,
    OtlpJson,
    /// Protobuf too.
    OtlpGrpc,
    LokiProtobuf,
    LokiJson,
    Bulk,
}

impl Form {
    pub(super) const ALL: [Form; 6] =
        [Form::OtlpProtobuf, Form::OtlpJson, Form::OtlpGrpc, Form::LokiProtobuf, Form::LokiJson, Form::Bulk];
    pub(super) const OTLP: [Form; 3] = [Form::OtlpProtobuf, Form::OtlpJson, Form::OtlpGrpc];

    pub(super) fn word(self) -> &'static str {
        match self {
            Form::OtlpProtobuf => "otlp-protobuf",
            Form::OtlpJson => "otlp-json",
            Form::OtlpGrpc => "otlp-grpc",
            Form::LokiProtobuf => "loki-protobuf",
            Form::LokiJson => "loki-json",
            Form::Bulk => "bulk",
        }
    }
}

/// A log line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// In nanoseconds since the Unix epoch.
    pub(super) time: i64,
    pub(super) body: Vec<u8>,
    pub(super) attributes: Vec<(String, Vec<u8>)>,
}

impl Line {
    pub(super) fn new(time: i64, body: impl Into<Vec<u8>>) -> Self {
        Line { time, body: body.into(), attributes: Vec::new() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }
}

/// A span.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent_span_id: [u8; 8],
    pub(super) name: Vec<u8>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A time as an answer writes it.
pub(super) fn time_text(nanos: i64) -> String {
    DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Lines of a service, before compression and framing.
pub(super) fn lines(form: Form, service: &str, lines: &[Line]) -> Vec<u8> {
    match form {
        Form::OtlpProtobuf | Form::OtlpGrpc => {
            request(service, lines.iter().map(|line| record(line, &any_text(&line.body))))
        }
        Form::OtlpJson => {
            let records = lines.iter().map(|line| {
                let attributes = line.attributes.iter().map(|(name, value)| pair_json(name, value)).collect::<Vec<_>>();
                [
                    format!("{{\"timeUnixNano\":\"{}\",\"body\":{{\"stringValue\":", line.time).as_bytes(),
                    &quoted(&line.body),
                    b"},\"attributes\":[",
                    &attributes.join(&b','),
                    b"]}",
                ]
                .concat()
            });
            request_json(otlp_json::LOGS, service, records)
        }
        Form::LokiProtobuf => loki_protobuf(service, lines),
        Form::LokiJson => loki_json(service, lines),
        Form::Bulk => lines.iter().flat_map(|line| document(service, line)).collect(),
    }
}

/// Spans of a service, before compression and framing.
pub(super) fn spans(form: Form, service: &str, spans: &[Span]) -> Vec<u8> {
    match form {
        Form::OtlpJson => {
            let records = spans.iter().map(|span| {
                let Span { trace_id, span_id, parent_span_id, name, start, end } = span;
                let (trace_id, span_id, parent_span_id) = (hex(trace_id), hex(span_id), hex(parent_span_id));
                let head = format!(
                    "{{\"traceId\":\"{trace_id}\",\"spanId\":\"{span_id}\",\"parentSpanId\":\"{parent_span_id}\",\
                     \"startTimeUnixNano\":\"{start}\",\"endTimeUnixNano\":\"{end}\",\"name\":"
                );
                [head.as_bytes(), &quoted(name), b"}"].concat()
            });
            request_json(otlp_json::SPANS, service, records)
        }
        _ => request(service, spans.iter().map(span_record)),
    }
}

/// Digits of an id.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text of JSON.
pub(super) fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'"');
    // One letter over and over, which would take long byte by byte.
    let bytes = if bytes.first() == Some(&b'x') && bytes[1..] == bytes[..bytes.len() - 1] {
        out.extend_from_slice(bytes);
        b""
    } else {
        bytes
    };
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            0..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
    out
}

// === protobuf of OTLP ===

/// `Export…ServiceRequest { resource_… = 1: { resource = 1: { attributes = 1 }, scope_… = 2: { records = 2 } } }`.
pub(super) fn request(service: &str, records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let (mut resource, mut scope, mut of_resource, mut request) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    field(&mut resource, 1, &pair("service.name", &any_text(service.as_bytes())));
    for record in records {
        field(&mut scope, 2, &record);
    }
    field(&mut of_resource, 1, &resource);
    field(&mut of_resource, 2, &scope);
    field(&mut request, 1, &of_resource);
    request
}

/// `LogRecord { time_unix_nano = 1: fixed64, body = 5: AnyValue, attributes = 6 }`.
pub(super) fn record(line: &Line, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    fixed64(&mut out, 1, line.time as u64);
    field(&mut out, 5, body);
    for (name, value) in &line.attributes {
        field(&mut out, 6, &pair(name, &any_text(value)));
    }
    out
}

fn span_record(span: &Span) -> Vec<u8> {
    let mut out = Vec::new();
    field(&mut out, 1, &span.trace_id);
    field(&mut out, 2, &span.span_id);
    field(&mut out, 4, &span.parent_span_id);
    field(&mut out, 5, &span.name);
    fixed64(&mut out, 7, span.start);
    fixed64(&mut out, 8, span.end);
    out
}

fn fixed64(out: &mut Vec<u8>, number: u8, value: u64) {
    out.push(number << 3 | 1);
    out.extend(value.to_le_bytes());
}

/// `KeyValue { key = 1, value = 2: AnyValue }`.
fn pair(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(&mut out, 1, name.as_bytes());
    field(&mut out, 2, value);
    out
}

/// `AnyValue { string = 1 }`.
pub(super) fn any_text(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(&mut out, 1, text);
    out
}

/// `AnyValue { list = 5: ArrayValue { values = 1: AnyValue { … } } }`, lists within lists. Written from its end, because each
/// length counts what is within.
pub(super) fn any_nested(depth: usize) -> Vec<u8> {
    let mut reversed: Vec<u8> = Vec::new();
    let mut wrap = |number: u8| {
        let mut head = vec![number << 3 | 2];
        varint(&mut head, reversed.len() as u64);
        reversed.extend(head.iter().rev());
    };
    wrap(5);
    for _ in 1..depth {
        wrap(1);
        wrap(5);
    }
    reversed.reverse();
    reversed
}

// === JSON of OTLP ===

fn pair_json(name: &str, value: &[u8]) -> Vec<u8> {
    [b"{\"key\":", &*quoted(name.as_bytes()), b",\"value\":{\"stringValue\":", &quoted(value), b"}}"].concat()
}

fn request_json(fields: [&str; 3], service: &str, records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let [resources, scopes, name] = fields;
    let attribute = pair_json("service.name", service.as_bytes());
    [
        format!("{{\"{resources}\":[{{\"resource\":{{\"attributes\":[").as_bytes(),
        &attribute,
        format!("]}},\"{scopes}\":[{{\"{name}\":[").as_bytes(),
        &records.collect::<Vec<_>>().join(&b','),
        b"]}]}]}",
    ]
    .concat()
}

// === Loki ===

/// `PushRequest { streams = 1: { labels = 1, entries = 2: { timestamp = 1: { seconds = 1, nanos = 2 }, line = 2,
/// structuredMetadata = 3: { name = 1, value = 2 } } } }`.
fn loki_protobuf(service: &str, lines: &[Line]) -> Vec<u8> {
    let (mut stream, mut request) = (Vec::new(), Vec::new());
    field(&mut stream, 1, format!("{{service_name=\"{service}\"}}").as_bytes());
    for line in lines {
        let (mut time, mut entry) = (vec![1 << 3], Vec::new());
        varint(&mut time, line.time.div_euclid(1_000_000_000) as u64);
        time.push(2 << 3);
        varint(&mut time, line.time.rem_euclid(1_000_000_000) as u64);
        field(&mut entry, 1, &time);
        field(&mut entry, 2, &line.body);
        for (name, value) in &line.attributes {
            let mut metadata = Vec::new();
            field(&mut metadata, 1, name.as_bytes());
            field(&mut metadata, 2, value);
            field(&mut entry, 3, &metadata);
        }
        field(&mut stream, 2, &entry);
    }
    field(&mut request, 1, &stream);
    request
}

/// Names and values behind each other, as an object has them.
fn members(pairs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let members = pairs.iter().map(|(name, value)| [&*quoted(name.as_bytes()), b":", &quoted(value)].concat());
    members.collect::<Vec<_>>().join(&b',')
}

fn loki_json(service: &str, lines: &[Line]) -> Vec<u8> {
    let entries = lines.iter().map(|line| {
        let head = format!("[\"{}\",", line.time);
        [head.as_bytes(), &quoted(&line.body), b",{", &members(&line.attributes), b"}]"].concat()
    });
    [
        format!("{{\"streams\":[{{\"stream\":{{\"service_name\":\"{service}\"}},\"values\":[").as_bytes(),
        &entries.collect::<Vec<_>>().join(&b','),
        b"]}]}",
    ]
    .concat()
}

// === Elasticsearch ===

/// An action and its document.
fn document(service: &str, line: &Line) -> Vec<u8> {
    let head = format!(
        "{{\"create\":{{}}}}\n{{\"@timestamp\":\"{}\",\"service.name\":\"{service}\",\"message\":",
        time_text(line.time)
    );
    let comma: &[u8] = if line.attributes.is_empty() { b"" } else { b"," };
    [head.as_bytes(), &quoted(&line.body), comma, &members(&line.attributes), b"}\n"].concat()
}
