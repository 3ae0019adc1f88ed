//! What we tell of ourselves: logs on standard error, traces to whoever is named, and the metrics of the process.
//!
//! Owns: the log's form, the counters of HTTP answers, the span of each, what the operating system knows of this process.
//! Does not own: the metrics of a crate, which each renders itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use model::Error;
use parking_lot::Mutex;
use tracing::Instrument;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Log, LogFormat, Telemetry};

mod process;
mod traces;

pub use traces::Traces;

/// Begins to log, and to trace if somebody is named to send traces to. Only the first call of a process has an effect.
///
/// # Errors
/// `Invalid` if traces cannot be sent as the settings say.
pub fn start(log: &Log, telemetry: &Telemetry) -> Result<Traces, Error> {
    let traces = Traces::new(telemetry)?;
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // Spans are for traces: a log line is as it was before there were any.
    let filter = filter.and(filter_fn(|of| of.target() != model::TRACE_TARGET));
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let spans = traces.tracer().map(|tracer| {
        let spans = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
        spans.with_filter(filter_fn(|of| of.target() == model::TRACE_TARGET))
    });
    let registry = tracing_subscriber::registry().with(spans);
    // The one error is that a subscriber is there already, as in tests that start two servers.
    let _ = match log.format {
        LogFormat::Text => registry.with(logs.with_ansi(false).with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(logs.json().flatten_event(true).with_filter(filter)).try_init(),
    };
    Ok(traces)
}

/// Counters of answered HTTP requests. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<BTreeMap<(String, u16), Answers>>>);

/// The answers of one route with one status.
#[derive(Debug, Default)]
struct Answers {
    count: u64,
    seconds: f64,
}

impl Requests {
    /// Counts one answer.
    fn answered(&self, route: &str, status: u16, seconds: f64) {
        let mut counters = self.0.lock();
        let answers = counters.entry((route.to_owned(), status)).or_default();
        answers.count += 1;
        answers.seconds += seconds;
    }

    /// Appends the counters in the text exposition format.
    pub fn render(&self, out: &mut String) {
        let counters = self.0.lock();
        let mut family = |name: &str, help: &str, value: fn(&Answers) -> f64| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
            for ((route, status), answers) in counters.iter() {
                let _ = writeln!(out, "{name}{{route=\"{route}\",code=\"{status}\"}} {}", value(answers));
            }
        };
        family("fleetscope_http_requests_total", "Answered requests by route and status.", |a| a.count as f64);
        family("fleetscope_http_request_seconds_total", "Time until the head of the answer.", |a| a.seconds);
    }
}

/// Counts every answer, by the route's pattern and never by the path a client chose.
pub async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let begin = std::time::Instant::now();
    let span = traces::of_request(&request, &route);
    let answer = next.run(request).instrument(span.clone()).await;
    traces::answered(&span, answer.status());
    requests.answered(&route, answer.status().as_u16(), begin.elapsed().as_secs_f64());
    answer
}

/// Appends what is known of the process itself.
pub fn render_process(out: &mut String) {
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(out, "# HELP fleetscope_build_info Always 1, the labels tell the version.");
    let _ = writeln!(out, "# TYPE fleetscope_build_info gauge\nfleetscope_build_info{{version=\"{version}\"}} 1");
    process::render(out);
}

#[cfg(test)]
mod tests;
