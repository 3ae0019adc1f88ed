use model::ErrorKind;

use super::super::{Hints, encode_request};
use super::*;
use crate::Limits;
use crate::body::{ContentEncoding, decompress};
use crate::protobuf::message::Message;

fn request(message: Message) -> Result<Request, Error> {
    decode_request(&Bytes::from(message.0))
}

/// A request of one query, which has these bytes.
fn with_query(query: &[u8]) -> Message {
    let mut message = Message::default();
    message.sized(1, query);
    message
}

#[test]
fn what_a_client_writes_is_read() {
    let matcher = |label: &str, operator, value: &str| Matcher { label: label.into(), operator, value: value.into() };
    let matchers = vec![
        matcher("__name__", Operator::Equal, "up"),
        matcher("job", Operator::NotEqual, ""),
        matcher("é", Operator::Matches, "a|b"),
        matcher("x", Operator::MatchesNot, ".+"),
    ];
    let hints = Hints { function: "series".into(), step_ms: 15_000, by: true, ..Hints::default() };
    let query = Query { time_ms: -5..=1_700_000_000_000, matchers, hints: Some(hints) };
    let body = encode_request(&query, &ResponseType::PREFERRED).unwrap();
    let body = decompress(ContentEncoding::Snappy, &Bytes::from(body), &Limits::default()).unwrap();
    let found = decode_request(&body).unwrap();
    assert_eq!(found.response_type(), Ok(ResponseType::StreamedXorChunks));
    assert_eq!(found.queries.len(), 1);
    assert_eq!(found.queries[0].time_ms, query.time_ms);
    assert_eq!(found.queries[0].hints.as_ref().map(|hints| hints.function.as_str()), Some("series"));
    let parts = |matcher: &Matcher| (matcher.label.clone(), matcher.operator, matcher.value.clone());
    let read: Vec<_> = found.queries[0].matchers.iter().map(parts).collect();
    assert_eq!(read, query.matchers.iter().map(parts).collect::<Vec<_>>());
}

#[test]
fn the_first_form_that_is_known_is_taken() {
    let accepting = |kinds: &[u8]| {
        let mut message = Message::default();
        message.bytes(2, kinds);
        request(message).unwrap().response_type().ok()
    };
    assert_eq!(accepting(&[]), Some(ResponseType::Samples));
    assert_eq!(accepting(&[7, 1, 0]), Some(ResponseType::StreamedXorChunks));
    assert_eq!(accepting(&[0, 1]), Some(ResponseType::Samples));
    assert_eq!(accepting(&[7, 9]), None);
    let mut unpacked = Message::default();
    unpacked.number(2, 1);
    assert_eq!(request(unpacked).unwrap().response_type(), Ok(ResponseType::StreamedXorChunks));
}

#[test]
fn what_is_wrong_is_told() {
    let matcher = |write: fn(&mut Message)| {
        let (mut matcher, mut query) = (Message::default(), Message::default());
        write(&mut matcher);
        query.sized(3, &matcher.0);
        with_query(&query.0)
    };
    let mut many_queries = Message::default();
    (0..=MAX_QUERIES).for_each(|_| many_queries.sized(1, b""));
    let mut many_matchers = Message::default();
    (0..=MAX_MATCHERS).for_each(|_| many_matchers.sized(3, &[0x12, 1, b'a']));
    for (message, kind, says) in [
        (Message(vec![0x0a, 9]), ErrorKind::Invalid, "longer than the message"),
        (Message(vec![0x08, 9]), ErrorKind::Invalid, "field 1 of ReadRequest has the wrong wire type"),
        (with_query(&[0x0a, 0]), ErrorKind::Invalid, "field 1 of Query has the wrong wire type"),
        (matcher(|matcher| matcher.number(1, 4)), ErrorKind::Invalid, "has the type 4"),
        (matcher(|matcher| matcher.bytes(3, b"x")), ErrorKind::Invalid, "matcher 1 of the request has no label name"),
        (
            matcher(|matcher| matcher.bytes(2, b"\xff")),
            ErrorKind::Invalid,
            "label name of matcher 1 of the request is not",
        ),
        (many_queries, ErrorKind::TooLarge, "more than 1000 queries"),
        (with_query(&many_matchers.0), ErrorKind::TooLarge, "more than 10000 matchers"),
    ] {
        let error = request(message).unwrap_err();
        assert!(error.kind() == kind && error.message().contains(says), "{error}");
    }
}
