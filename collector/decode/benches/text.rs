//! The exposition format against crate `prometheus-parse`, on a page of the node exporter: bytes per CPU-second. Beside
//! them OpenMetrics, on the same page written as such.
//!
//! The page is read from the file that `EXPOSITION_PAGE` names, or else asked of a `prometheus-node-exporter` that the
//! bench starts for the purpose. The three take turns; figures are medians.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use decode::{Limits, openmetrics, text};
use model::labels::LabelsBuilder;

const ANSWER_MS: i64 = 1_700_000_000_000;
const ROUNDS: usize = 7;
/// The kernel brings the count of CPU time up to date at its ticks, so a round is many of them long.
const ROUND_SECONDS: f64 = 0.4;

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

/// The page as OpenMetrics: another word for one type, seconds, and an end.
fn openmetrics(page: &str) -> String {
    let batch = text::decode(&Bytes::from(page.to_owned()), ANSWER_MS, &Limits::default()).expect("the page");
    let mut times = batch.samples.iter().map(|sample| sample.time_ms);
    let mut out = String::new();
    for line in page.lines() {
        if line.starts_with('#') {
            out.push_str(&line.replace(" untyped", " unknown"));
        } else {
            let time_ms = times.next().expect("a sample a line");
            match line.strip_suffix(&format!(" {time_ms}")) {
                Some(rest) => out.push_str(&format!("{rest} {}.{:03}", time_ms / 1000, time_ms % 1000)),
                None => out.push_str(line),
            }
        }
        out.push('\n');
    }
    openmetrics::write_end(&mut out).expect("a string");
    out
}

fn decode_openmetrics(body: &Bytes) {
    black_box(openmetrics::decode(black_box(body), ANSWER_MS, &Limits::default()).expect("the page"));
}

fn decode_ours(body: &Bytes) {
    black_box(text::decode(black_box(body), ANSWER_MS, &Limits::default()).expect("the page"));
}

fn decode_theirs(body: &Bytes) {
    let page = std::str::from_utf8(black_box(body)).expect("text");
    let lines = page.lines().map(|line| Ok(line.to_owned()));
    black_box(prometheus_parse::Scrape::parse(lines).expect("the page"));
}

/// CPU seconds of this thread so far.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

/// CPU seconds that one call takes.
fn timed(decode: fn(&Bytes), body: &Bytes) -> f64 {
    let (mut calls, begin) = (0, cpu_seconds());
    loop {
        decode(body);
        calls += 1;
        let seconds = cpu_seconds() - begin;
        if seconds >= ROUND_SECONDS {
            return seconds / f64::from(calls);
        }
    }
}

/// A name, a reader, and the page as it reads it.
type Contender<'a> = (&'a str, fn(&Bytes), &'a Bytes);

fn main() {
    // `cargo test --benches` runs this too and only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let page = page();
    for (name, page) in [("federated", federated(&page)), ("node-exporter", page)] {
        let written = Bytes::from(openmetrics(&page));
        let body = Bytes::from(page);
        let samples = text::decode(&body, ANSWER_MS, &Limits::default()).expect("the page").samples.len();
        let contenders: [Contender<'_>; 3] = [
            ("decode::text", decode_ours, &body),
            ("prometheus-parse", decode_theirs, &body),
            ("decode::openmetrics", decode_openmetrics, &written),
        ];
        let mut rounds: Vec<[f64; 3]> =
            (0..ROUNDS).map(|_| contenders.map(|(_, decode, body)| timed(decode, body))).collect();
        let medians = [0, 1, 2].map(|place| {
            rounds.sort_by(|a, b| a[place].total_cmp(&b[place]));
            rounds[ROUNDS / 2][place]
        });
        println!("{name}: {} bytes, {samples} samples", body.len());
        for ((who, _, body), seconds) in contenders.iter().zip(medians) {
            let megabytes = body.len() as f64 / 1e6 / seconds;
            println!("{who:>20} {megabytes:>8.0} MB a CPU-second, {:>6.0} ns a sample", seconds * 1e9 / samples as f64);
        }
        println!("{:>20} {:>8.1} times as fast as prometheus-parse", "decode::text", medians[1] / medians[0]);
    }
}
