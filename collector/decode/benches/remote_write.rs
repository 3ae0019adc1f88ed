//! A remote-write request as agents send it: 500 series of 13 labels, about 400 bytes each, one sample per series.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::body::{ContentEncoding, decompress};
use decode::{Limits, remote_write};

const SERIES: usize = 500;

/// Appends a number in as few bytes as protobuf allows.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field that holds bytes.
fn bytes(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn request() -> Vec<u8> {
    let mut request = Vec::new();
    for index in 0..SERIES {
        let labels = [
            ("__name__", "container_network_receive_bytes_total".to_owned()),
            ("container", "checkout-service".to_owned()),
            ("endpoint", "https-metrics".to_owned()),
            ("id", format!("/kubepods/burstable/pod{index:032x}/{:016x}", index * 7919)),
            ("image", "registry.example.com/shop/checkout:v1.42.7".to_owned()),
            ("instance", format!("10.12.{}.{}:10250", index / 250, index % 250)),
            ("interface", "eth0".to_owned()),
            ("job", "kubelet".to_owned()),
            ("metrics_path", "/metrics/cadvisor".to_owned()),
            ("namespace", "production".to_owned()),
            ("node", format!("ip-10-12-{}-{}.eu-central-1", index / 250, index % 250)),
            ("pod", format!("checkout-service-7d9c5b6f4-{index:05x}")),
            ("service", "kube-prometheus-kubelet".to_owned()),
        ];
        let mut series = Vec::new();
        for (name, value) in labels {
            let mut label = Vec::new();
            bytes(&mut label, 1, name.as_bytes());
            bytes(&mut label, 2, value.as_bytes());
            bytes(&mut series, 1, &label);
        }
        let mut sample = vec![0x09];
        sample.extend_from_slice(&(index as f64 * 1234.5).to_le_bytes());
        sample.push(0x10);
        varint(&mut sample, 1_700_000_000_123);
        bytes(&mut series, 2, &sample);
        bytes(&mut request, 1, &series);
    }
    request
}

fn decode_request(c: &mut Criterion) {
    let request = Bytes::from(request());
    let packed = Bytes::from(snap::raw::Encoder::new().compress_vec(&request).expect("a request"));
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
