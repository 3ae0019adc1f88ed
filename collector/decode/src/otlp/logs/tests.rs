use model::ErrorKind;

use super::*;
use crate::otlp::tests::{attribute, fixed, message};

/// 2023-11-14T22:13:20Z.
const TIME: u64 = 1_700_000_000_000_000_000;
const NOW: i64 = 1_800_000_000_000_000_000;

/// A request of one resource with these records.
fn request(resource: &[u8], scope: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|record| message(2, record)).collect();
    let scope = [message(1, scope), records].concat();
    message(1, &[message(1, resource), message(2, &scope)].concat())
}

fn record(line: &[u8], more: &[u8]) -> Vec<u8> {
    [&fixed(1, TIME)[..], &message(5, &message(1, line)), more].concat()
}

fn read(body: &[u8]) -> Result<DecodedLogs, Error> {
    decode(body, NOW, i64::MAX, &Limits::default())
}

#[test]
fn a_record_becomes_a_row_field_by_field() {
    let resource =
        [message(1, &attribute(b"service.name", b"shop")), message(1, &attribute(b"k8s.pod.name", b"shop-1"))];
    let scope = [&message(1, b"lib")[..], &message(2, b"1.2"), &message(3, &attribute(b"a", b"of scope"))].concat();
    let fields = [
        vec![2 << 3, 17],
        message(3, b"ERR"),
        message(6, &attribute(b"k", b"v")),
        [&[8 << 3 | 5][..], &0x0102_0301u32.to_le_bytes()].concat(),
        message(9, &[7; 16]),
        message(10, &[9; 8]),
        fixed(11, TIME + 5),
        message(12, b"order.placed"),
    ];
    let decoded = read(&request(&resource.concat(), &scope, &[record(b"a line", &fields.concat())])).unwrap();
    let logs = &decoded.logs;
    let expected = Log {
        time_unix_nano: TIME as i64,
        observed_time_unix_nano: TIME as i64 + 5,
        severity_number: 17,
        severity_text: "ERR",
        body: "a line",
        trace_id: [7; 16],
        span_id: [9; 8],
        flags: 0x0102_0301,
        ..Log::default()
    };
    assert_eq!((logs.len(), logs.row(0)), (1, expected));
    let attributes: Vec<_> = logs.attributes.row(0).collect();
    assert_eq!(attributes, [("k", "v"), ("event.name", "order.placed"), ("otel.scope.a", "of scope")]);
    let (resource, scope) = (logs.resources.get(0).unwrap(), logs.scopes.get(0).unwrap());
    assert_eq!((&*resource.service, &*resource.pod), ("shop", "shop-1"));
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("lib", "1.2"));
    assert_eq!(decoded.refused, Refused::default());
}

#[test]
fn every_truncation_is_refused() {
    let body = request(&message(1, &attribute(b"a", b"b")), b"", &[record(b"one", b""), record(b"two", b"")]);
    for end in 1..body.len() {
        assert_eq!(read(&body[..end]).unwrap_err().kind(), ErrorKind::Invalid, "{end}");
    }
    assert_eq!(read(&body).unwrap().logs.len(), 2);
}

#[test]
fn text_that_is_none_is_mended_but_in_keys() {
    let records = [
        record(b"caf\xe9 \xff", &[message(3, b"\xfe"), message(12, b"x\xff")].concat()),
        record(b"value", &message(6, &attribute(b"k", b"\xf0\x9f"))),
        record(b"key", &message(6, &attribute(b"\xff", b"v"))),
    ];
    let DecodedLogs { logs, refused } = read(&request(b"", b"", &records)).unwrap();
    assert_eq!((logs.len(), logs.row(0).body, logs.row(0).severity_text), (2, "caf\u{fffd} \u{fffd}", "\u{fffd}"));
    assert_eq!(logs.attributes.get(0, "event.name"), Some("x\u{fffd}"));
    assert_eq!(logs.attributes.get(1, "k"), Some("\u{fffd}"));
    assert_eq!(refused.points, 1);
    assert!(refused.reasons[0].contains("the key of an attribute is not UTF-8"), "{:?}", refused.reasons);
}

/// A request with one good record and one that breaks a limit: the reason why it is refused.
fn refused(limits: &Limits, resource: &[u8], scope: &[u8], bad: Vec<u8>) -> String {
    let good = request(b"", b"", &[record(b"good", b"")]);
    let body = [good, request(resource, scope, &[bad])].concat();
    let DecodedLogs { logs, refused } = decode(&body, NOW, i64::MAX, limits).unwrap();
    assert_eq!((logs.len(), logs.row(0).body, refused.points, refused.reasons.len()), (1, "good", 1, 1));
    refused.reasons[0].clone()
}

#[test]
fn what_breaks_a_limit_costs_its_record_alone() {
    let limits = Limits::default();
    let long = |bytes: usize| vec![b'x'; bytes];
    let many: Vec<u8> = (0..=limits.max_attributes)
        .flat_map(|index| message(6, &attribute(format!("k{index}").as_bytes(), b"v")))
        .collect();
    let list = message(5, &[10, 0].repeat(limits.max_line_bytes / 3));
    for (bad, part) in [
        (
            record(&long(limits.max_line_bytes + 1), b""),
            "the body has 1048577 bytes or more, the limit is 1048576 (line_size_limit)",
        ),
        // A value without text is five bytes as JSON, and was two.
        (message(5, &list), "the body has "),
        (record(b"", &many), "it has more than 128 attributes (attribute_limit)"),
        (
            record(b"", &message(6, &attribute(b"k", &long(65_537)))),
            "the value of an attribute has 65537 bytes or more",
        ),
        (record(b"", &message(6, &attribute(&long(1025), b"v"))), "the attribute key "),
        (record(b"", &message(3, &long(65_537))), "severity_text has 65537 bytes"),
        (record(b"", &message(12, &long(65_537))), "event_name has 65537 bytes"),
        // Bytes that are no text are three each once they are mended.
        (record(&vec![0xff; limits.max_line_bytes / 2], b""), "the body has 1572864 bytes or more"),
    ] {
        let reason = refused(&limits, b"", b"", bad);
        assert!(
            reason.starts_with("a log record") && reason.contains(&format!(" of service \"\": {part}")),
            "{reason}"
        );
    }
    let at_the_limit = request(b"", b"", &[record(&long(limits.max_line_bytes), &many[..many.len() - 13])]);
    assert_eq!(read(&at_the_limit).unwrap().logs.len(), 1);
}

#[test]
fn what_is_wrong_with_a_resource_or_scope_is_wrong_with_its_records() {
    let limits = Limits::default();
    let many: Vec<u8> = (0..=128).flat_map(|index| message(1, &attribute(&[b'a', index], b"v"))).collect();
    for (resource, part) in [
        (many, "its resource is wrong: it has more than 128 attributes"),
        (message(1, &attribute(b"k", &[b'x'; 65_537])), "its resource is wrong: the value of an attribute has 65537"),
        (message(1, &attribute(&[b'x'; 1025], b"v")), "its resource is wrong: the attribute key \"xxx"),
        (message(1, &attribute(b"\xff", b"v")), "its resource is wrong: the key of an attribute is not UTF-8"),
    ] {
        let reason = refused(&limits, &resource, b"", record(b"bad", b""));
        assert!(reason.starts_with("a log record: ") && reason.contains(part), "{reason}");
    }
    for (scope, part) in [
        (message(3, &attribute(b"k", &[b'x'; 65_537])), "the value of an attribute has 65537"),
        (message(3, &attribute(b"\xff", b"v")), "the key of an attribute is not UTF-8"),
        (message(1, &[b'x'; 65_537]), "its name has 65537 bytes"),
        (message(2, &[b'x'; 65_537]), "its version has 65537 bytes"),
    ] {
        let reason = refused(&limits, b"", &scope, record(b"bad", b""));
        assert!(reason.starts_with("a log record: its scope is wrong: ") && reason.contains(part), "{reason}");
    }
}

#[test]
fn a_field_of_another_type_refuses_the_whole() {
    for (field, part) in [
        (message(1, b""), "field 1 of LogRecord"),
        (vec![5 << 3, 1], "field 5 of LogRecord"),
        (vec![9 << 3, 1], "field 9 of LogRecord"),
        (vec![11 << 3, 1], "field 11 of LogRecord"),
        (message(6, &[1 << 3, 1]), "field 1 of KeyValue"),
        (message(5, &[1 << 3, 1]), "field 1 of AnyValue"),
    ] {
        let error = read(&request(b"", b"", &[record(b"good", b""), field])).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains(part), "{error}");
    }
    // A request for traces: where a record has its time a span has its id.
    let error = read(&request(b"", b"", &[message(1, &[7; 16])])).unwrap_err();
    assert!(error.message().contains("is this the OTLP request of another signal?"), "{error}");
    for body in
        [&[1 << 3, 1][..], &message(1, &[1 << 3, 1]), &message(1, &[2 << 3, 1]), &message(1, &message(2, &[8, 1]))]
    {
        assert_eq!(read(body).unwrap_err().kind(), ErrorKind::Invalid, "{body:?}");
    }
}

#[test]
fn resources_that_come_again_are_one() {
    let shop = message(1, &attribute(b"service.name", b"shop"));
    let cart = message(1, &attribute(b"service.name", b"cart"));
    let body: Vec<u8> = [&shop, &shop, &cart, &shop, &vec![]]
        .into_iter()
        .flat_map(|resource| request(resource, b"", &[record(b"", b"")]))
        .collect();
    let logs = read(&body).unwrap().logs;
    assert_eq!((logs.resources.len(), &logs.resource[..]), (3, &[0, 0, 1, 0, 2][..]));
    // Without records there is nothing to tell of one.
    assert!(read(&request(&shop, b"", &[])).unwrap().logs.resources.is_empty());
    // In two parts, behind what it is the resource of.
    let scope = message(2, &message(2, &record(b"", b"")));
    let parts = [scope, message(1, &shop), message(1, &message(1, &attribute(b"k8s.pod.name", b"p")))];
    let logs = read(&message(1, &parts.concat())).unwrap().logs;
    let resource = logs.resources.get(logs.resource[0]).unwrap();
    assert_eq!((&*resource.service, &*resource.pod), ("shop", "p"));
}

#[test]
fn rows_are_counted_before_they_are_kept() {
    let limits = Limits { max_rows: 100, ..Limits::default() };
    for body in
        [request(b"", b"", &vec![vec![]; 100]), message(1, b"").repeat(100), message(1, &message(2, b"").repeat(100))]
    {
        let error = decode(&body, NOW, i64::MAX, &limits).unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.message().contains("more than 100 rows"), "{error}");
    }
    assert_eq!(decode(&request(b"", b"", &vec![vec![]; 90]), NOW, i64::MAX, &limits).unwrap().logs.len(), 90);
    let limits = Limits { max_decoded_bytes: 10, ..Limits::default() };
    let error = decode(&request(b"", b"", &[record(b"", b"")]), NOW, i64::MAX, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn scopes_that_are_written_out_do_not_grow_without_end() {
    let scope = message(3, &attribute(b"k", &[b'x'; 16 << 10]));
    let error = read(&request(b"", &scope, &vec![vec![]; 2000])).unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.message().contains("say them of the resource"), "{error}");
    // A small one may be.
    let logs = read(&request(b"", &message(3, &attribute(b"k", b"v")), &vec![vec![]; 2000])).unwrap().logs;
    assert_eq!((logs.len(), logs.attributes.get(1999, "otel.scope.k")), (2000, Some("v")));
}

#[test]
fn a_million_attributes_are_refused_at_once() {
    let keys: Vec<u8> =
        (0..1_000_000u32).flat_map(|index| message(6, &message(1, &index.to_be_bytes().map(|b| b & 0x7f)))).collect();
    let same = message(6, &message(1, b"k")).repeat(1_000_000);
    let DecodedLogs { logs, refused } = read(&request(b"", b"", &[record(b"a", &keys), record(b"b", &same)])).unwrap();
    assert_eq!((logs.len(), refused.points), (0, 2));
    assert!(logs.memory_bytes() < 1 << 20, "{}", logs.memory_bytes());
}

#[test]
fn fields_may_come_in_any_order() {
    let mut fields = [
        fixed(1, TIME),
        vec![2 << 3, 9],
        message(3, b"INFO"),
        message(5, &message(1, b"a line")),
        message(6, &attribute(b"a", b"1")),
        vec![8 << 3 | 5, 1, 0, 0, 0],
        message(9, &[7; 16]),
        message(10, &[9; 8]),
        fixed(11, TIME + 1),
        message(12, b"placed"),
        // One that is not known.
        message(15, b"?"),
    ];
    let expected = read(&request(b"", b"", &[fields.concat()])).unwrap().logs;
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        assert_eq!(read(&request(b"", b"", &[fields.concat()])).unwrap().logs, expected);
        let reversed: Vec<Vec<u8>> = fields.iter().rev().cloned().collect();
        assert_eq!(read(&request(b"", b"", &[reversed.concat()])).unwrap().logs, expected);
    }
}
