use model::ErrorKind;

use super::*;

const NOW: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: NOW, latest_unix_nano: NOW + 600_000_000_000 };

fn read(body: impl AsRef<[u8]>) -> Result<DecodedLines, Error> {
    decode(body.as_ref(), ARRIVAL, &Limits::default())
}

fn messages(decoded: &DecodedLines) -> Vec<&str> {
    decoded.refused.messages().map(|(_, message)| message).collect()
}

#[test]
fn a_request_has_the_rows_of_the_same_protobuf() {
    let decoded = read(
        r#"{"ignored":[{}],"streams":[{"stream":{"app":"sh\u006fp","level":"warn"},"values":[
            ["1699999999999999999","a \"line\"\n",{"trace_id":"0123456789abcdef0123456789abcdef","n":1,"b":true,"z":null}],
            [1700000000000000000,"info"]]}]}"#,
    )
    .unwrap();
    assert!(decoded.refused.is_empty());
    let logs = decoded.logs;
    assert_eq!((logs.len(), logs.row(0).body, logs.row(1).body), (2, "a \"line\"\n", "info"));
    assert_eq!((logs.row(0).time_unix_nano, logs.row(1).time_unix_nano), (NOW - 1, NOW));
    assert_eq!(logs.row(0).trace_id[15], 0xef);
    let attributes: Vec<_> = logs.attributes.row(0).collect();
    assert_eq!(attributes, [("n", "1"), ("b", "true"), ("z", ""), ("detected_level", "warn")]);
    assert_eq!(&*logs.resources.get(logs.resource[0]).unwrap().service, "shop");
}

#[test]
fn labels_may_stand_behind_values() {
    let logs =
        read(r#"{"streams":[{"values":[["1","a"]],"values":[["2","b"]],"stream":{"app":"shop"}}]}"#).unwrap().logs;
    assert_eq!((logs.len(), logs.row(1).body), (2, "b"));
    assert_eq!(&*logs.resources.get(0).unwrap().service, "shop");
}

#[test]
fn rows_of_another_form_are_told_and_cost_no_other() {
    for (wrong, part) in [
        (r#"{}"#, "an entry is an object, not an array of time and line"),
        (r#"[]"#, "an entry has no time"),
        (r#"["1"]"#, "an entry has no line"),
        (r#"["1",2]"#, "item 1 of an entry is a number"),
        (r#"[null,"x"]"#, "item 0 of an entry is null"),
        (r#"["1","x",[]]"#, "item 2 of an entry is an array"),
        (r#"["1","x",{},1]"#, "item 3 of an entry is a number"),
        (r#"["1.5","x"]"#, "the time \"1.5\" is not in nanoseconds since 1970"),
        (r#"["99999999999999999999","x"]"#, "is not in nanoseconds"),
        (r#"["1","\q"]"#, "is no escape of JSON"),
        (r#"["1","x",{"a":{}}]"#, "\"a\" of an entry is an object, not a text"),
        (r#"["1","x",{"":"a"}]"#, "has no name"),
        (r#"["1800000000000000000","x"]"#, "too far in the future"),
    ] {
        let body = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["1","good"],{wrong},["2","good"]]}}]}}"#);
        let decoded = read(body).unwrap();
        assert_eq!(decoded.logs.len(), 2, "{wrong}");
        assert!(messages(&decoded)[0].contains(part), "{wrong}: {:?}", messages(&decoded));
        assert_eq!(decoded.logs.attributes.rows(), 2);
    }
}

#[test]
fn wrong_labels_refuse_the_rows_of_their_stream() {
    for (stream, part) in [
        (r#""stream":{"a":{}},"#, "the label \"a\" is an object, not a text"),
        (r#""stream":{},"#, "a stream has no labels"),
        (r#""stream":{"a":"b","a":"c"},"#, "twice"),
        ("", "a stream has no labels"),
    ] {
        let body = format!(
            r#"{{"streams":[{{{stream}"values":[["1","x"],["2","y"]]}},{{"stream":{{"a":"b"}},"values":[["3","z"]]}}]}}"#
        );
        let decoded = read(body).unwrap();
        assert_eq!((decoded.logs.len(), decoded.refused.count(Reason::InvalidLabels)), (1, 2), "{stream}");
        assert!(messages(&decoded)[0].contains(part), "{:?}", messages(&decoded));
    }
}

#[test]
fn damage_refuses_the_whole_with_its_place() {
    let body = r#"{"streams":[{"stream":{"a":"b\n"},"values":[["1","x",{"c":"d"}]]}]}"#;
    assert_eq!(read(body).unwrap().logs.len(), 1);
    for end in 0..body.len() {
        let error = read(&body[..end]).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.position().is_some(), "{error}");
    }
    for (body, message) in [
        ("{}", "line 1, column 1: the request has no field \"streams\""),
        ("{\n\"streams\":{}}", "line 2, column 11: expected an array, got '{'"),
        ("[]", "line 1, column 1: expected an object, got '['"),
        (r#"{"streams":[]}x"#, "line 1, column 15: expected nothing more, got 'x'"),
        (r#"{"streams":[{"stream":[]}]}"#, "line 1, column 23: expected an object, got '['"),
    ] {
        assert_eq!(read(body).unwrap_err().message(), message);
    }
    let deep = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["1","x",{}"#, "[".repeat(100_000));
    assert!(read(deep).unwrap_err().message().contains("nested more than 64 deep"));
}

#[test]
fn null_is_nothing() {
    for body in [r#"{"streams":null}"#, r#"{"streams":[{"stream":{"a":"b"},"values":null}]}"#] {
        let decoded = read(body).unwrap();
        assert!(decoded.logs.is_empty() && decoded.refused.is_empty());
    }
}

#[test]
fn what_is_no_text_is_marked() {
    let logs =
        read(b"{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"a\xffb\0\x1b[31m\"]]}]}").unwrap().logs;
    assert_eq!(logs.row(0).body, "a\u{fffd}b\0\x1b[31m");
}

#[test]
fn limits_are_held() {
    let limits = Limits { max_rows: 1, ..Limits::default() };
    let body = r#"{"streams":[{"stream":{"a":"b"},"values":[["1","x"],["2","x"]]}]}"#;
    assert_eq!(decode(body.as_bytes(), ARRIVAL, &limits).unwrap_err().kind(), ErrorKind::TooLarge);
    let names: Vec<_> = (0..1_000_000).map(|n| format!(r#""k{n}":"v""#)).collect();
    let names = names.join(",");
    let body = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["1","x",{{{names}}}],["2","good"]]}}]}}"#);
    let decoded = read(body).unwrap();
    assert_eq!((decoded.logs.len(), decoded.refused.count(Reason::RowLimit)), (1, 1));
    let body = format!(r#"{{"streams":[{{"stream":{{{names}}},"values":[["2","good"]]}}]}}"#);
    assert_eq!(read(body).unwrap().refused.count(Reason::RowLimit), 1);
}
