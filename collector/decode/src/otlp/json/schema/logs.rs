//! The messages of a request for logs.
//!
//! Source: `opentelemetry/proto/{collector/logs,logs}/v1/*.proto`

use super::Kind::{self, Enum, Fixed, Fixed32, Hex, Text, Unsigned};
use super::{ANY_VALUE, KEY_VALUE, Message, RESOURCE, SCOPE, many, one};

pub(in crate::otlp::json) static REQUEST: Message =
    Message { name: "ExportLogsServiceRequest", fields: &[many(1, "resource_logs", Kind::Message(&RESOURCE_LOGS))] };

static RESOURCE_LOGS: Message = Message {
    name: "ResourceLogs",
    fields: &[
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_logs", Kind::Message(&SCOPE_LOGS)),
        one(3, "schema_url", Text),
    ],
};

static SCOPE_LOGS: Message = Message {
    name: "ScopeLogs",
    fields: &[
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "log_records", Kind::Message(&LOG_RECORD)),
        one(3, "schema_url", Text),
    ],
};

static LOG_RECORD: Message = Message {
    name: "LogRecord",
    fields: &[
        one(1, "time_unix_nano", Fixed),
        one(11, "observed_time_unix_nano", Fixed),
        one(2, "severity_number", SEVERITY),
        one(3, "severity_text", Text),
        one(5, "body", Kind::Message(&ANY_VALUE)),
        many(6, "attributes", Kind::Message(&KEY_VALUE)),
        one(7, "dropped_attributes_count", Unsigned),
        one(8, "flags", Fixed32),
        one(9, "trace_id", Hex),
        one(10, "span_id", Hex),
        one(12, "event_name", Text),
    ],
};

static SEVERITY: Kind = Enum(&[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
]);
