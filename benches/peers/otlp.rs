//! OTLP metrics beside remote write: the same samples of the same series, each to a server of its own.
//!
//! A request of OTLP is that of one resource with eight attributes, which also makes the `job` and `instance` of its 500 points;
//! the other labels are attributes of the points. What is counted, and until when, is as in part `remote_write`.

use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::Clock;
use reqwest::{Client, RequestBuilder};

use crate::load::{OF_REQUEST, value};
use crate::markdown::{self, Table};
use crate::process::{Process, folder_bytes};
use crate::records::attribute;
use crate::report::median;
use crate::wire::{self, field};
use crate::{Bench, Fault, peers, remote_write};

const SERIES: usize = 20_000;
const STEPS: usize = 60;
const STEP_MS: i64 = 15_000;
const ROUNDS: usize = 3;
/// At least this share of remote write's rate is asked for.
const ASKED: f64 = 1.0 / 3.0;
const GRPC_PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// How the samples are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    RemoteWrite,
    Http,
    /// As collectors send by default.
    HttpGzip,
    Grpc,
}

impl Way {
    const ALL: [Way; 4] = [Way::RemoteWrite, Way::Http, Way::HttpGzip, Way::Grpc];

    fn name(self) -> &'static str {
        match self {
            Way::RemoteWrite => "remote write 1.0",
            Way::Http => "OTLP over HTTP, protobuf",
            Way::HttpGzip => "OTLP over HTTP, protobuf, gzip",
            Way::Grpc => "OTLP over gRPC",
        }
    }

    /// The bodies, in the order in which one agent sends them.
    fn bodies(self, start_ms: i64) -> Result<Vec<Vec<u8>>, Fault> {
        let mut bodies = Vec::with_capacity(STEPS * SERIES / OF_REQUEST);
        for step in 0..STEPS {
            for first in (0..SERIES).step_by(OF_REQUEST) {
                bodies.push(match self {
                    Way::RemoteWrite => remote_write_body(first, step, start_ms)?,
                    Way::Http => otlp_body(first, step, start_ms),
                    Way::HttpGzip => gzip(&otlp_body(first, step, start_ms))?,
                    Way::Grpc => framed(&otlp_body(first, step, start_ms)),
                });
            }
        }
        Ok(bodies)
    }

    fn client(self) -> Result<Client, reqwest::Error> {
        match self {
            Way::Grpc => Client::builder().http2_prior_knowledge().build(),
            _ => Ok(Client::new()),
        }
    }

    fn request(self, client: &Client, server: &Process, grpc: &str, body: Vec<u8>) -> RequestBuilder {
        let http = client.post(format!("{}/v1/metrics", server.url)).header("content-type", "application/x-protobuf");
        match self {
            Way::RemoteWrite => remote_write::request(client, &server.url, body),
            Way::Http => http.body(body),
            Way::HttpGzip => http.header("content-encoding", "gzip").body(body),
            Way::Grpc => {
                let call = client.post(format!("{grpc}{GRPC_PATH}")).header("content-type", "application/grpc");
                call.header("te", "trailers").body(body)
            }
        }
    }
}

/// What one way came to, round by round.
#[derive(Debug, Default)]
struct Rounds {
    samples_per_cpu_second: Vec<f64>,
    seconds: Vec<f64>,
    peak_bytes: Vec<f64>,
    disk_bytes_per_sample: Vec<f64>,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let mut all = Way::ALL.map(|way| (way, Rounds::default()));
    for round in 0..ROUNDS {
        for (way, rounds) in &mut all {
            measure(bench, *way, rounds).await?;
            println!(
                "round {}: {}: {:?} samples a CPU-second",
                round + 1,
                way.name(),
                rounds.samples_per_cpu_second.last()
            );
        }
    }
    bench.publish("otlp", &report(&all)?)
}

async fn measure(bench: &Bench, way: Way, rounds: &mut Rounds) -> Result<(), Fault> {
    let bodies = way.bodies(model::SystemClock.now_ms() - STEPS as i64 * STEP_MS)?;
    let folder = bench.fresh("otlp")?;
    let (server, grpc) = peers::fleetscope_with_grpc(&folder).await?;
    let (client, begin, before) = (way.client()?, Instant::now(), server.cpu_seconds()?);
    for body in bodies {
        let answer = way.request(&client, &server, &grpc, body).send().await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("{}: {status}: {}", way.name(), answer.text().await?).into());
        }
        answer.bytes().await?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    // A request may be answered well and have points that were not: of gRPC the client does not even see the status.
    let names = ["fleetscope_storage_samples_total", "fleetscope_otlp_refused_data_points_total"];
    let [taken, refused] = server.metrics(names).await?;
    let samples = (SERIES * STEPS) as f64;
    if taken < samples || refused > 0.0 {
        return Err(format!("{}: {taken} of {samples} samples were taken, {refused} refused", way.name()).into());
    }
    let ended = server.terminate().await?;
    rounds.samples_per_cpu_second.push(samples / (ended.cpu_seconds - before));
    rounds.seconds.push(seconds);
    rounds.peak_bytes.push(ended.peak_bytes as f64);
    rounds.disk_bytes_per_sample.push(folder_bytes(&folder.join("store"))? as f64 / samples);
    Ok(())
}

fn report(all: &[(Way, Rounds)]) -> Result<String, Fault> {
    let mut table = Table::new([
        "one connection",
        "samples a CPU-second",
        "to remote write",
        "seconds until the last answer",
        "MB of memory at most",
        "bytes on disk a sample",
    ]);
    let rate = |rounds: &Rounds| median(&rounds.samples_per_cpu_second);
    let base = all.first().map_or(f64::NAN, |(_, rounds)| rate(rounds));
    for (way, rounds) in all {
        table.row([
            way.name().to_owned(),
            format!("{:.0} k", rate(rounds) / 1e3),
            format!("**{:.2}**", rate(rounds) / base),
            format!("{:.2}", median(&rounds.seconds)),
            format!("{:.0}", median(&rounds.peak_bytes) / 1e6),
            format!("{:.2}", median(&rounds.disk_bytes_per_sample)),
        ]);
    }
    let least = all.iter().map(|(_, rounds)| rate(rounds) / base).fold(f64::INFINITY, f64::min);
    let holds = if least >= ASKED { "holds" } else { "**is missed**" };
    Ok(format!("{}\n\n{table}\nAt least {ASKED:.2} of remote write was asked for, which {holds}.", markdown::origin()?))
}

/// Where a request of OTLP comes from; each has its own series.
fn instance(first: usize) -> String {
    format!("10.12.0.{}:10250", first / OF_REQUEST)
}

fn remote_write_body(first: usize, step: usize, start_ms: i64) -> Result<Vec<u8>, snap::Error> {
    let (mut request, instance) = (wire::Request::default(), instance(first));
    for index in first..first + OF_REQUEST {
        let labels = wire::kubelet_labels(index);
        let labels = labels.iter().map(|(name, value)| (*name, if *name == "instance" { &instance } else { value }));
        let labels = wire::labels(labels.map(|(name, value)| (name, value.as_str())));
        request.push(&labels, [(start_ms + step as i64 * STEP_MS, value(index, step))].into_iter());
    }
    request.compressed()
}

/// By hand, from the definition: `ResourceMetrics{resource=1, scope_metrics=2}`, `ScopeMetrics{scope=1, metrics=2}`,
/// `Metric{name=1, description=2, unit=3, sum=7}`, `Sum{data_points=1, aggregation_temporality=2, is_monotonic=3}`,
/// `NumberDataPoint{start_time_unix_nano=2, time_unix_nano=3, as_double=4, attributes=7}`.
fn otlp_body(first: usize, step: usize, start_ms: i64) -> Vec<u8> {
    let (mut resource, mut scope, mut sum) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in [
        ("service.name", "kubelet"),
        ("service.instance.id", &instance(first)),
        ("service.version", "1.42.7"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.language", "go"),
        ("telemetry.sdk.version", "1.38.0"),
        ("host.name", &format!("ip-10-12-0-{}", first / OF_REQUEST)),
        ("os.type", "linux"),
    ] {
        attribute(&mut resource, 1, key, value);
    }
    field(&mut scope, 1, b"example.com/kubelet/metrics");
    for index in first..first + OF_REQUEST {
        field(&mut sum, 1, &point(index, step, start_ms));
    }
    // Cumulative, and only ever growing.
    sum.extend_from_slice(&[0x10, 2, 0x18, 1]);
    let (mut metric, mut of_scope, mut of_resource, mut body) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    field(&mut metric, 1, b"container.network.receive");
    field(&mut metric, 2, b"Bytes that came in over the network.");
    field(&mut metric, 3, b"By");
    field(&mut metric, 7, &sum);
    field(&mut of_scope, 1, &scope);
    field(&mut of_scope, 2, &metric);
    field(&mut of_resource, 1, &resource);
    field(&mut of_resource, 2, &of_scope);
    field(&mut body, 1, &of_resource);
    body
}

fn point(index: usize, step: usize, start_ms: i64) -> Vec<u8> {
    let mut point = Vec::with_capacity(512);
    let nanos = |ms: i64| (ms as u64 * 1_000_000).to_le_bytes();
    point.push(2 << 3 | 1);
    point.extend_from_slice(&nanos(start_ms - STEP_MS));
    point.push(3 << 3 | 1);
    point.extend_from_slice(&nanos(start_ms + step as i64 * STEP_MS));
    point.push(4 << 3 | 1);
    point.extend_from_slice(&value(index, step).to_bits().to_le_bytes());
    for (name, value) in wire::kubelet_labels(index) {
        // These three come from elsewhere.
        if !["__name__", "instance", "job"].contains(&name) {
            attribute(&mut point, 7, name, &value);
        }
    }
    point
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// A message as gRPC has it: not compressed, its length, itself.
fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend_from_slice(&(message.len() as u32).to_be_bytes());
    frame.extend_from_slice(message);
    frame
}
