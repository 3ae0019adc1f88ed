//! Metrics, logs and traces: where each is sent, and in which words it is spoken of.

use decode::otlp::json::Request;

use crate::receive::identity::Unit;

/// What a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    Metrics,
    Logs,
    Traces,
}

impl Signal {
    /// All of them.
    pub(crate) const ALL: [Signal; 3] = [Signal::Metrics, Signal::Logs, Signal::Traces];

    /// The word in counters.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
            Signal::Traces => "traces",
        }
    }

    /// The [`model::source::SourceId::kind`] of its senders. One that sends several has an entry of each, so that what is wrong
    /// with one does not go under in the success of another.
    pub(super) fn source_kind(self) -> &'static str {
        match self {
            Signal::Metrics => "otlp",
            Signal::Logs => "otlp_logs",
            Signal::Traces => "otlp_traces",
        }
    }

    /// Where it is sent to over HTTP: as OpenTelemetry wants it, and as Prometheus and Loki do. Each of these has a path before
    /// it that senders are configured with, Loki a further one where it is served below its own name.
    pub(super) fn http_paths(self) -> &'static [&'static str] {
        match self {
            Signal::Metrics => &["/v1/metrics", "/api/v1/otlp/v1/metrics"],
            Signal::Logs => &["/v1/logs", "/otlp/v1/logs", "/loki/otlp/v1/logs"],
            Signal::Traces => &["/v1/traces"],
        }
    }

    /// The call that brings it over gRPC.
    pub(super) fn grpc_path(self) -> &'static str {
        match self {
            Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        }
    }

    /// The message that a request is.
    pub(super) fn message(self) -> &'static str {
        match self {
            Signal::Metrics => "ExportMetricsServiceRequest",
            Signal::Logs => "ExportLogsServiceRequest",
            Signal::Traces => "ExportTraceServiceRequest",
        }
    }

    /// The same, for the decoder of JSON.
    pub(super) fn json_request(self) -> Request {
        match self {
            Signal::Metrics => Request::Metrics,
            Signal::Logs => Request::Logs,
            Signal::Traces => Request::Traces,
        }
    }

    /// The field of an answer as JSON that says how many were refused.
    pub(super) fn rejected_field(self) -> &'static str {
        match self {
            Signal::Metrics => "rejectedDataPoints",
            Signal::Logs => "rejectedLogRecords",
            Signal::Traces => "rejectedSpans",
        }
    }

    /// What its senders count, one of them.
    pub(crate) fn item(self) -> &'static str {
        match self {
            Signal::Metrics => "data point",
            Signal::Logs => "log record",
            Signal::Traces => "span",
        }
    }

    /// What it is counted in against the rates of its sender.
    pub(super) fn unit(self) -> Unit {
        match self {
            Signal::Metrics => Unit::Samples,
            Signal::Logs | Signal::Traces => Unit::Rows,
        }
    }
}
