//! Traces of our own work: requests, queries and cuts, over OTLP.
//!
//! Owns: who is sent what, which requests have a span.
//! Does not own: the spans of queries and cuts (`query`, `storage`), batching and sending (`opentelemetry_sdk`).
//!
//! Whoever receives our traces may be ourselves, or send us his own: a request that brings traces has no span, so that no trace
//! ever makes another.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use model::{Error, ErrorKind};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::config::Telemetry;

/// Sends traces until it is told to end.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends to whom the settings name; to nobody if they name none.
    ///
    /// # Errors
    /// `Invalid` if the address is none, or the file of the token cannot be read.
    pub(super) fn new(telemetry: &Telemetry) -> Result<Self, Error> {
        let Some(endpoint) = &telemetry.otlp_endpoint else { return Ok(Traces(None)) };
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_metadata(metadata(telemetry)?);
        let exporter = exporter.build().map_err(|error| {
            let what = format!("telemetry.otlp_endpoint {endpoint:?} cannot be sent to");
            Error::new(ErrorKind::Invalid, what).with_source(error)
        })?;
        let resource = Resource::builder_empty()
            .with_service_name("fleetscope")
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Traces(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())))
    }

    pub(super) fn tracer(&self) -> Option<SdkTracer> {
        self.0.as_ref().map(|provider| provider.tracer("fleetscope"))
    }

    /// Sends what is left, and ends.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // It waits for its own thread.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::debug!("the last traces of ourselves were not sent");
        }
    }
}

fn metadata(telemetry: &Telemetry) -> Result<MetadataMap, Error> {
    let mut metadata = MetadataMap::new();
    if let Some(path) = &telemetry.token_file {
        let what = |problem: &str| format!("telemetry.token_file {} {problem}", path.display());
        let token = std::fs::read_to_string(path)
            .map_err(|error| Error::new(ErrorKind::Invalid, what("cannot be read")).with_source(error))?;
        let value = format!("Bearer {}", token.trim()).parse();
        let value = value.map_err(|_| Error::new(ErrorKind::Invalid, what("holds no token")))?;
        metadata.insert("authorization", value);
    }
    Ok(metadata)
}

/// The span of a request, a child of the one that its sender names; none for a request that brings traces.
pub(super) fn of_request(request: &Request, route: &str) -> Span {
    let path = request.uri().path();
    if path.ends_with("/v1/traces") || path.ends_with("TraceService/Export") {
        return Span::none();
    }
    let span = tracing::info_span!(
        target: model::TRACE_TARGET,
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
        // The one error is that nobody traces.
        let _ = span.set_parent(parent);
    }
    span
}

/// Notes how a request was answered.
pub(super) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|key| key.as_str()).collect()
    }
}
