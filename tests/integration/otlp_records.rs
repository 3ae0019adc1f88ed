//! OpenTelemetry's own senders of spans and log records beside the binary: what they send is read back over SQL, field by field,
//! out of memory and, once the server was started again, out of Parquet.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tempfile::tempdir;

use crate::access::{Secret, clusters};
use crate::peers::python;
use crate::remote_write::now_ms;
use crate::server::{Server, Setup};

#[tokio::test]
async fn spans_and_log_records_of_the_python_sdk_are_read_back_field_by_field() {
    let folder = tempdir().unwrap();
    let names = ["grpc", "http/protobuf", "http/json"];
    let (yaml, secrets) = clusters(names.map(|name| name.replace('/', "-")));
    let setup = Setup::new(folder.path(), &yaml).with_otlp();
    let server = Server::start(&setup).await;
    let (grpc, http) = (server.beside("OTLP over gRPC").await, server.beside("OTLP over HTTP").await);
    let (seed, kept) = (now_ms().to_string(), folder.path().join("rows.json").to_string_lossy().into_owned());
    println!("seed {seed}");
    for ((protocol, address), (cluster, secret)) in names.into_iter().zip([grpc, http, http]).zip(&secrets) {
        let (url, address) = (server.url(""), address.to_string());
        let arguments = [&url, cluster, protocol, &address, &secret.token, &seed, &kept];
        let verdict: serde_json::Value = serde_json::from_str(&python("compare_otlp_records.py", &arguments)).unwrap();
        assert_eq!(verdict, json!({"spans": 120, "logs": 120}), "{protocol}");
    }
    server.terminate().await;
    let server = Server::start(&setup).await;
    assert_eq!(python("compare_again.py", &[&server.url(""), &kept]), "720 rows\n");
    server.terminate().await;
}

/// The exporters of one protocol.
struct Exporters {
    spans: SpanExporter,
    logs: LogExporter,
}

impl Exporters {
    fn over_grpc(address: SocketAddr, token: &str) -> Self {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let endpoint = format!("http://{address}");
        let spans = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).with_metadata(headers.clone());
        let logs = LogExporter::builder().with_tonic().with_endpoint(&endpoint).with_metadata(headers);
        Exporters { spans: spans.build().unwrap(), logs: logs.build().unwrap() }
    }

    fn over_http(address: SocketAddr, token: &str) -> Self {
        let headers = HashMap::from([("authorization".to_owned(), format!("Bearer {token}"))]);
        let endpoint = |signal| format!("http://{address}/v1/{signal}");
        let spans = SpanExporter::builder().with_http().with_endpoint(endpoint("traces")).with_headers(headers.clone());
        let logs = LogExporter::builder().with_http().with_endpoint(endpoint("logs")).with_headers(headers);
        Exporters { spans: spans.build().unwrap(), logs: logs.build().unwrap() }
    }
}

/// Times of one test: a number of nanoseconds after its begin, which has digits down to the last.
#[derive(Clone, Copy)]
struct Begin(u64);

impl Begin {
    fn at(self, nanos: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.0 + nanos)
    }

    /// The same as an answer writes it.
    fn text(self, nanos: u64) -> String {
        let nanos = i64::try_from(self.0 + nanos).unwrap();
        DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(SecondsFormat::Nanos, true)
    }
}

fn resource() -> Resource {
    let attributes = [KeyValue::new("k8s.pod.name", "till-1"), KeyValue::new("floor", 2), KeyValue::new("load", 0.25)];
    Resource::builder_empty().with_service_name("till").with_attributes(attributes).build()
}

fn scope() -> InstrumentationScope {
    let attributes = [KeyValue::new("team", "käse")];
    InstrumentationScope::builder("sender").with_version("1.2").with_attributes(attributes).build()
}

/// The columns that all rows have.
fn shared(cluster: &str) -> serde_json::Value {
    json!({
        "cluster": cluster, "service": "till", "namespace": "", "pod": "till-1", "container": "", "node": "",
        "scope_name": "sender", "scope_version": "1.2",
        "resource": {"service.name": "till", "k8s.pod.name": "till-1", "floor": "2", "load": "0.25"},
    })
}

/// The one with the columns of the other too.
fn with(mut row: serde_json::Value, columns: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(columns) = columns else { panic!("{columns}") };
    row.as_object_mut().unwrap().extend(columns);
    row
}

/// Flags of a span that is sampled and whose parent is known to be in another process, or in this one.
const SAMPLED_ELSEWHERE: u32 = 0x301;
const SAMPLED_HERE: u32 = 0x101;

/// Spans of each kind, one the parent of the next, the first that of one elsewhere; their rows.
fn record_spans(exporter: SpanExporter, cluster: &str, begin: Begin) -> Vec<serde_json::Value> {
    let provider = SdkTracerProvider::builder().with_resource(resource()).with_simple_exporter(exporter).build();
    let tracer = provider.tracer_with_scope(scope());
    let state = TraceState::from_key_value([("vendor", "a1"), ("other", "b")]).unwrap();
    let trace_id = TraceId::from(u128::from(begin.0) << 64 | 7);
    let remote = SpanContext::new(trace_id, SpanId::from(9), TraceFlags::SAMPLED, true, state);
    let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let statuses = [Status::error("no \"money\""), Status::Ok, Status::Unset];
    let words = ["internal", "server", "client", "producer", "consumer"];
    let (mut parent, mut rows) = (remote.clone(), Vec::new());
    for (place, (kind, word)) in kinds.into_iter().zip(words).enumerate() {
        let tags = Array::String(vec![StringValue::from("a"), StringValue::from("日本語")]);
        let attributes = [
            KeyValue::new("paid", true),
            KeyValue::new("sum", i64::MAX),
            KeyValue::new("share", 1.0 / 3.0),
            KeyValue::new("tags", Value::Array(tags)),
            KeyValue::new("sizes", Value::Array(Array::F64(vec![0.5, 2.0]))),
        ];
        let start = 1000 * place as u64;
        let builder = tracer
            .span_builder(format!("pay {place}"))
            .with_kind(kind)
            .with_start_time(begin.at(start))
            .with_attributes(attributes)
            .with_links(vec![Link::new(remote.clone(), vec![KeyValue::new("n", 1)], 0)]);
        let mut span = tracer.build_with_context(builder, &Context::new().with_remote_span_context(parent.clone()));
        span.add_event_with_timestamp("declined", begin.at(start + 1), vec![KeyValue::new("code", 51)]);
        let status = &statuses[place % statuses.len()];
        span.set_status(status.clone());
        span.end_with_timestamp(begin.at(start + 70));
        let (status, message) = match status {
            Status::Unset => ("unset", ""),
            Status::Ok => ("ok", ""),
            Status::Error { description } => ("error", &**description),
        };
        let own = json!({
            "ts": begin.text(start), "duration_nano": 70, "name": format!("pay {place}"), "kind": word,
            "status": status, "status_message": message, "trace_state": "vendor=a1,other=b",
            "flags": if place == 0 { SAMPLED_ELSEWHERE } else { SAMPLED_HERE },
            "trace_id": trace_id.to_string(), "span_id": span.span_context().span_id().to_string(),
            "parent_span_id": parent.span_id().to_string(),
            "attributes": {
                "paid": "true", "sum": i64::MAX.to_string(), "share": (1.0_f64 / 3.0).to_string(),
                "tags": "[\"a\",\"日本語\"]", "sizes": "[0.5,2]", "otel.scope.team": "käse",
            },
            "events": [{"ts": begin.text(start + 1), "name": "declined", "attributes": {"code": "51"}}],
            "links": [{
                "trace_id": trace_id.to_string(), "span_id": remote.span_id().to_string(),
                "trace_state": "vendor=a1,other=b", "attributes": {"n": "1"},
            }],
        });
        rows.push(with(shared(cluster), own));
        parent = span.span_context().clone();
    }
    provider.shutdown().unwrap();
    rows
}

/// Log records with a body of each type; their rows.
fn emit_logs(exporter: LogExporter, cluster: &str, begin: Begin) -> Vec<serde_json::Value> {
    let provider = SdkLoggerProvider::builder().with_resource(resource()).with_simple_exporter(exporter).build();
    let logger = provider.logger_with_scope(scope());
    let list: AnyValue = [AnyValue::from(1), AnyValue::from("zwei")].into_iter().collect();
    let map: AnyValue = [("b", list.clone()), ("a", AnyValue::from(0.5))].into_iter().collect();
    let bodies = [
        (AnyValue::from("a line\0 of \u{1b}[31mred\n"), "a line\0 of \u{1b}[31mred\n"),
        (AnyValue::from(i64::MIN), "-9223372036854775808"),
        (AnyValue::from(2.5), "2.5"),
        (AnyValue::from(false), "false"),
        (AnyValue::from(&[0_u8, 255][..]), "AP8="),
        (list, "[1,\"zwei\"]"),
        (map.clone(), "{\"a\":0.5,\"b\":[1,\"zwei\"]}"),
    ];
    let mut rows = Vec::new();
    for (place, (body, text)) in bodies.into_iter().enumerate() {
        let (nanos, trace_id, span_id) = (1000 * place as u64, TraceId::from(1 + place as u128), SpanId::from(77));
        let mut record = logger.create_log_record();
        record.set_timestamp(begin.at(nanos));
        record.set_observed_timestamp(begin.at(nanos + 5));
        record.set_severity_number(Severity::Warn2);
        record.set_severity_text("WARNING");
        record.set_event_name("till.closed");
        record.set_body(body);
        record.add_attribute("map", map.clone());
        record.add_attribute("drawer", 3);
        record.set_trace_context(trace_id, span_id, Some(TraceFlags::SAMPLED));
        // The last one is of another target, which is its scope's name.
        let target = if place == 6 { "elsewhere" } else { "sender" };
        record.set_target(target);
        logger.emit(record);
        let own = json!({
            "ts": begin.text(nanos), "observed_ts": begin.text(nanos + 5), "body": text, "severity_number": 14,
            "severity_text": "WARNING", "flags": 1, "scope_name": target,
            "trace_id": trace_id.to_string(), "span_id": span_id.to_string(),
            "attributes": {
                "map": "{\"a\":0.5,\"b\":[1,\"zwei\"]}", "drawer": "3", "event.name": "till.closed",
                "otel.scope.team": "käse",
            },
        });
        rows.push(with(shared(cluster), own));
    }
    provider.shutdown().unwrap();
    rows
}

/// All rows of a table that a cluster has, by their time.
async fn all_rows(server: &Server, table: &str, cluster: &str) -> Vec<serde_json::Value> {
    server.objects(&format!("SELECT * FROM {table} WHERE cluster = '{cluster}' ORDER BY ts")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_log_records_of_the_rust_exporters_are_read_back_field_by_field() {
    let folder = tempdir().unwrap();
    let (yaml, secrets) = clusters(["grpc", "http"].map(str::to_owned));
    let setup = Setup::new(folder.path(), &yaml).with_otlp();
    let server = Server::start(&setup).await;
    let begin = Begin(now_ms() as u64 * 1_000_000 + 123_789);
    let (grpc, http) = (server.beside("OTLP over gRPC").await, server.beside("OTLP over HTTP").await);
    let mut sent = Vec::new();
    for (cluster, Secret { token, .. }) in &secrets {
        let Exporters { spans, logs } =
            if cluster == "grpc" { Exporters::over_grpc(grpc, token) } else { Exporters::over_http(http, token) };
        // They wait for their answers on this thread, and others do the calls.
        let rows = tokio::task::block_in_place(|| {
            [("spans", record_spans(spans, cluster, begin)), ("logs", emit_logs(logs, cluster, begin))]
        });
        sent.extend(rows.map(|(table, rows)| (table, cluster, rows)));
    }
    for (table, cluster, rows) in &sent {
        assert_eq!(&all_rows(&server, table, cluster).await, rows, "{table} of {cluster}");
    }
    server.terminate().await;
    let server = Server::start(&setup).await;
    for (table, cluster, rows) in &sent {
        assert_eq!(&all_rows(&server, table, cluster).await, rows, "{table} of {cluster} after a restart");
    }
    server.terminate().await;
}
