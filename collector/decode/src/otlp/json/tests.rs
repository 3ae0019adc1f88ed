use super::*;

fn refused(body: &str) -> String {
    to_protobuf(Request::Metrics, body.as_bytes(), &Limits::default()).unwrap_err().to_string()
}

/// The bytes of the first point of a gauge.
fn same(one: &str, other: &str) {
    let wrap = |point: &str| {
        let metric = format!(r#"{{"name":"a","gauge":{{"dataPoints":[{point}]}}}}"#);
        let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
        to_protobuf(Request::Metrics, body.as_bytes(), &Limits::default()).unwrap()
    };
    assert_eq!(wrap(one), wrap(other), "{one} {other}");
}

#[test]
fn numbers_may_be_text_and_names_may_be_as_in_the_proto_file() {
    same(r#"{"timeUnixNano":"1700000000000000001"}"#, r#"{"timeUnixNano":1700000000000000001}"#);
    same(r#"{"timeUnixNano":"1"}"#, r#"{"time_unix_nano":1.0}"#);
    same(r#"{"asInt":"-5"}"#, r#"{"asInt":-5}"#);
    same(r#"{"asInt":-5}"#, r#"{"as_int":-5e0}"#);
    same(r#"{"asDouble":"1.5"}"#, r#"{"asDouble":1.5}"#);
    same(r#"{"asDouble":3}"#, r#"{"asDouble":3.0}"#);
    same(r#"{"flags":1,"nobody":{"knows":[this_is]}}"#.replace("this_is", "1").as_str(), r#"{"flags":"1"}"#);
    same(r#"{"flags":null,"attributes":null}"#, "{}");
    same(r#"{"exemplars":[{"spanId":"EEE19B7EC3C1B174"}]}"#, r#"{"exemplars":[{"span_id":"eee19b7ec3c1b174"}]}"#);
}

#[test]
fn the_nearest_double_is_read() {
    // A reader that rounds twice gets the last bit of these wrong.
    for text in ["2.2250738585072011e-308", "9007199254740993.0", "1.7976931348623157e308", "123456789.12345678e-20"] {
        same(&format!(r#"{{"asDouble":{text}}}"#), &format!(r#"{{"asDouble":"{text}"}}"#));
    }
}

#[test]
fn what_has_another_type_is_refused_with_its_place() {
    let metric =
        |metric: &str| refused(&format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#));
    for (body, part) in [
        (r#"{"name":1}"#, "expected a text in the field name"),
        (r#"{"gauge":[]}"#, "field gauge is an array"),
        (r#"{"gauge":{"dataPoints":{}}}"#, "field data_points is an object"),
        (r#"{"gauge":{"dataPoints":[[]]}}"#, "field data_points is an array"),
        (r#"{"sum":{"isMonotonic":"yes"}}"#, "field is_monotonic is a text"),
        (r#"{"sum":{"aggregationTemporality":"SOMETIMES"}}"#, "a word that is not known"),
        (r#"{"gauge":{"dataPoints":[{"timeUnixNano":-1}]}}"#, "negative: -1"),
        (r#"{"gauge":{"dataPoints":[{"timeUnixNano":1.5}]}}"#, "not a whole number that fits"),
        (r#"{"gauge":{"dataPoints":[{"asInt":"9223372036854775808"}]}}"#, "too large"),
        (r#"{"gauge":{"dataPoints":[{"asDouble":"inf"}]}}"#, "not a number"),
        (r#"{"gauge":{"dataPoints":[{"exemplars":[{"traceId":"5b8"}]}]}}"#, "not made of hexadecimal digits"),
    ] {
        let error = metric(body);
        assert!(error.contains(part) && error.contains("line 1 column"), "{error}");
    }
    for body in ["", "[]", "{", "{} x", "{\"resourceMetrics\":[}", "\u{feff}{}"] {
        assert!(refused(body).contains("not OTLP as JSON"), "{body}");
    }
}

#[test]
fn nesting_and_growth_have_limits() {
    let nested = "{\"arrayValue\":{\"values\":[".repeat(10_000);
    let body = format!(r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"k","value":{nested}"#);
    assert!(refused(&body).contains("recursion limit exceeded"), "{}", refused(&body));
    // A field that is not known is skipped, however deep it is.
    let unknown = format!(r#"{{"nobody":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(to_protobuf(Request::Logs, unknown.as_bytes(), &Limits::default()).unwrap().is_empty());
    let limits = Limits { max_decoded_bytes: 10_000, ..Limits::default() };
    let counts = "1,".repeat(4000);
    let metric = format!(r#"{{"histogram":{{"dataPoints":[{{"bucketCounts":[{counts}1]}}]}}}}"#);
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
    assert_eq!(to_protobuf(Request::Metrics, body.as_bytes(), &limits).unwrap_err().kind(), model::ErrorKind::TooLarge);
}

#[test]
fn bytes_are_read_in_both_alphabets() {
    for (text, bytes) in [("", &b""[..]), ("AQID/w==", &[1, 2, 3, 255]), ("AQID_w", &[1, 2, 3, 255]), ("AQI=", &[1, 2])]
    {
        assert_eq!(number::from_base64(text).as_deref(), Some(bytes));
    }
    for text in ["A", "AQID!", "AQ=D"] {
        assert_eq!(number::from_base64(text), None, "{text}");
    }
}

/// The line that the only record of a request for logs has.
fn line(body: &[u8]) -> String {
    let value = [&br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"#[..], body, b"}]}]}]}"].concat();
    let protobuf = to_protobuf(Request::Logs, &value, &Limits::default()).unwrap();
    let decoded = crate::otlp::logs::decode(&protobuf, 0, i64::MAX, &Limits::default()).unwrap();
    assert_eq!((decoded.logs.len(), decoded.refused.points), (1, 0));
    decoded.logs.body.get(0).to_owned()
}

#[test]
fn text_that_is_none_does_not_cost_the_request() {
    assert_eq!(line(br#"{"stringValue":"gr\u00fcn"}"#), "gr\u{fc}n");
    // A line that was cut within a character: half of a pair.
    assert_eq!(line(br#"{"stringValue":"a \ud83d"}"#), "a \u{fffd}\u{fffd}\u{fffd}");
    assert_eq!(line(br#"{"stringValue":"a \ud83d\ude00"}"#), "a \u{1f600}");
    assert_eq!(line(b"{\"stringValue\":\"caf\xe9\"}"), "caf\u{fffd}");
    assert_eq!(line(b"{\"stringValue\":null}"), "");
    // A name that is none is that of no field.
    assert!(to_protobuf(Request::Logs, b"{\"resourceLogs\xff\":[]}", &Limits::default()).unwrap().is_empty());
}

#[test]
fn lengths_are_right_whatever_they_are() {
    for length in (0..300).chain([16_383, 16_384]) {
        let text = "x".repeat(length);
        assert_eq!(line(format!(r#"{{"stringValue":"{text}"}}"#).as_bytes()), text);
    }
}

#[test]
fn a_million_keys_that_nobody_knows_are_skipped() {
    let keys: Vec<String> = (0..1_000_000).map(|index| format!(r#""k{index}":{index}"#)).collect();
    assert_eq!(line(format!(r#"{{{},"stringValue":"a"}}"#, keys.join(",")).as_bytes()), "a");
}

#[test]
fn requests_for_logs_and_traces_have_their_own_types() {
    let logs = |record: &str| format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#);
    let traces = |span: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    for (request, body, part) in [
        (Request::Logs, logs(r#"{"flags":4294967296}"#), "field flags is too large: 4294967296"),
        (Request::Logs, logs(r#"{"severityNumber":"LOUD"}"#), "field severity_number is a word that is not known"),
        (Request::Logs, logs(r#"{"body":"a line"}"#), "field body is a text"),
        (Request::Logs, logs(r#"{"attributes":{}}"#), "field attributes is an object"),
        (Request::Traces, traces(r#"{"kind":"SPAN_KIND_HIDDEN"}"#), "field kind is a word that is not known"),
        (Request::Traces, traces(r#"{"traceId":"xyz"}"#), "field trace_id is not made of hexadecimal digits"),
        (Request::Traces, traces(r#"{"status":{"code":-1}}"#), "field code is negative: -1"),
    ] {
        let error = to_protobuf(request, body.as_bytes(), &Limits::default()).unwrap_err();
        assert!(error.message().contains(part), "{error}");
    }
    // Fields of another request are not known, so nothing is left.
    let other = to_protobuf(Request::Logs, traces("{}").as_bytes(), &Limits::default()).unwrap();
    assert!(other.is_empty());
    let flags = to_protobuf(Request::Logs, logs(r#"{"flags":"4294967295"}"#).as_bytes(), &Limits::default()).unwrap();
    assert!(flags.ends_with(&[8 << 3 | 5, 0xff, 0xff, 0xff, 0xff]), "{flags:?}");
}
