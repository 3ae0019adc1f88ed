use super::*;

/// The fields of a message: numbers as they are, the rest as bytes.
fn fields(message: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let mut fields = Fields::new(message, 0..message.len());
    let mut found = Vec::new();
    while let Some((field, value)) = fields.next().map_err(Error::from).unwrap() {
        found.push(match value {
            Value::Varint(number) => (field, number, Vec::new()),
            Value::Bytes(range) => (field, 0, message[range].to_vec()),
            other => panic!("{other:?}"),
        });
    }
    found
}

fn number(field: u64, number: i64) -> (u64, u64, Vec<u8>) {
    (field, number as u64, Vec::new())
}

fn text(field: u64, text: &str) -> (u64, u64, Vec<u8>) {
    (field, 0, text.as_bytes().to_vec())
}

#[test]
fn a_request_has_what_was_asked() {
    let matcher = |label: &str, operator, value: &str| Matcher { label: label.into(), operator, value: value.into() };
    let query = Query {
        time_ms: -1..=1_700_000_000_123,
        matchers: vec![
            matcher("__name__", Operator::Equal, "up"),
            matcher("a", Operator::NotEqual, ""),
            matcher("b", Operator::Matches, "x|y"),
            matcher("c", Operator::MatchesNot, "é.*"),
        ],
        hints: Some(Hints {
            step_ms: 15_000,
            function: "rate".into(),
            start_ms: 1,
            end_ms: 2,
            grouping: vec!["job".into(), String::new()],
            by: true,
            range_ms: 300_000,
        }),
    };
    let packed = encode_request(&query, &ResponseType::PREFERRED).unwrap();
    let request = fields(&snap::raw::Decoder::new().decompress_vec(&packed).unwrap());
    assert_eq!((request.len(), request[0].0, &request[1]), (2, 1, &(2, 0, vec![1, 0])));
    let query = fields(&request[0].2);
    assert_eq!(query[..2], [number(1, -1), number(2, 1_700_000_000_123)]);
    let matchers: Vec<_> = query[2..6].iter().map(|(field, _, matcher)| (*field, fields(matcher))).collect();
    let expected = [
        // The first operator has the number 0, which is left out.
        vec![text(2, "__name__"), text(3, "up")],
        vec![number(1, 1), text(2, "a")],
        vec![number(1, 2), text(2, "b"), text(3, "x|y")],
        vec![number(1, 3), text(2, "c"), text(3, "é.*")],
    ];
    assert_eq!(matchers, expected.map(|matcher| (3, matcher)));
    assert_eq!((query.len(), query[6].0), (7, 4));
    let hints = [number(1, 15_000), text(2, "rate"), number(3, 1), number(4, 2), text(5, "job"), text(5, "")];
    assert_eq!(fields(&query[6].2), [&hints[..], &[number(6, 1), number(7, 300_000)]].concat());
}

#[test]
fn a_request_leaves_out_what_was_not_asked() {
    let query = Query { time_ms: 0..=0, matchers: Vec::new(), hints: None };
    let packed = encode_request(&query, &[]).unwrap();
    assert_eq!(snap::raw::Decoder::new().decompress_vec(&packed).unwrap(), [0x0a, 0]);
}

#[test]
fn the_type_of_an_answer_is_in_its_header() {
    for (header, expected) in [
        ("application/x-protobuf", ResponseType::Samples),
        ("Application/X-Protobuf; charset=utf-8", ResponseType::Samples),
        ("application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", ResponseType::StreamedXorChunks),
        ("application/x-streamed-protobuf;proto=prometheus.ChunkedReadResponse ", ResponseType::StreamedXorChunks),
    ] {
        assert_eq!(ResponseType::parse(header), Ok(expected), "{header}");
    }
    for header in
        ["", "text/html; charset=utf-8", "application/x-streamed-protobuf", "application/x-streamed-protobuf; proto=x"]
    {
        let error = ResponseType::parse(header).unwrap_err();
        assert!(error.message().contains("is none of remote read: check the URL"), "{error}");
    }
}
