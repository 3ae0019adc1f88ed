use super::*;

fn written(value: &[u8], max_bytes: usize) -> Result<String, Fault> {
    let mut out = String::new();
    let form = Form { what: "a value", max_bytes, setting: "a_limit", is_mended: false };
    write(value, 0..value.len(), &form, &mut out).map(|()| out)
}

fn double(value: f64) -> String {
    let mut out = String::new();
    write_double(value, &mut out);
    out
}

#[test]
fn doubles_are_as_json_writes_them() {
    for (value, text) in [
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (999_999_999_999_999_999_999.0, "1e+21"),
        (123_456_789_012.0, "123456789012"),
        (-2.5e30, "-2.5e+30"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(double(value), text);
    }
}

#[test]
fn the_last_of_several_values_counts_and_none_is_nothing() {
    assert_eq!(written(b"", 10).unwrap(), "");
    assert_eq!(written(b"\x0a\x01a\x10\x01", 10).unwrap(), "true");
    assert_eq!(written(b"\x3a\x04\xff\xfe\x00\x01", 10).unwrap(), "//4AAQ==");
}

#[test]
fn the_short_way_reads_the_same_or_nothing() {
    for value in [&b"\x0a\x01a"[..], b"\x0a\x00", b"\x0a\x01a\x10\x01", b"\x10\x01", b"", b"\x0a"] {
        if let Some(range) = short_text(value, &(0..value.len())) {
            assert_eq!(written(value, 10).unwrap().as_bytes(), &value[range]);
        }
    }
    assert_eq!(short_text(b"\x0a\x02ab", &(0..4)), Some(2..4));
    assert_eq!(short_text(b"\x0a\x01ab", &(0..4)), None);
}

#[test]
fn values_have_a_limit_however_they_are_made() {
    assert!(written(b"\x0a\x05abcde", 5).is_ok());
    assert!(written(b"\x0a\x06abcdef", 5).is_err());
    // A list of empty values: two bytes each become five.
    let list = [0x0a, 0].repeat(1000);
    let value = [&[0x2a, 0xd0, 0x0f][..], &list].concat();
    assert!(matches!(written(&value, 100), Err(Fault::Refused(_))));
}

#[test]
fn text_within_lists_is_quoted_as_json_wants_it() {
    let text: String = (0..0x20u8).map(char::from).chain(['"', '\\', '/', '\u{7f}', 'ä']).collect();
    let inner = crate::otlp::tests::message(1, text.as_bytes());
    let list = crate::otlp::tests::message(5, &crate::otlp::tests::message(1, &inner));
    let json = written(&list, 1000).unwrap();
    assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    assert!(json.starts_with("[\"\\u0000\\u0001") && json.contains("\\t\\n\\u000b"), "{json}");
}
