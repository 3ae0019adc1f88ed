//! The messages of OTLP logs and traces, encoded by hand.
//!
//! ```text
//! ExportLogsServiceRequest { resource_logs = 1 }          ExportTraceServiceRequest { resource_spans = 1 }
//! ResourceLogs { resource = 1, scope_logs = 2 }           ResourceSpans { resource = 1, scope_spans = 2 }
//! Resource { attributes = 1 }
//! ScopeLogs { log_records = 2 }                           ScopeSpans { spans = 2 }
//! LogRecord { time = 1, severity_number = 2, body = 5: AnyValue, attributes = 6, trace_id = 9, span_id = 10 }
//! Span { trace_id = 1, span_id = 2, name = 5, kind = 6, start = 7, end = 8, attributes = 9 }
//! ```
//!
//! Times are `fixed64` nanoseconds. Source: <https://github.com/open-telemetry/opentelemetry-proto>

use crate::protobuf::{field, fixed, message, number};
use crate::row::Record;
use crate::way::Request;
use crate::way::otlp::{NANOS, encode_attribute};

const SERVER: u64 = 2;
const INFO: u64 = 9;

/// The message.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, |of_resource| {
        message(of_resource, 1, |resource| encode_attribute(resource, 1, "service.name", &request.way.service()));
        message(of_resource, 2, |scope| {
            for record in &request.records {
                message(scope, 2, |bytes| match request.way.has_spans() {
                    true => encode_span(bytes, *record, request.connection),
                    false => encode_log(bytes, *record, request.connection),
                });
            }
        });
    });
    out
}

fn encode_log(out: &mut Vec<u8>, record: Record, connection: u64) {
    fixed(out, 1, (record.time_ms * NANOS) as u64);
    number(out, 2, INFO);
    message(out, 5, |body| field(body, 1, record.line().as_bytes()));
    encode_attribute(out, 6, "connection", &connection.to_string());
    field(out, 9, &record.trace_id(connection).to_be_bytes());
    field(out, 10, &record.number.to_be_bytes());
}

fn encode_span(out: &mut Vec<u8>, record: Record, connection: u64) {
    let start = (record.time_ms * NANOS) as u64;
    field(out, 1, &record.trace_id(connection).to_be_bytes());
    field(out, 2, &record.number.to_be_bytes());
    field(out, 5, record.text().as_bytes());
    number(out, 6, SERVER);
    fixed(out, 7, start);
    fixed(out, 8, start + record.duration_nanos());
    encode_attribute(out, 9, "connection", &connection.to_string());
}
