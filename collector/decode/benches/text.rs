//! The exposition format against crate `prometheus-parse`, on a page of the node exporter.
//!
//! The page is read from the file that `EXPOSITION_PAGE` names, or else asked of a `prometheus-node-exporter` that the
//! bench starts for the purpose.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::{Limits, text};
use model::labels::LabelsBuilder;

const ANSWER_MS: i64 = 1_700_000_000_000;

fn page() -> String {
    if let Ok(path) = std::env::var("EXPOSITION_PAGE") {
        return std::fs::read_to_string(path).expect("the file of EXPOSITION_PAGE");
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port");
    let mut exporter = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address={free}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus-node-exporter, or a page in EXPOSITION_PAGE");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut answer = String::new();
    while !answer.starts_with("HTTP/1.0 200") && Instant::now() < deadline {
        answer.clear();
        if let Ok(mut stream) = TcpStream::connect(free) {
            let _ = write!(stream, "GET /metrics HTTP/1.0\r\n\r\n");
            let _ = stream.read_to_string(&mut answer);
        }
        std::thread::yield_now();
    }
    let _ = exporter.kill();
    let _ = exporter.wait();
    answer.split_once("\r\n\r\n").expect("an answer of the exporter").1.to_owned()
}

/// The page as `/federate` of a Prometheus would give it: labels of the target on each sample, and its time.
fn federated(page: &str) -> String {
    let body = Bytes::from(page.to_owned());
    let batch = text::decode(&body, ANSWER_MS, &Limits::default()).expect("the page");
    let mut builder = LabelsBuilder::default();
    let mut out = String::new();
    for sample in &batch.samples {
        let key = batch.key(sample.series as usize, &mut builder).expect("a series");
        let target = [("instance", "10.12.0.17:9100"), ("job", "node-exporter"), ("region", "eu-central-1")];
        let labels = key.labels.iter().chain(target);
        text::write_sample(&mut out, &key.name, labels, sample.value, Some(sample.time_ms)).expect("a string");
    }
    out
}

fn decode_pages(c: &mut Criterion) {
    let page = page();
    for (name, page) in [("federated", federated(&page)), ("node-exporter", page)] {
        let body = Bytes::from(page.clone());
        let samples = text::decode(&body, ANSWER_MS, &Limits::default()).expect("the page").samples.len();
        println!("{name}: {} bytes, {samples} samples", body.len());
        let mut group = c.benchmark_group(format!("{name}, bytes"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("decode::text", |b| {
            b.iter(|| text::decode(black_box(&body), ANSWER_MS, &Limits::default()).expect("the page"));
        });
        group.bench_function("prometheus-parse", |b| {
            b.iter(|| {
                let lines = black_box(&page).lines().map(|line| Ok(line.to_owned()));
                prometheus_parse::Scrape::parse(lines).expect("the page")
            });
        });
        group.finish();
        let mut group = c.benchmark_group(format!("{name}, samples"));
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function("decode::text", |b| {
            b.iter(|| text::decode(black_box(&body), ANSWER_MS, &Limits::default()).expect("the page"));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_pages
}
criterion_main!(benches);
