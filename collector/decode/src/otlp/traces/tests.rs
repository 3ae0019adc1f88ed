use model::ErrorKind;

use super::*;
use crate::otlp::tests::{attribute, fixed, message};

/// 2023-11-14T22:13:20Z.
const TIME: u64 = 1_700_000_000_000_000_000;

/// A request of one resource with these spans.
fn request(resource: &[u8], scope: &[u8], spans: &[Vec<u8>]) -> Vec<u8> {
    let spans: Vec<u8> = spans.iter().flat_map(|span| message(2, span)).collect();
    let scope = [message(1, scope), spans].concat();
    message(1, &[message(1, resource), message(2, &scope)].concat())
}

fn span(name: &[u8], more: &[u8]) -> Vec<u8> {
    let times = [fixed(7, TIME), fixed(8, TIME + 1000)].concat();
    [&message(1, &[1; 16])[..], &message(2, &[2; 8]), &message(5, name), &times, more].concat()
}

fn read(body: &[u8]) -> Result<DecodedSpans, Error> {
    decode(body, i64::MAX, &Limits::default())
}

#[test]
fn a_span_is_read_field_by_field() {
    let event = [fixed(1, TIME + 7), message(2, b"retry"), message(3, &attribute(b"n", b"1"))].concat();
    let link = [message(1, &[5; 16]), message(2, &[6; 8]), message(3, b"c=d"), message(4, &attribute(b"l", b"2"))];
    let fields = [
        message(3, b"a=b"),
        message(4, &[3; 8]),
        vec![6 << 3, 2],
        message(9, &attribute(b"k", b"v")),
        message(11, &event),
        message(11, b""),
        message(13, &link.concat()),
        message(13, b""),
        message(15, &[message(2, b"went wrong"), vec![3 << 3, 2]].concat()),
        [&[0x85, 0x01][..], &0x0301u32.to_le_bytes()].concat(),
    ];
    let scope = message(3, &attribute(b"a", b"of scope"));
    let decoded = read(&request(&message(1, &attribute(b"app", b"shop")), &scope, &[span(b"GET", &fields.concat())]));
    let DecodedSpans { spans, refused } = decoded.unwrap();
    let expected = Span {
        trace_id: [1; 16],
        span_id: [2; 8],
        parent_span_id: [3; 8],
        trace_state: "a=b",
        flags: 0x0301,
        name: "GET",
        kind: 2,
        start_time_unix_nano: TIME as i64,
        duration_nano: 1000,
        status_code: 2,
        status_message: "went wrong",
        ..Span::default()
    };
    assert_eq!((spans.len(), spans.row(0)), (1, expected));
    assert_eq!(spans.attributes.row(0).collect::<Vec<_>>(), [("k", "v"), ("otel.scope.a", "of scope")]);
    assert_eq!(&*spans.resources.get(0).unwrap().service, "shop");
    assert_eq!((spans.events.of(0), spans.links.of(0)), (0..2, 0..2));
    // An event without a time has that of the start of its span.
    assert_eq!(spans.events.time_unix_nano, [TIME as i64 + 7, TIME as i64]);
    assert_eq!(spans.texts.get(spans.events.name[0]), "retry");
    assert_eq!(spans.events.attributes.row(0).collect::<Vec<_>>(), [("n", "1")]);
    assert_eq!((spans.links.trace_id[0], spans.links.span_id[0]), ([5; 16], [6; 8]));
    assert_eq!((spans.links.trace_id[1], spans.links.span_id[1]), ([0; 16], [0; 8]));
    assert_eq!(spans.texts.get(spans.links.trace_state[0]), "c=d");
    assert_eq!(spans.links.attributes.row(0).collect::<Vec<_>>(), [("l", "2")]);
    assert_eq!(refused, Refused::default());
}

#[test]
fn every_truncation_is_refused() {
    let body = request(&message(1, &attribute(b"a", b"b")), b"", &[span(b"one", b""), span(b"two", b"")]);
    for end in 1..body.len() {
        assert_eq!(read(&body[..end]).unwrap_err().kind(), ErrorKind::Invalid, "{end}");
    }
    assert_eq!(read(&body).unwrap().spans.len(), 2);
}
