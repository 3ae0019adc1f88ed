//! Remote-write requests, encoded by hand from the specification (`WriteRequest{timeseries=1}`, `TimeSeries{labels=1,
//! samples=2}`, `Label{name=1, value=2}`, `Sample{value=1, timestamp=2}`).

use reqwest::StatusCode;

use crate::server::Server;

/// The headers of remote write 1.0.
pub(crate) const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

/// One series: its labels, and (time in milliseconds, value) of its samples.
pub(crate) type Series<'a> = (&'a [(&'a str, &'a str)], &'a [(i64, f64)]);

/// The compressed body of a request.
pub(crate) fn body(series: &[Series<'_>]) -> Vec<u8> {
    let mut message = Vec::new();
    for (labels, samples) in series {
        let mut one = Vec::new();
        for (name, value) in *labels {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut one, 1, &label);
        }
        for (time_ms, value) in *samples {
            let mut sample = vec![9];
            sample.extend_from_slice(&value.to_bits().to_le_bytes());
            sample.push(16);
            varint(&mut sample, *time_ms as u64);
            field(&mut one, 2, &sample);
        }
        field(&mut message, 1, &one);
    }
    compress(&message)
}

/// Snappy, block format.
pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

/// A field that is a message, a text or bytes.
pub(crate) fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A number of seven bits a byte, the low ones first.
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes series; they must be acknowledged.
pub(crate) async fn write(server: &Server, series: &[Series<'_>]) {
    let (status, text) = server.post("/api/v1/write", &HEADERS, body(series)).await;
    assert!(status.is_success(), "{status}: {text}");
    assert_ne!(status, StatusCode::PARTIAL_CONTENT);
}

/// Now, in milliseconds.
#[expect(clippy::disallowed_methods, reason = "the test stands outside of the server")]
pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}
