//! The forms in which lines of logs are pushed, each written by hand from its definition.

use chrono::{DateTime, SecondsFormat};
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use super::line::Line;
use super::{OF_POD, OF_REQUEST, Origin, Rows, fixed64, of_resource};
use crate::wire::{field, varint};

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    OtlpProtobuf,
    OtlpJson,
    LokiProtobuf,
    LokiJson,
    Elasticsearch,
}

impl Way {
    pub(crate) const ALL: [Way; 5] =
        [Way::OtlpProtobuf, Way::LokiProtobuf, Way::OtlpJson, Way::LokiJson, Way::Elasticsearch];

    /// What it is called, in tables and in settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::OtlpProtobuf => "OTLP protobuf",
            Way::OtlpJson => "OTLP JSON",
            Way::LokiProtobuf => "Loki protobuf",
            Way::LokiJson => "Loki JSON",
            Way::Elasticsearch => "Elasticsearch bulk",
        }
    }

    /// Megabytes of raw lines a CPU-second that it is to be taken in at least.
    pub(crate) fn asked(self) -> f64 {
        if matches!(self, Way::OtlpProtobuf | Way::LokiProtobuf) { 90.0 } else { 60.0 }
    }

    /// Where our server takes it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Way::OtlpProtobuf | Way::OtlpJson => "/v1/logs",
            Way::LokiProtobuf | Way::LokiJson => "/loki/api/v1/push",
            Way::Elasticsearch => "/elasticsearch/_bulk",
        }
    }

    /// A push of a body to any URL.
    pub(crate) fn request(self, client: &Client, url: &str, body: Vec<u8>) -> RequestBuilder {
        let kind = match self {
            Way::OtlpProtobuf | Way::LokiProtobuf => "application/x-protobuf",
            Way::OtlpJson | Way::LokiJson => "application/json",
            Way::Elasticsearch => "application/x-ndjson",
        };
        client.post(url).header("content-type", kind).body(body)
    }

    /// The body with these lines, and how many bytes they are as raw lines.
    pub(crate) fn body(self, rows: &Rows) -> Result<(Vec<u8>, usize), snap::Error> {
        let mut body = Body { out: Vec::with_capacity(OF_REQUEST * 512), ..Body::default() };
        for (from, origin) in rows.runs() {
            let lines: Vec<Line> = (from..from + OF_POD).map(|row| Line::new(row, rows.time_of(row))).collect();
            body.raw_bytes += lines.iter().map(|line| line.raw_bytes(&origin)).sum::<usize>();
            match self {
                Way::OtlpProtobuf => body.otlp_protobuf(&origin, &lines),
                Way::OtlpJson => body.otlp_json(&origin, &lines),
                Way::LokiProtobuf => body.loki_protobuf(&origin, &lines),
                Way::LokiJson => body.loki_json(&origin, &lines),
                Way::Elasticsearch => body.elasticsearch(&origin, &lines),
            }
        }
        let raw_bytes = body.raw_bytes;
        Ok((body.finish(self)?, raw_bytes))
    }
}

/// A body in the making.
#[derive(Debug, Default)]
struct Body {
    out: Vec<u8>,
    /// Of the forms in JSON, what stands between the commas.
    parts: Vec<String>,
    raw_bytes: usize,
}

impl Body {
    /// `LogRecord{time_unix_nano=1, severity_number=2, severity_text=3, body=5, trace_id=9, span_id=10,
    /// observed_time_unix_nano=11}`.
    fn otlp_protobuf(&mut self, origin: &Origin, lines: &[Line]) {
        let (mut records, mut record, mut any) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            record.clear();
            any.clear();
            fixed64(&mut record, 1, line.time_unix_nano);
            record.extend_from_slice(&[2 << 3, line.severity.0]);
            field(&mut record, 3, line.severity.1.as_bytes());
            field(&mut any, 1, line.body.as_bytes());
            field(&mut record, 5, &any);
            field(&mut record, 9, &line.trace_id);
            field(&mut record, 10, &line.span_id);
            fixed64(&mut record, 11, line.time_unix_nano);
            field(&mut records, 2, &record);
        }
        of_resource(&mut self.out, origin, &records);
    }

    fn otlp_json(&mut self, origin: &Origin, lines: &[Line]) {
        let attribute = |(key, value): (&str, &str)| json!({ "key": key, "value": { "stringValue": value } });
        let record = |line: &Line| {
            json!({
                "timeUnixNano": line.time_unix_nano.to_string(),
                "observedTimeUnixNano": line.time_unix_nano.to_string(),
                "severityNumber": line.severity.0,
                "severityText": line.severity.1,
                "body": { "stringValue": line.body },
                "traceId": line.trace(),
                "spanId": line.span(),
            })
        };
        let attributes: Vec<_> = origin.attributes().into_iter().map(attribute).collect();
        let records: Vec<_> = lines.iter().map(record).collect();
        let of_resource = json!({
            "resource": { "attributes": attributes },
            "scopeLogs": [{ "scope": {}, "logRecords": records }],
        });
        self.parts.push(of_resource.to_string());
    }

    /// `PushRequest{streams=1}`, `Stream{labels=1, entries=2}`, `Entry{timestamp=1, line=2, structured_metadata=3}`,
    /// `Timestamp{seconds=1, nanos=2}`, `LabelPair{name=1, value=2}`.
    fn loki_protobuf(&mut self, origin: &Origin, lines: &[Line]) {
        let (mut stream, mut entry, mut part, mut pair) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let labels: Vec<String> = labels(origin).map(|(name, value)| format!("{name}={value:?}")).to_vec();
        field(&mut stream, 1, format!("{{{}}}", labels.join(", ")).as_bytes());
        for line in lines {
            entry.clear();
            part.clear();
            part.push(1 << 3);
            varint(&mut part, (line.time_unix_nano / 1_000_000_000) as u64);
            part.push(2 << 3);
            varint(&mut part, (line.time_unix_nano % 1_000_000_000) as u64);
            field(&mut entry, 1, &part);
            field(&mut entry, 2, line.body.as_bytes());
            for (name, value) in metadata(line) {
                pair.clear();
                field(&mut pair, 1, name.as_bytes());
                field(&mut pair, 2, value.as_bytes());
                field(&mut entry, 3, &pair);
            }
            field(&mut stream, 2, &entry);
        }
        field(&mut self.out, 1, &stream);
    }

    fn loki_json(&mut self, origin: &Origin, lines: &[Line]) {
        let entry = |line: &Line| {
            let metadata: serde_json::Map<_, _> =
                metadata(line).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            json!([line.time_unix_nano.to_string(), line.body, metadata])
        };
        let labels: serde_json::Map<_, _> =
            labels(origin).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let values: Vec<_> = lines.iter().map(entry).collect();
        self.parts.push(json!({ "stream": labels, "values": values }).to_string());
    }

    fn elasticsearch(&mut self, origin: &Origin, lines: &[Line]) {
        for line in lines {
            let document = json!({
                "@timestamp": DateTime::from_timestamp_nanos(line.time_unix_nano).to_rfc3339_opts(SecondsFormat::Nanos, true),
                "log.level": line.severity.1,
                "message": line.body,
                "trace.id": line.trace(),
                "span.id": line.span(),
                "orchestrator.cluster.name": origin.cluster,
                "service.name": origin.service,
                "kubernetes.namespace": origin.namespace,
                "kubernetes.pod.name": origin.pod,
                "kubernetes.container.name": "main",
                "kubernetes.node.name": origin.node,
            });
            self.out.extend_from_slice(b"{\"create\":{\"_index\":\"logs\"}}\n");
            self.out.extend_from_slice(document.to_string().as_bytes());
            self.out.push(b'\n');
        }
    }

    fn finish(self, way: Way) -> Result<Vec<u8>, snap::Error> {
        match way {
            Way::LokiProtobuf => snap::raw::Encoder::new().compress_vec(&self.out),
            Way::OtlpJson => Ok(format!("{{\"resourceLogs\":[{}]}}", self.parts.join(",")).into_bytes()),
            Way::LokiJson => Ok(format!("{{\"streams\":[{}]}}", self.parts.join(",")).into_bytes()),
            Way::OtlpProtobuf | Way::Elasticsearch => Ok(self.out),
        }
    }
}

/// The labels of a stream, as Alloy names them.
fn labels(origin: &Origin) -> [(&str, &str); 6] {
    [
        ("cluster", origin.cluster),
        ("container", "main"),
        ("namespace", &origin.namespace),
        ("node", &origin.node),
        ("pod", &origin.pod),
        ("service_name", &origin.service),
    ]
}

fn metadata(line: &Line) -> [(&'static str, String); 3] {
    [("level", line.severity.1.to_owned()), ("trace_id", line.trace()), ("span_id", line.span())]
}
