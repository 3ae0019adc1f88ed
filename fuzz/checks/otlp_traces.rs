//! Any bytes are an OTLP request for traces that is read or refused; what is read is sound.
//!
//! The first byte chooses form and limits.

use decode::otlp::DecodedSpans;
use decode::otlp::json::Request;
use decode::otlp::traces::decode;
use model::{ErrorKind, Spans};

use super::records::{LATEST_MS, body, check_attributes, check_shared, check_size, limits};

pub(crate) fn check(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else { return };
    let limits = limits(*choice);
    let Some(body) = body(Request::Traces, *choice, rest, &limits) else { return };
    let DecodedSpans { spans, refused } = match decode(&body, LATEST_MS, &limits) {
        Ok(decoded) => decoded,
        Err(error) => {
            let is_damaged = error.kind() == ErrorKind::Invalid && choice & 1 == 0;
            assert!(error.kind() == ErrorKind::TooLarge || is_damaged, "what was JSON is no message: {error}");
            return;
        }
    };
    let (rows, events, links) = (spans.len(), spans.events.time_unix_nano.len(), spans.links.trace_id.len());
    check_shared((&spans.resources, &spans.resource), (&spans.scopes, &spans.scope));
    check_attributes(&spans.attributes, rows, limits.max_attributes, &limits);
    check_attributes(&spans.events.attributes, events, 0, &limits);
    check_attributes(&spans.links.attributes, links, 0, &limits);
    check_size(&refused, rows + events + links, spans.memory_bytes(), &body, &limits);
    // Each event and each link is of one span, in their order.
    assert_eq!((0..rows).flat_map(|row| spans.events.of(row)).collect::<Vec<_>>(), (0..events).collect::<Vec<_>>());
    assert_eq!((0..rows).flat_map(|row| spans.links.of(row)).collect::<Vec<_>>(), (0..links).collect::<Vec<_>>());
    assert!(spans.events.time_unix_nano.iter().all(|time| *time >= 0));
    for row in 0..rows {
        let span = spans.row(row);
        let latest = LATEST_MS * 1_000_000 + 999_999;
        assert!((1..=latest).contains(&span.start_time_unix_nano));
        assert!((1..=latest).contains(&(span.start_time_unix_nano + span.duration_nano)));
        assert!(span.trace_id != [0; 16] && span.span_id != [0; 8] && span.kind <= 5 && span.status_code <= 2);
        assert!([span.name, span.trace_state].iter().all(|text| text.len() <= limits.max_attribute_bytes));
    }
    let mut same = Spans::default();
    same.append(&spans, 0..rows);
    assert!((0..rows).all(|row| same.row(row) == spans.row(row)));
}
