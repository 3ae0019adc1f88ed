use model::ErrorKind;

use super::*;
use crate::protobuf::message::Message;

const NOW: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: NOW, latest_unix_nano: NOW + 600_000_000_000 };

fn pair(name: &str, value: &str) -> Vec<u8> {
    let mut pair = Message::default();
    pair.bytes(1, name.as_bytes());
    pair.bytes(2, value.as_bytes());
    pair.0
}

fn timestamp(unix_nano: i64) -> Vec<u8> {
    let mut time = Message::default();
    time.number(1, unix_nano / 1_000_000_000);
    time.number(2, unix_nano % 1_000_000_000);
    time.0
}

fn entry(unix_nano: i64, line: impl AsRef<[u8]>, metadata: &[(&str, &str)]) -> Vec<u8> {
    let mut entry = Message::default();
    entry.sized(1, &timestamp(unix_nano));
    entry.bytes(2, line.as_ref());
    for (name, value) in metadata {
        entry.sized(3, &pair(name, value));
    }
    entry.0
}

fn request(streams: &[(&str, &[Vec<u8>])]) -> Vec<u8> {
    let mut request = Message::default();
    for (labels, entries) in streams {
        let mut stream = Message::default();
        stream.bytes(1, labels.as_bytes());
        entries.iter().for_each(|entry| stream.sized(2, entry));
        stream.number(3, 12345);
        request.sized(1, &stream.0);
    }
    request.0
}

fn read(body: &[u8]) -> DecodedLines {
    decode(body, ARRIVAL, &Limits::default()).unwrap()
}

fn messages(decoded: &DecodedLines) -> Vec<&str> {
    decoded.refused.messages().map(|(_, message)| message).collect()
}

#[test]
fn a_row_has_what_stream_entry_and_line_say() {
    let id = "0123456789abcdef0123456789ABCDEF";
    let metadata = [("trace_id", id), ("spanID", "00000000000000ff"), ("user", "ann"), ("traceID", "x")];
    let body = request(&[
        (r#"{app="shop", namespace="prod", cluster="eu"}"#, &[entry(NOW - 1, "level=WARN msg=\"a b\"", &metadata)]),
        (r#"{job="x"}"#, &[entry(NOW, "\0 \x1b[31m", &[]), entry(-5, "", &[])]),
    ]);
    let DecodedLines { logs, refused } = read(&body);
    assert!(refused.is_empty() && logs.len() == 3);
    let shop = logs.resources.get(logs.resource[0]).unwrap();
    assert_eq!((&*shop.cluster, &*shop.service, &*shop.namespace), ("eu", "shop", "prod"));
    let attributes: Vec<_> = shop.attributes.iter().collect();
    assert_eq!(attributes, [("app", "shop"), ("namespace", "prod"), ("service_name", "shop")]);
    let row = logs.row(0);
    assert_eq!((row.time_unix_nano, row.observed_time_unix_nano), (NOW - 1, NOW));
    assert_eq!((row.severity_number, row.severity_text, row.body), (13, "WARN", "level=WARN msg=\"a b\""));
    assert_eq!(row.trace_id[..8], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    assert_eq!(row.span_id, [0, 0, 0, 0, 0, 0, 0, 0xff]);
    let attributes: Vec<_> = logs.attributes.row(0).collect();
    assert_eq!(attributes, [("user", "ann"), ("traceID", "x"), ("detected_level", "warn")]);
    // Nothing of a row is left for the next.
    let row = logs.row(1);
    assert_eq!((row.trace_id, row.span_id, row.body), ([0; 16], [0; 8], "\0 \x1b[31m"));
    assert_eq!((row.severity_number, row.severity_text), (0, "unknown"));
    assert_eq!((logs.row(2).time_unix_nano, logs.row(2).body), (-5, ""));
    assert_eq!(&*logs.resources.get(logs.resource[2]).unwrap().service, "x");
}

#[test]
fn labels_may_stand_behind_entries_and_unknown_fields_are_stepped_over() {
    let mut stream = Message::default();
    let mut last = entry(NOW, "line", &[]);
    last.extend([4 << 3 | 2, 1, 0xff]);
    stream.sized(2, &last);
    stream.bytes(9, b"unknown");
    stream.bytes(1, br#"{a="b"}"#);
    let mut body = Message::default();
    body.number(2, 7);
    body.sized(1, &stream.0);
    let logs = read(&body.0).logs;
    assert_eq!(logs.len(), 1);
    assert_eq!(logs.resources.get(logs.resource[0]).unwrap().attributes.get("a"), Some("b"));
}

#[test]
fn levels_are_taken_from_who_knows_best() {
    let level = |labels: &str, metadata: &[(&str, &str)], line: &str| {
        let decoded = read(&request(&[(labels, &[entry(NOW, line, metadata)])]));
        assert!(decoded.refused.is_empty());
        let row = decoded.logs.row(0);
        let detected = decoded.logs.attributes.get(0, DETECTED).unwrap().to_owned();
        (detected, row.severity_text.to_owned(), row.severity_number)
    };
    const DETECTED: &str = "detected_level";
    let expect = |detected: &str, text: &str, number: u8| (detected.to_owned(), text.to_owned(), number);
    let (plain, line) = (r#"{a="b"}"#, "level=info");
    assert_eq!(level(plain, &[("detected_level", "WRN"), ("level", "x")], line), expect("warn", "WRN", 13));
    assert_eq!(level(r#"{Level="err",lvl="x"}"#, &[("level", "debug")], line), expect("error", "err", 17));
    assert_eq!(level(plain, &[("lvl", "debug"), ("level", "FATAL")], line), expect("fatal", "FATAL", 21));
    assert_eq!(level(plain, &[("level", "notice")], line), expect("notice", "notice", 10));
    assert_eq!(level(plain, &[("level", &"x".repeat(33))], line), expect("unknown", "unknown", 0));
    assert_eq!(level(plain, &[("severity_number", "18")], line), expect("error", "error", 18));
    assert_eq!(level(plain, &[("severity_number", "?")], line), expect("info", "info", 9));
    assert_eq!(level(plain, &[("severity_number", "18"), ("severity_text", "Trc")], line), expect("trace", "Trc", 18));
    assert_eq!(level(plain, &[], r#"{"a":{"Severity":"CRITICAL"}}"#), expect("critical", "CRITICAL", 21));
    assert_eq!(level(plain, &[], "something [error]"), expect("error", "error", 17));
    assert_eq!(level(r#"{detected_level="info",a="b"}"#, &[], "[error]"), expect("info", "info", 9));
}

#[test]
fn one_wrong_row_costs_none_of_the_others() {
    let mut entries: Vec<_> = (0..10_000).map(|n| entry(NOW + n, format!("line {n}"), &[])).collect();
    entries[5000] = entry(NOW + 601_000_000_000, "from the future", &[("a", "b")]);
    let decoded = read(&request(&[(r#"{app="shop"}"#, &entries)]));
    assert_eq!((decoded.logs.len(), decoded.refused.count(Reason::OutOfRange)), (9_999, 1));
    assert_eq!(decoded.logs.attributes.rows(), 9_999);
    let message = messages(&decoded)[0];
    assert!(message.contains("from the future") && message.contains("shop") && message.len() < 300, "{message}");
}

#[test]
fn rows_that_are_wrong_are_told() {
    let limits = Limits {
        max_line_bytes: 10,
        max_attributes: 2,
        max_attribute_bytes: 5,
        max_name_bytes: 4,
        ..Limits::default()
    };
    let mut no_time = Message::default();
    no_time.bytes(2, b"x");
    let mut no_name = entry(NOW, "x", &[]);
    no_name.extend([3 << 3 | 2, 2, 1 << 3 | 2, 0]);
    let mut bad_name = entry(NOW, "x", &[]);
    bad_name.extend([3 << 3 | 2, 3, 1 << 3 | 2, 1, 0xff]);
    let mut beyond = Message::default();
    let mut time = Message::default();
    time.number(1, i64::MAX);
    beyond.sized(1, &time.0);
    for (wrong, reason, part) in [
        (entry(NOW, "12345678901", &[]), Reason::RowLimit, "a line has 11 bytes, the limit is 10"),
        (entry(NOW, "x", &[("a", "1"), ("b", "2"), ("c", "3")]), Reason::RowLimit, "more than 2 attributes"),
        (entry(NOW, "x", &[("a", "123456")]), Reason::RowLimit, "the value of the attribute \"a\" has 6 bytes"),
        (entry(NOW, "x", &[("abcde", "1")]), Reason::RowLimit, "the name of the attribute \"abcde\" has 5 bytes"),
        (no_time.0, Reason::InvalidRow, "no timestamp"),
        (no_name, Reason::InvalidRow, "has no name"),
        (bad_name, Reason::InvalidRow, "not UTF-8"),
        (beyond.0, Reason::OutOfRange, "outside the years"),
    ] {
        let good = entry(NOW, "good", &[("a", "1")]);
        let body = request(&[(r#"{a="b"}"#, &[good.clone(), wrong, good])]);
        let decoded = decode(&body, ARRIVAL, &limits).unwrap();
        assert_eq!((decoded.logs.len(), decoded.refused.count(reason)), (2, 1), "{part}");
        assert!(messages(&decoded)[0].contains(part), "{:?}", messages(&decoded));
        let attributes: Vec<_> = decoded.logs.attributes.row(1).collect();
        assert_eq!(attributes, [("a", "1"), ("detected_level", "unknown")]);
    }
}

#[test]
fn wrong_labels_refuse_the_rows_of_their_stream() {
    let limits = Limits { max_attributes: 2, ..Limits::default() };
    for (labels, reason, part) in [
        ("", Reason::InvalidLabels, "expected '{', got the end at byte 0 of the labels \"\""),
        ("{}", Reason::InvalidLabels, "no labels"),
        (r#"{a="b""#, Reason::InvalidLabels, "expected '}', got the end"),
        (r#"{a="b",a="c"}"#, Reason::InvalidLabels, "the label \"a\" twice"),
        (r#"{a="b",c="d",e="f"}"#, Reason::RowLimit, "more than 2 attributes"),
    ] {
        let (two, one) = ([entry(NOW, "x", &[]), entry(NOW, "y", &[])], [entry(NOW, "z", &[])]);
        let decoded = decode(&request(&[(labels, &two), (r#"{a="b"}"#, &one)]), ARRIVAL, &limits).unwrap();
        assert_eq!((decoded.logs.len(), decoded.refused.count(reason)), (1, 2), "{labels}");
        assert!(messages(&decoded)[0].contains(part), "{:?}", messages(&decoded));
    }
}

#[test]
fn messages_are_short_however_long_labels_are() {
    let long = "\u{1}".repeat(60_000);
    let labels: Vec<_> = (0..100).map(|n| format!("a{n}=\"{long}\"")).collect();
    let labels = format!("{{{}}}", labels.join(","));
    let late: Vec<_> = (0..1_000).map(|_| entry(i64::MAX, "late", &[])).collect();
    let decoded = read(&request(&[(&labels, &late), ("{a=\"b\"}", &late)]));
    assert_eq!(decoded.refused.count(Reason::OutOfRange), 2_000);
    let messages = messages(&decoded);
    assert!(messages.len() == 10 && messages.iter().all(|message| message.len() < 1000), "{messages:?}");
    assert!(messages[0].contains("in stream {\"a0\": \"\\u{1}"), "{}", messages[0]);
}

#[test]
fn what_is_no_text_in_a_line_is_marked() {
    let body = request(&[(r#"{a="b"}"#, &[entry(NOW, b"a\xffb", &[])])]);
    assert_eq!(read(&body).logs.row(0).body, "a\u{fffd}b");
}

#[test]
fn every_truncation_is_an_error_or_ends_between_streams() {
    let metadata = [("trace_id", "0123456789abcdef0123456789abcdef")];
    let body = request(&[(r#"{a="b"}"#, &[entry(NOW, "one", &metadata)]), (r#"{a="c"}"#, &[entry(NOW, "two", &[])])]);
    let whole = (0..=body.len()).filter(|end| decode(&body[..*end], ARRIVAL, &Limits::default()).is_ok()).count();
    assert_eq!(whole, 3);
}

#[test]
fn what_is_no_push_is_refused_whole() {
    for body in
        [&[1 << 3, 1][..], &[1 << 3 | 2, 2, 2 << 3, 1], &[1 << 3 | 2, 2, 1 << 3, 1], b"\x0c", b"{\"streams\":[]}"]
    {
        assert_eq!(decode(body, ARRIVAL, &Limits::default()).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let wrong_type = decode(&[1 << 3, 1], ARRIVAL, &Limits::default()).unwrap_err();
    assert!(wrong_type.message().contains("is this a push request of Loki?"), "{wrong_type}");
}

#[test]
fn limits_of_the_whole_are_held() {
    let body = request(&[(r#"{a="b"}"#, &[entry(NOW, "one", &[]), entry(NOW, "two", &[])])]);
    for limits in
        [Limits { max_rows: 1, ..Limits::default() }, Limits { max_decoded_bytes: body.len() - 1, ..Limits::default() }]
    {
        assert_eq!(decode(&body, ARRIVAL, &limits).unwrap_err().kind(), ErrorKind::TooLarge);
    }
    assert_eq!(decode(&body, ARRIVAL, &Limits { max_rows: 2, ..Limits::default() }).unwrap().logs.len(), 2);
    // The longest line there may be, and one that is longer than a body may be.
    let long = request(&[(r#"{a="b"}"#, &[entry(NOW, "x".repeat(1 << 20), &[])])]);
    assert_eq!(read(&long).logs.len(), 1);
    let too_long = request(&[(r#"{a="b"}"#, &[entry(NOW, "x".repeat((64 << 20) - 100), &[])])]);
    assert_eq!(read(&too_long).refused.count(Reason::RowLimit), 1);
}
