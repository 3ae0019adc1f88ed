//! A remote-write request as agents send it: 500 series of 13 labels, about 400 bytes each, one sample per series.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::body::{ContentEncoding, decompress};
use decode::{Limits, remote_write};

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

fn decode_request(c: &mut Criterion) {
    let packed = Bytes::from(request().compressed().expect("a request"));
    let request = decompress(ContentEncoding::Snappy, &packed, &Limits::default()).expect("snappy");
    let decoded = remote_write::decode(&request, &Limits::default()).expect("the request");
    assert_eq!((decoded.series.len(), decoded.samples[1].time_ms), (SERIES, 1_700_000_000_123));
    println!("{} bytes, {} with snappy, {SERIES} samples", request.len(), packed.len());
    for (unit, throughput) in
        [("bytes", Throughput::Bytes(request.len() as u64)), ("samples", Throughput::Elements(SERIES as u64))]
    {
        let mut group = c.benchmark_group(format!("remote write, {unit}"));
        group.throughput(throughput);
        group.bench_function("decode", |b| {
            b.iter(|| remote_write::decode(black_box(&request), &Limits::default()).expect("the request"));
        });
        group.bench_function("snappy and decode", |b| {
            b.iter(|| {
                let body = decompress(ContentEncoding::Snappy, black_box(&packed), &Limits::default()).expect("snappy");
                remote_write::decode(&body, &Limits::default()).expect("the request")
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_request
}
criterion_main!(benches);
