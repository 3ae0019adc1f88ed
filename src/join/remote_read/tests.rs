use super::*;

fn judged(status: StatusCode, content_type: &str, body: &[u8]) -> Result<ResponseType, String> {
    let query = Query { time_ms: 0..=1, matchers: Vec::new(), hints: None };
    judge(&Answer::new(status, content_type, body.to_vec()), &query).map_err(|e| e.to_string())
}

const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
const SAMPLES: &str = "application/x-protobuf";

#[test]
fn both_forms_are_told_apart_even_if_there_is_no_sample() {
    assert_eq!(judged(StatusCode::OK, STREAMED, b""), Ok(ResponseType::StreamedXorChunks));
    let empty = snap::raw::Encoder::new().compress_vec(b"").unwrap();
    assert_eq!(judged(StatusCode::OK, SAMPLES, &empty), Ok(ResponseType::Samples));
}

#[test]
fn whoever_answers_something_else_does_not_speak_it() {
    let cases: [(StatusCode, &str, &[u8], &str); 6] = [
        (StatusCode::NOT_FOUND, "text/plain", b"404 page not found\n", "404 Not Found: 404 page not found"),
        (StatusCode::OK, "text/html", b"<html>", "text/html"),
        (StatusCode::OK, "", b"", "content type"),
        (StatusCode::OK, STREAMED, b"garbage, not frames", "frame 1"),
        (StatusCode::OK, SAMPLES, b"\xff\xff\xff\xff\x0f", "snappy"),
        (StatusCode::INTERNAL_SERVER_ERROR, STREAMED, b"", "500"),
    ];
    for (status, content_type, body, expected) in cases {
        let message = judged(status, content_type, body).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}
