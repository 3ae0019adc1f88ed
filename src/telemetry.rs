//! What we tell of ourselves: logs on standard error, and the metrics of the process.
//!
//! Owns: the log's form, the counters of HTTP answers, what the operating system knows of this process.
//! Does not own: the metrics of a crate, which each renders itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

mod process;

/// Begins to log. Only the first call of a process has an effect.
pub fn log_to_stderr(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // The one error is that a subscriber is there already, as in tests that start two servers.
    let _ = match log.format {
        LogFormat::Text => logs.with_ansi(false).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
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
    let answer = next.run(request).await;
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
