//! The messages of a request for traces.
//!
//! Source: `opentelemetry/proto/{collector/trace,trace}/v1/*.proto`

use super::Kind::{self, Enum, Fixed, Fixed32, Hex, Text, Unsigned};
use super::{KEY_VALUE, Message, RESOURCE, SCOPE, many, one};

pub(in crate::otlp::json) static REQUEST: Message =
    Message { name: "ExportTraceServiceRequest", fields: &[many(1, "resource_spans", Kind::Message(&RESOURCE_SPANS))] };

static RESOURCE_SPANS: Message = Message {
    name: "ResourceSpans",
    fields: &[
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_spans", Kind::Message(&SCOPE_SPANS)),
        one(3, "schema_url", Text),
    ],
};

static SCOPE_SPANS: Message = Message {
    name: "ScopeSpans",
    fields: &[
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "spans", Kind::Message(&SPAN)),
        one(3, "schema_url", Text),
    ],
};

static SPAN: Message = Message {
    name: "Span",
    fields: &[
        one(1, "trace_id", Hex),
        one(2, "span_id", Hex),
        one(3, "trace_state", Text),
        one(4, "parent_span_id", Hex),
        one(16, "flags", Fixed32),
        one(5, "name", Text),
        one(6, "kind", SPAN_KIND),
        one(7, "start_time_unix_nano", Fixed),
        one(8, "end_time_unix_nano", Fixed),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "dropped_attributes_count", Unsigned),
        many(11, "events", Kind::Message(&EVENT)),
        one(12, "dropped_events_count", Unsigned),
        many(13, "links", Kind::Message(&LINK)),
        one(14, "dropped_links_count", Unsigned),
        one(15, "status", Kind::Message(&STATUS)),
    ],
};

static SPAN_KIND: Kind = Enum(&[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
]);

static EVENT: Message = Message {
    name: "Event",
    fields: &[
        one(1, "time_unix_nano", Fixed),
        one(2, "name", Text),
        many(3, "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", Unsigned),
    ],
};

static LINK: Message = Message {
    name: "Link",
    fields: &[
        one(1, "trace_id", Hex),
        one(2, "span_id", Hex),
        one(3, "trace_state", Text),
        many(4, "attributes", Kind::Message(&KEY_VALUE)),
        one(5, "dropped_attributes_count", Unsigned),
        one(6, "flags", Fixed32),
    ],
};

static STATUS: Message = Message { name: "Status", fields: &[one(2, "message", Text), one(3, "code", STATUS_CODE)] };

static STATUS_CODE: Kind = Enum(&["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"]);
