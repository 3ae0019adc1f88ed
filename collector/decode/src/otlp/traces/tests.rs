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

#[test]
fn what_breaks_a_limit_costs_its_span_alone() {
    let limits = Limits::default();
    let long = vec![b'x'; limits.max_attribute_bytes + 1];
    let many = |number| -> Vec<u8> {
        let keys = (0..=limits.max_attributes).map(|index| format!("k{index}"));
        keys.flat_map(|key| message(number, &attribute(key.as_bytes(), b"v"))).collect()
    };
    for (more, part) in [
        (many(9), "it has more than 128 attributes (attribute_limit)"),
        (message(11, &many(3)), "it has more than 128 attributes (attribute_limit)"),
        (message(13, &many(4)), "it has more than 128 attributes (attribute_limit)"),
        (message(9, &attribute(b"k", &long)), "the value of an attribute has 65537 bytes or more"),
        (message(9, &attribute(&long, b"v")), "has 65537 bytes, the limit is 1024"),
        (message(9, &attribute(b"\xff", b"v")), "the key of an attribute is not UTF-8"),
        (message(3, &long), "trace_state has 65537 bytes"),
        (message(15, &message(2, &long)), "the status message has 65537 bytes"),
        (message(11, &message(2, &long)), "the name of an event has 65537 bytes"),
        (message(13, &message(3, &long)), "the trace_state of a link has 65537 bytes"),
    ] {
        let before = [message(11, &message(2, b"gone")), message(13, b""), message(9, &attribute(b"gone", b""))];
        let body = request(b"", b"", &[span(b"bad", &[before.concat(), more].concat()), span(b"good", b"")]);
        let DecodedSpans { spans, refused } = read(&body).unwrap();
        assert_eq!((spans.len(), spans.row(0).name, refused.points), (1, "good", 1));
        assert!(spans.events.of(0).is_empty() && spans.links.of(0).is_empty() && spans.attributes.is_empty());
        assert!(spans.events.attributes.rows() == 0 && spans.links.attributes.rows() == 0);
        assert!(refused.reasons[0].contains(part), "{:?}", refused.reasons);
    }
    let reason = &read(&request(b"", b"", &[span(&long, b"")])).unwrap().refused.reasons[0];
    assert!(reason.contains("the name has 65537 bytes") && reason.len() < 300, "{reason}");
}

#[test]
fn text_that_is_none_is_mended() {
    let more = [
        message(3, b"\xff"),
        message(11, &message(2, b"e\xff")),
        message(13, &message(3, b"s\xff")),
        message(15, &message(2, b"m\xff")),
        message(9, &attribute(b"k", b"v\xff")),
    ];
    let spans = read(&request(b"", b"", &[span(b"n\xff", &more.concat())])).unwrap().spans;
    let row = spans.row(0);
    assert_eq!((row.name, row.trace_state, row.status_message), ("n\u{fffd}", "\u{fffd}", "m\u{fffd}"));
    assert_eq!(spans.attributes.get(0, "k"), Some("v\u{fffd}"));
    let place = |places: &[u32]| spans.texts.get(places[0]).to_owned();
    assert_eq!((place(&spans.events.name), place(&spans.links.trace_state)), ("e\u{fffd}".into(), "s\u{fffd}".into()));
}

#[test]
fn a_field_of_another_type_refuses_the_whole() {
    for (field, part) in [
        (vec![1 << 3, 1], "field 1 of Span"),
        (vec![7 << 3, 1], "field 7 of Span"),
        (vec![11 << 3, 1], "field 11 of Span"),
        (vec![0x80, 0x01, 1], "field 16 of Span"),
        (message(11, &[1 << 3, 1]), "field 1 of Event"),
        (message(13, &[1 << 3, 1]), "field 1 of Link"),
        (message(15, &[2 << 3, 1]), "field 2 of Status"),
    ] {
        let error = read(&request(b"", b"", &[span(b"good", b""), span(b"bad", &field)])).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains(part), "{error}");
    }
}

#[test]
fn events_and_links_are_counted_before_they_are_kept() {
    let limits = Limits { max_rows: 100, ..Limits::default() };
    for number in [11, 13] {
        let body = request(b"", b"", &[span(b"a", &message(number, b"").repeat(100))]);
        let error = decode(&body, i64::MAX, &limits).unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.message().contains("more than 100 rows"), "{error}");
        let body = request(b"", b"", &[span(b"a", &message(number, b"").repeat(90))]);
        assert_eq!(decode(&body, i64::MAX, &limits).unwrap().spans.len(), 1);
    }
}

#[test]
fn fields_may_come_in_any_order() {
    let mut fields = [
        span(b"a", b""),
        message(3, b"a=b"),
        message(4, &[3; 8]),
        message(9, &attribute(b"k", b"v")),
        message(11, &[message(3, &attribute(b"e", b"w")), message(2, b"event")].concat()),
        message(13, &[message(4, &attribute(b"l", b"x")), message(1, &[5; 16])].concat()),
        message(15, &[vec![3 << 3, 2], message(2, b"m")].concat()),
    ];
    let expected = read(&request(b"", b"", &[fields.concat()])).unwrap().spans;
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        let spans = read(&request(b"", b"", &[fields.concat()])).unwrap().spans;
        assert_eq!((spans.row(0), &spans.attributes), (expected.row(0), &expected.attributes));
        let (event, link) = (spans.events.attributes.row(0), spans.links.attributes.row(0));
        assert_eq!((event.collect::<Vec<_>>(), link.collect::<Vec<_>>()), (vec![("e", "w")], vec![("l", "x")]));
        // An event takes the start of its span, even where that comes later.
        assert_eq!(spans.events.time_unix_nano, [TIME as i64]);
    }
}
