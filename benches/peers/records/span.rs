//! Spans: traces of ten, each a call of the one before it, over services of several pods.

use super::{OF_REQUEST, Rows, attribute, fixed64, mixed, of_resource, span_id, trace_id};
use crate::wire::field;

/// Spans of a trace.
const OF_TRACE: usize = 10;
const ROUTES: [&str; 4] = ["/api/v1/items/{id}", "/api/v1/orders", "/cart", "/pay"];
const STATUSES: [&str; 5] = ["200", "200", "200", "200", "500"];

/// The trace of a span.
pub(crate) fn trace_of(number: usize) -> [u8; 16] {
    trace_id((number / OF_TRACE) as u64)
}

/// A request of OTLP with these spans, each of which starts at its time.
///
/// By hand, from the definition: `Span{trace_id=1, span_id=2, parent_span_id=4, name=5, kind=6, start_time_unix_nano=7,
/// end_time_unix_nano=8, attributes=9, status=15}`, `Status{code=3}`.
pub(crate) fn body(rows: &Rows) -> Vec<u8> {
    let first = rows.first;
    let mut out = Vec::with_capacity(OF_REQUEST * 420);
    // An agent of a node sends what its pods made: each of ten pods one span of every trace.
    for depth in 0..OF_TRACE {
        let mut records = Vec::with_capacity(OF_REQUEST / OF_TRACE * 420);
        for number in (first + depth..first + OF_REQUEST).step_by(OF_TRACE) {
            field(&mut records, 2, &span(number, rows.time_of(number)));
        }
        of_resource(&mut out, &rows.origin(first / OF_REQUEST * OF_TRACE + depth), &records);
    }
    out
}

fn span(number: usize, start: i64) -> Vec<u8> {
    let (seed, depth) = (mixed(number as u64), number % OF_TRACE);
    let route = ROUTES[(seed % 4) as usize];
    let status = STATUSES[(seed >> 3) as usize % 5];
    let mut span = Vec::with_capacity(420);
    field(&mut span, 1, &trace_of(number));
    field(&mut span, 2, &span_id(number as u64));
    if depth > 0 {
        field(&mut span, 4, &span_id(number as u64 - 1));
    }
    field(&mut span, 5, format!("GET {route}").as_bytes());
    span.extend_from_slice(&[6 << 3, 2 + (depth % 2) as u8]);
    fixed64(&mut span, 7, start);
    fixed64(&mut span, 8, start + 1_000_000 + ((seed >> 11) % 50_000_000) as i64);
    let address = format!("10.0.{}.{}", (seed >> 40) % 4, (seed >> 42) % 250);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", route),
        ("http.response.status_code", status),
        ("server.address", "shop.example.com"),
        ("network.peer.address", &address),
        ("url.scheme", "https"),
    ] {
        attribute(&mut span, 9, key, value);
    }
    if status == "500" {
        field(&mut span, 15, &[3 << 3, 2]);
    }
    span
}
