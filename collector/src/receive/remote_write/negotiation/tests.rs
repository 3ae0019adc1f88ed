use axum::http::HeaderValue;

use super::*;

fn of(content_type: &'static str, encoding: &'static str) -> Result<Message, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in [(CONTENT_TYPE, content_type), (CONTENT_ENCODING, encoding)] {
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    message(&headers)
}

#[test]
fn what_is_absent_is_the_first_version() {
    for content_type in [
        "",
        "application/x-protobuf",
        "application/x-protobuf;",
        "Application/X-Protobuf",
        "application/x-protobuf;proto=prometheus.WriteRequest",
        "application/x-protobuf; charset=utf-8; proto=\"prometheus.WriteRequest\"",
    ] {
        assert_eq!(of(content_type, "snappy"), Ok(Message::V1), "{content_type}");
    }
    assert_eq!(of("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"), Ok(Message::V2));
    assert_eq!(of("application/x-protobuf; proto=io.prometheus.write.v2.Request", ""), Ok(Message::V2));
    assert_eq!(of("", "Snappy"), Ok(Message::V1));
}

#[test]
fn anything_else_is_told_what_to_send() {
    for (content_type, encoding, part) in [
        ("application/json", "snappy", "send application/x-protobuf"),
        ("text/plain;proto=prometheus.WriteRequest", "snappy", "\"text/plain\" is not accepted"),
        ("application/x-protobuf;proto=other.Message", "snappy", "\"other.Message\" is not accepted"),
        ("application/x-protobuf;proto=Prometheus.writerequest", "snappy", "is not accepted"),
        ("application/x-protobuf;proto=", "snappy", "\"\" is not accepted"),
        ("application/x-protobuf;proto", "snappy", "no parameter"),
        ("application/x-protobuf", "gzip", "send snappy"),
        ("application/x-protobuf", "identity", "send snappy"),
        ("application/x-protobuf", "snappy, snappy", "send snappy"),
    ] {
        let told = of(content_type, encoding).unwrap_err();
        assert!(told.contains(part), "{content_type} {encoding}: {told}");
    }
}
