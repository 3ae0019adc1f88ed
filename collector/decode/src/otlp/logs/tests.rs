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
