//! Lines of logs: a request that was served, as a service of Kubernetes writes it, with the ids of its trace and span.

use super::{Origin, hex, mixed, span_id, trace_id};

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const PATHS: [&str; 6] = ["/api/v1/items", "/api/v1/orders", "/cart", "/checkout", "/login", "/healthz"];
const STATUSES: [u16; 5] = [200, 200, 200, 404, 500];
const LEVELS: [(u8, &str); 10] = [
    (9, "INFO"),
    (9, "INFO"),
    (9, "INFO"),
    (9, "INFO"),
    (9, "INFO"),
    (9, "INFO"),
    (5, "DEBUG"),
    (5, "DEBUG"),
    (13, "WARN"),
    (17, "ERROR"),
];
const USERS: u64 = 50_000;
/// From a line with [`RARE_WORD`] to the next.
const RARE_EVERY: usize = 2_500_000;
/// Which of them the first is.
const RARE_FIRST: usize = 1_234_567;
/// A word that four lines of ten million have.
pub(crate) const RARE_WORD: &str = "xylophone";

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) time_unix_nano: i64,
    pub(crate) severity: (u8, &'static str),
    pub(crate) body: String,
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
}

impl Line {
    /// The line of this number, at a time.
    pub(crate) fn new(number: usize, time_unix_nano: i64) -> Self {
        let seed = mixed(number as u64);
        let pick = |shift: u32, limit: u64| ((seed >> shift) % limit) as usize;
        let (method, path, status) = (METHODS[pick(0, 4)], PATHS[pick(3, 6)], STATUSES[pick(7, 5)]);
        let (millis, user) = (pick(11, 2000), mixed(seed) % USERS);
        let body = if number % RARE_EVERY == RARE_FIRST {
            format!("{method} {path} was answered by the {RARE_WORD} after {millis} ms for user u{user}")
        } else {
            format!("{method} {path} finished with status {status} in {millis} ms for user u{user}")
        };
        let (trace_id, span_id) = (trace_id(number as u64), span_id(number as u64));
        Line { time_unix_nano, severity: LEVELS[pick(23, 10)], body, trace_id, span_id }
    }

    /// How long it is as the JSON that a service prints and an agent reads, with what an agent knows of its pod: what is
    /// called a raw line here, whatever the form in which it is sent.
    pub(crate) fn raw_bytes(&self, origin: &Origin) -> usize {
        let Origin { cluster, service, namespace, pod, node } = origin;
        let fixed = r#"{"@timestamp":"2026-01-01T00:00:00.123456789Z","level":"","cluster":"","service":"","namespace":"","pod":"","container":"main","node":"","trace_id":"","span_id":"","message":""}"#;
        let of_origin = cluster.len() + service.len() + namespace.len() + pod.len() + node.len();
        fixed.len() + self.severity.1.len() + of_origin + 2 * (16 + 8) + self.body.len()
    }

    pub(crate) fn trace(&self) -> String {
        hex(&self.trace_id)
    }

    pub(crate) fn span(&self) -> String {
        hex(&self.span_id)
    }
}
