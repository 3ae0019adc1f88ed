//! OTLP requests as agents send them: 500 series with the labels of the bench of remote write, one point each; and 500
//! histograms of 14 buckets, which become 17 series each.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::otlp::{self, Translation};
use decode::{Limits, remote_write};

#[path = "../../../benches/peers/wire.rs"]
mod wire;

const SERIES: usize = 500;

/// The attributes of a point of a kubelet: with job and instance from the resource, the labels of [`wire::kubelet`].
fn attributes(index: usize) -> String {
    let pairs = [
        ("container", "checkout-service".to_owned()),
        ("endpoint", "https-metrics".to_owned()),
        ("id", format!("/kubepods/burstable/pod{index:032x}/{:016x}", index * 7919)),
        ("image", "registry.example.com/shop/checkout:v1.42.7".to_owned()),
        ("interface", "eth0".to_owned()),
        ("metrics.path", "/metrics/cadvisor".to_owned()),
        ("namespace", "production".to_owned()),
        ("node", format!("ip-10-12-{}-{}.eu-central-1", index / 250, index % 250)),
        ("pod", format!("checkout-service-7d9c5b6f4-{index:05x}")),
        ("service", "kube-prometheus-kubelet".to_owned()),
    ];
    let pairs = pairs.map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#));
    pairs.join(",")
}

fn request(metric: &str, point: &str) -> (Bytes, String) {
    let time = r#""startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000060123000000""#;
    let points = (0..SERIES).map(|index| format!(r#"{{{time},{point},"attributes":[{}]}}"#, attributes(index)));
    let points = points.collect::<Vec<_>>().join(",");
    let metric = metric.replace("POINTS", &points);
    let resource = [("service.name", "kubelet"), ("service.instance.id", "10.12.0.7:10250")]
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#));
    let json = format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{}]}},"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#,
        resource.join(",")
    );
    (otlp::json::to_protobuf(otlp::json::Request::Metrics, json.as_bytes(), &Limits::default()).expect("JSON"), json)
}

fn decode_requests(c: &mut Criterion) {
    let (translation, limits) = (Translation::default(), Limits::default());
    let sums = r#"{"name":"container.network.receive","unit":"By","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[POINTS]}}"#;
    let (sums, sums_json) = request(sums, r#""asDouble":1234.5"#);
    let histograms =
        r#"{"name":"rpc.duration","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[POINTS]}}"#;
    let bounds = "[0.005,0.01,0.025,0.05,0.075,0.1,0.25,0.5,0.75,1,2.5,5,7.5]";
    let counts = r#""bucketCounts":[1,2,3,4,5,6,7,8,9,10,11,12,13,14]"#;
    let (histograms, _) =
        request(histograms, &format!(r#""count":"105","sum":12.5,"explicitBounds":{bounds},{counts}"#));
    let rows = |body: &Bytes| {
        otlp::decode(body, i64::MAX, &translation, &limits, 64 << 20).expect("the request").batch.samples.len()
    };
    assert_eq!((rows(&sums), rows(&histograms)), (SERIES, SERIES * 16));
    println!("{} bytes of sums, {} of histograms", sums.len(), histograms.len());

    let mut remote = wire::Request::default();
    for index in 0..SERIES {
        remote.push(&wire::kubelet(index), [(1_700_000_000_123, index as f64 * 1234.5)].into_iter());
    }
    let remote = snap::raw::Decoder::new().decompress_vec(&remote.compressed().expect("a request")).expect("snappy");
    let remote = Bytes::from(remote);

    let mut group = c.benchmark_group("samples");
    group.throughput(Throughput::Elements(SERIES as u64));
    group.bench_function("remote write", |b| {
        b.iter(|| remote_write::decode_leaving_labels(black_box(&remote), i64::MAX, &limits).expect("the request"));
    });
    group.bench_function("OTLP sums", |b| {
        b.iter(|| otlp::decode(black_box(&sums), i64::MAX, &translation, &limits, 64 << 20).expect("the request"));
    });
    group.bench_function("OTLP sums, JSON", |b| {
        b.iter(|| {
            let body = otlp::json::to_protobuf(otlp::json::Request::Metrics, black_box(sums_json.as_bytes()), &limits)
                .expect("JSON");
            otlp::decode(&body, i64::MAX, &translation, &limits, 64 << 20).expect("the request")
        });
    });
    group.throughput(Throughput::Elements(rows(&histograms) as u64));
    group.bench_function("OTLP histograms", |b| {
        b.iter(|| {
            otlp::decode(black_box(&histograms), i64::MAX, &translation, &limits, 64 << 20).expect("the request")
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_requests
}
criterion_main!(benches);
