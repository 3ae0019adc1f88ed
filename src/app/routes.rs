//! The routes that are the server's own, and the door to those of the crates.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use collector::{Collectors, Keyring};
use model::{Error, ErrorKind};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;

use super::guard;
use super::health::Health;
use super::metrics::Metrics;
use super::signals::Event;
use crate::telemetry::{self, Requests};

/// The media type of the text exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
/// When to try again while the server starts or stops.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What answers before the store is open, and lets requests through from then on. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct Front {
    health: Health,
    events: mpsc::Sender<Event>,
    requests: Requests,
    readers: Keyring,
    inside: Arc<OnceLock<Inside>>,
}

#[derive(Debug)]
struct Inside {
    router: Router,
    otlp_http: Router,
    otlp_grpc: Router,
    metrics: Metrics,
}

impl Front {
    /// One that lets `readers` read.
    pub(super) fn new(health: Health, events: mpsc::Sender<Event>, requests: Requests, readers: Keyring) -> Self {
        Front { health, events, requests, readers, inside: Arc::default() }
    }

    /// Lets requests through: to the routes of `collectors`, which see themselves to who sends, and to `reads`. Only the
    /// first call has an effect.
    pub(super) fn open(&self, collectors: &Collectors, reads: Router, metrics: Metrics) {
        let guard = middleware::from_fn_with_state(self.readers.clone(), guard::check);
        let counted =
            |router: Router| router.layer(middleware::from_fn_with_state(self.requests.clone(), telemetry::count));
        let router = counted(collectors.routes().merge(reads.fallback(nothing_there).layer(guard)));
        let otlp_http = counted(collectors.otlp_http_routes().fallback(only_otlp));
        let otlp_grpc = counted(collectors.otlp_grpc_routes());
        let _ = self.inside.set(Inside { router, otlp_http, otlp_grpc, metrics });
    }

    /// The router of the listener for OTLP over HTTP alone.
    pub(super) fn otlp_http(&self) -> Router {
        Router::new().fallback(enter_otlp_http).with_state(self.clone())
    }

    /// The router of the listener for OTLP over gRPC.
    pub(super) fn otlp_grpc(&self) -> Router {
        Router::new().fallback(enter_otlp_grpc).with_state(self.clone())
    }

    /// The router of the listener where everything is.
    pub(super) fn router(&self) -> Router {
        let guard = middleware::from_fn_with_state(self.readers.clone(), guard::check);
        let guarded = Router::new().route("/metrics", get(metrics)).route("/-/reload", post(reload)).layer(guard);
        let own = Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readyz));
        let own = own.merge(guarded).layer(middleware::from_fn_with_state(self.requests.clone(), telemetry::count));
        own.fallback(enter).with_state(self.clone())
    }
}

/// Anybody may ask it, so that who is no reader is told in a word: an error of a disk names folders. The log has it whole.
async fn readyz(State(front): State<Front>, headers: HeaderMap) -> Response {
    let of_parts = || {
        let obstacle = front.inside.get()?.metrics.obstacle()?;
        let is_reader = guard::may_read(&front.readers, &headers);
        Some(if is_reader { obstacle.why } else { format!("not ready: {}", obstacle.state) })
    };
    match front.health.obstacle().map(str::to_owned).or_else(of_parts) {
        None => "ready\n".into_response(),
        Some(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], format!("{why}\n")).into_response()
        }
    }
}

async fn metrics(State(front): State<Front>) -> Response {
    let mut text = String::new();
    telemetry::render_process(&mut text);
    match front.inside.get() {
        Some(inside) => inside.metrics.render(&mut text),
        None => front.requests.render(&mut text),
    }
    ([(header::CONTENT_TYPE, EXPOSITION)], text).into_response()
}

async fn reload(State(front): State<Front>) -> Response {
    let (answer, told) = oneshot::channel();
    let stopping = || Error::new(ErrorKind::Unavailable, "the server is stopping");
    if front.events.send(Event::Reload(Some(answer))).await.is_err() {
        return refuse(stopping());
    }
    match told.await.unwrap_or_else(|_| Err(stopping())) {
        Ok(summary) => format!("reloaded: {summary}\n").into_response(),
        Err(error) => refuse(error),
    }
}

async fn enter(State(front): State<Front>, request: Request) -> Response {
    enter_into(&front, |inside| &inside.router, request).await
}

async fn enter_otlp_http(State(front): State<Front>, request: Request) -> Response {
    enter_into(&front, |inside| &inside.otlp_http, request).await
}

async fn enter_otlp_grpc(State(front): State<Front>, request: Request) -> Response {
    enter_into(&front, |inside| &inside.otlp_grpc, request).await
}

async fn enter_into(front: &Front, which: fn(&Inside) -> &Router, request: Request) -> Response {
    match front.inside.get() {
        Some(inside) => which(inside).clone().oneshot(request).await.into_response(),
        None => {
            let why = front.health.obstacle().unwrap_or("starting");
            refuse(Error::new(ErrorKind::Unavailable, why))
        }
    }
}

async fn nothing_there(request: Request) -> Response {
    let path = request.uri().path().chars().take(200).collect::<String>();
    let text = format!(
        "there is nothing at {path:?}: remote write goes to /api/v1/write, OTLP to /v1/metrics, /v1/logs and /v1/traces, log \
         shippers to /loki/api/v1/push and /_bulk, SQL to /api/v1/sql"
    );
    refuse(Error::new(ErrorKind::NotFound, text))
}

/// On the port of OTLP over HTTP, where senders of its further signals come too.
async fn only_otlp(request: Request) -> Response {
    let path = request.uri().path().chars().take(200).collect::<String>();
    let text = format!(
        "there is nothing at {path:?}: metrics are taken here at /v1/metrics, logs at /v1/logs, traces at /v1/traces"
    );
    refuse(Error::new(ErrorKind::NotFound, text))
}

/// The server's own refusals, in the form of the SQL route's.
fn refuse(error: Error) -> Response {
    let retry = error.kind().is_retryable() && error.retry_after().is_none();
    let error = if retry { error.with_retry_after(RETRY_AFTER) } else { error };
    query::Error::from(error).into_response()
}
