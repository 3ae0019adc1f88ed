//! Any bytes decompress to a body within the limits or are refused. The first byte chooses the encoding.
#![no_main]

use bytes::Bytes;
use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let encoding = match choice % 4 {
        0 => ContentEncoding::Identity,
        1 => ContentEncoding::Gzip,
        2 => ContentEncoding::Snappy,
        _ => ContentEncoding::Zstd,
    };
    let limits = Limits { max_body_bytes: 1 << 16, max_decoded_bytes: 1 << 21, ..Limits::default() };
    if let Ok(decoded) = decompress(encoding, &Bytes::copy_from_slice(body), &limits) {
        assert!(decoded.len() <= limits.max_decoded_bytes);
        assert!(decoded.len() <= (1 << 20).max(body.len() * 100));
    }
});
