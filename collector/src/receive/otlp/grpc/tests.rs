use super::*;

#[test]
fn messages_are_printable_and_not_longer_than_a_header() {
    assert_eq!(percent_encoded("100 % für \n"), "100 %25 f%C3%BCr %0A");
    assert!(percent_encoded(&"ü".repeat(10_000)).len() < 5000);
}

#[test]
fn details_have_no_signs_that_fill_up() {
    for (bytes, text) in [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xff\xfe", "//4")] {
        assert_eq!(base64(bytes), text);
    }
}

#[test]
fn a_call_has_one_whole_message() {
    let headers = |encoding: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_ENCODING, HeaderValue::from_static(encoding));
        headers
    };
    let read = |bytes: &'static [u8], encoding| unwrap(Bytes::from_static(bytes), &headers(encoding), Signal::Logs);
    assert_eq!(read(b"\0\0\0\0\x02ab", "identity").unwrap(), (Bytes::from_static(b"ab"), ContentEncoding::Identity));
    assert_eq!(read(b"\x01\0\0\0\x01a", "zstd").unwrap(), (Bytes::from_static(b"a"), ContentEncoding::Zstd));
    // What is not compressed is not, whatever the call says of the others.
    assert_eq!(read(b"\0\0\0\0\x01a", "gzip").unwrap().1, ContentEncoding::Identity);
    for (bytes, encoding, part) in [
        (&b""[..], "gzip", "no message: send one ExportLogsServiceRequest"),
        (b"\0\0\0\0\x02a", "gzip", "claims 2 bytes and has 1"),
        (b"\0\0\0\0\x01ab", "gzip", "claims 1 bytes and has 2"),
        (b"\0\xff\xff\xff\xffa", "gzip", "claims 4294967295 bytes"),
        (b"\x01\0\0\0\x01a", "identity", "does not say how"),
        (b"\x01\0\0\0\x01a", "br", "is not accepted"),
        (b"\x07\0\0\0\x01a", "gzip", "begins with 7"),
    ] {
        let error = read(bytes, encoding).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}
