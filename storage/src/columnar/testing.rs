//! Rows for tests: of a few clusters and services, with all columns filled in some rows.

use std::sync::Arc;

use model::logs::Log;
use model::resource::{Resource, Scope};
use model::spans::Span;
use model::{Logs, Spans};

/// What makes a row: its time in nanoseconds, and a number that everything else is made of.
pub(crate) type Seed = (i64, u8);

fn resource(number: u8) -> Arc<Resource> {
    let (cluster, service) = (["eu", "us", ""][usize::from(number % 3)], format!("service {}", number % 5));
    let pod = format!("pod-{}", number % 7);
    let mut attributes = vec![("k8s.cluster.name", cluster), ("service.name", &service), ("k8s.pod.name", &pod)];
    if number.is_multiple_of(2) {
        attributes.push(("empty", ""));
    }
    Arc::new(Resource::new(attributes))
}

fn scope(number: u8) -> Arc<Scope> {
    Arc::new(Scope { name: format!("scope {}", number % 2), version: "1".repeat(usize::from(number % 3)) })
}

/// A log row of each seed.
pub(crate) fn logs(seeds: &[Seed]) -> Logs {
    let mut logs = Logs::default();
    for (time_unix_nano, number) in seeds {
        let n = *number;
        for attribute in 0..n % 4 {
            logs.attributes.push(&format!("key {}", n / 2 + attribute), &format!("value {n}\u{0}\u{1b}ä"));
        }
        let row = Log {
            resource: logs.resources.place(&resource(n)),
            scope: logs.scopes.place(&scope(n)),
            time_unix_nano: *time_unix_nano,
            observed_time_unix_nano: time_unix_nano.wrapping_add(i64::from(n)),
            severity_number: n % 25,
            severity_text: ["", "INFO", "Error"][usize::from(n % 3)],
            body: &"löng ".repeat(usize::from(n % 11)),
            trace_id: [n % 3; 16],
            span_id: [n % 2; 8],
            flags: u32::from(n) << 24,
        };
        logs.push(&row);
    }
    logs
}

/// A span of each seed.
pub(crate) fn spans(seeds: &[Seed]) -> Spans {
    let mut spans = Spans::default();
    for (time, number) in seeds {
        let n = *number;
        for attribute in 0..n % 4 {
            spans.attributes.push(&format!("key {}", n / 2 + attribute), &format!("value {n}"));
        }
        for event in 0..n % 3 {
            spans.events.attributes.push("exception.message", &"x".repeat(usize::from(n)));
            spans.push_event(time.wrapping_add(i64::from(event)), &format!("event {event}"));
        }
        for link in 0..n % 2 {
            spans.push_link([link + 1; 16], [n; 8], "a=b");
        }
        let row = Span {
            resource: spans.resources.place(&resource(n)),
            scope: spans.scopes.place(&scope(n)),
            trace_id: [n.max(1); 16],
            span_id: [n.max(1); 8],
            parent_span_id: [n % 4; 8],
            trace_state: ["", "x=y"][usize::from(n % 2)],
            flags: u32::from(n),
            name: &format!("GET /{}", n % 6),
            kind: n % 6,
            start_time_unix_nano: *time,
            duration_nano: i64::from(n) * 1_000_003 - 7,
            status_code: n % 3,
            status_message: ["", "went wrong"][usize::from(n % 2)],
        };
        spans.push(&row);
    }
    spans
}
