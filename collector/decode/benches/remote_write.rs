//! A remote-write request as agents send it: 500 series of 13 labels, about 400 bytes each, one sample per series.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::body::{ContentEncoding, decompress};
use decode::{Decoded, Limits, remote_write};

#[path = "../../../benches/peers/wire.rs"]
mod wire;

const SERIES: usize = 500;

fn request() -> wire::Request {
    let mut request = wire::Request::default();
    for index in 0..SERIES {
        request.push(&wire::kubelet(index), [(1_700_000_000_123, index as f64 * 1234.5)].into_iter());
    }
    request
}

/// The same in remote write 2.0, as Prometheus writes it: each text once, in the order in which it first comes.
fn request_2() -> Vec<u8> {
    let (mut symbols, mut series) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut number = |text: &str| {
        let next = numbers.len();
        *numbers.entry(text.to_owned()).or_insert_with(|| {
            wire::field(&mut symbols, 4, text.as_bytes());
            next
        })
    };
    number("");
    let help = number("Bytes that a container has received.");
    for index in 0..SERIES {
        let mut references = Vec::new();
        for (name, value) in wire::kubelet_labels(index) {
            wire::varint(&mut references, number(name) as u64);
            wire::varint(&mut references, number(&value) as u64);
        }
        let mut sample = vec![0x09];
        sample.extend_from_slice(&(index as f64 * 1234.5).to_bits().to_le_bytes());
        sample.push(0x10);
        wire::varint(&mut sample, 1_700_000_000_123);
        let mut message = Vec::new();
        wire::field(&mut message, 1, &references);
        wire::field(&mut message, 2, &sample);
        wire::field(&mut message, 5, &[0x08, 1, 0x18, help as u8]);
        wire::field(&mut series, 5, &message);
    }
    [symbols, series].concat()
}

type Decode = fn(&Bytes, i64, &Limits) -> Result<Decoded, decode::Error>;

fn decode_requests(c: &mut Criterion) {
    let packed = request().compressed().expect("a request");
    decode_request(c, "remote write", &packed, remote_write::decode);
    let packed = snap::raw::Encoder::new().compress_vec(&request_2()).expect("a request");
    decode_request(c, "remote write 2", &packed, remote_write::v2::decode);
}

fn decode_request(c: &mut Criterion, name: &str, packed: &[u8], decode: Decode) {
    let packed = Bytes::copy_from_slice(packed);
    let request = decompress(ContentEncoding::Snappy, &packed, &Limits::default()).expect("snappy");
    let decoded = decode(&request, i64::MAX, &Limits::default()).expect("the request");
    let (batch, refused) = (decoded.batch, decoded.refused);
    assert!(refused.is_empty());
    assert_eq!((batch.series.len(), batch.samples[1].time_ms), (SERIES, 1_700_000_000_123));
    println!("{name}: {} bytes, {} with snappy, {SERIES} samples", request.len(), packed.len());
    for (unit, throughput) in
        [("bytes", Throughput::Bytes(request.len() as u64)), ("samples", Throughput::Elements(SERIES as u64))]
    {
        let mut group = c.benchmark_group(format!("{name}, {unit}"));
        group.throughput(throughput);
        group.bench_function("decode", |b| {
            b.iter(|| decode(black_box(&request), i64::MAX, &Limits::default()).expect("the request"));
        });
        group.bench_function("snappy and decode", |b| {
            b.iter(|| {
                let body = decompress(ContentEncoding::Snappy, black_box(&packed), &Limits::default()).expect("snappy");
                decode(&body, i64::MAX, &Limits::default()).expect("the request")
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_requests
}
criterion_main!(benches);
