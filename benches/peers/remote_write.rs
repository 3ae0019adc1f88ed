//! Remote write as agents send it: 500 samples a request, 13 labels of about 400 bytes each, over one connection and over
//! eight. Of each contender, for the same requests: samples per CPU-second, the time until the last answer, the peak of
//! its memory, the bytes on its disk.
//!
//! CPU counts from the first request until the process has ended in good order, which a SIGTERM asks for: by then all of
//! our rows lie in committed blocks, and the peers have flushed what they flush. Ours answers once the samples are synced
//! to disk; the peers do not.

use std::path::Path;
use std::time::Instant;

use futures::future::try_join_all;
use model::Clock;
use reqwest::{Client, RequestBuilder};

use crate::load::value;
use crate::markdown::{self, Table};
use crate::process::folder_bytes;
use crate::report::{Contender, table, times_better};
use crate::{Bench, Fault, peers, wire};

const SERIES: usize = 20_000;
const OF_REQUEST: usize = 500;
const STEPS: usize = 60;
const ROUNDS: usize = 3;
const NAMES: [&str; 3] = ["ours", "VictoriaMetrics", "Prometheus"];

/// What is compared, whether more of it is better, and how many times better than the peers ours is to be.
const UNITS: [(&str, bool, &str); 4] = [
    ("samples a CPU-second", true, "4, 10"),
    ("seconds until the last answer", false, ""),
    ("MB of memory at most", false, "1"),
    ("bytes on disk a sample", false, ""),
];

/// What a contender came to.
struct Figures {
    samples_per_cpu_second: f64,
    seconds: f64,
    peak_bytes: f64,
    disk_bytes_per_sample: f64,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let requests = requests()?;
    println!("{} samples of {SERIES} series, {OF_REQUEST} a request", SERIES * STEPS);
    let mut found = Table::new(["", NAMES[0], NAMES[1], NAMES[2], "times better", "target"]);
    for (connections, over) in [(1, "one connection"), (8, "eight connections")] {
        let mut tables = [(); 4].map(|()| NAMES.map(Contender::new));
        for _ in 0..ROUNDS {
            let folder = bench.fresh("remote-write")?;
            for place in 0..NAMES.len() {
                let figures = measure(place, &folder, &requests, connections).await?;
                let Figures { samples_per_cpu_second, seconds, peak_bytes, disk_bytes_per_sample } = figures;
                let values = [samples_per_cpu_second, seconds, peak_bytes / 1e6, disk_bytes_per_sample];
                for (table, value) in tables.iter_mut().zip(values) {
                    table[place].rounds.push(value);
                }
            }
        }
        println!("-- {over}");
        for ((unit, more_is_better, target), contenders) in UNITS.into_iter().zip(&tables) {
            table(unit, more_is_better, contenders);
            let [ours, victoria, prometheus] = contenders.each_ref().map(Contender::shown);
            let [of_victoria, of_prometheus] = [1, 2].map(|place| times_better(more_is_better, contenders, place));
            let better = format!("**{of_victoria:.2}, {of_prometheus:.2}**");
            let what = format!("{over}: {unit}");
            found.row([what, ours, victoria, prometheus, better, target.to_owned()]);
        }
    }
    bench.publish("remote_write", &format!("{}\n\n{found}", markdown::origin()?))
}

/// The compressed bodies, in the order in which one agent sends them.
fn requests() -> Result<Vec<Vec<u8>>, Fault> {
    let series: Vec<Vec<u8>> = (0..SERIES).map(wire::kubelet).collect();
    let start_ms = model::SystemClock.now_ms() - STEPS as i64 * 15_000;
    let mut requests = Vec::with_capacity(STEPS * SERIES / OF_REQUEST);
    for step in 0..STEPS {
        for (chunk, of_chunk) in series.chunks(OF_REQUEST).enumerate() {
            let mut request = wire::Request::default();
            for (place, labels) in of_chunk.iter().enumerate() {
                let index = chunk * OF_REQUEST + place;
                request.push(labels, [(start_ms + step as i64 * 15_000, value(index, step))].into_iter());
            }
            requests.push(request.compressed()?);
        }
    }
    Ok(requests)
}

async fn measure(place: usize, folder: &Path, requests: &[Vec<u8>], connections: usize) -> Result<Figures, Fault> {
    let process = match place {
        0 => peers::fleetscope(folder, "").await?,
        1 => peers::victoria_metrics(folder).await?,
        _ => peers::prometheus(folder, "").await?,
    };
    let data = folder.join(["store", "victoria", "tsdb"][place]);
    let (begin, before) = (Instant::now(), process.cpu_seconds()?);
    // A connection has series of its own, as each shard of an agent has, so that the samples of a series keep their order.
    let senders = (0..connections).map(|sender| {
        let own = requests.iter().enumerate().filter(move |(at, _)| at % (SERIES / OF_REQUEST) % connections == sender);
        send_all(&process.url, own.map(|(_, body)| body))
    });
    try_join_all(senders).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let ended = process.terminate().await?;
    let samples = (SERIES * STEPS) as f64;
    Ok(Figures {
        samples_per_cpu_second: samples / (ended.cpu_seconds - before),
        seconds,
        peak_bytes: ended.peak_bytes as f64,
        disk_bytes_per_sample: folder_bytes(&data)? as f64 / samples,
    })
}

async fn send_all<'a>(url: &str, bodies: impl Iterator<Item = &'a Vec<u8>>) -> Result<(), Fault> {
    let client = Client::new();
    for body in bodies {
        send(&client, url, body.clone()).await?;
    }
    Ok(())
}

/// Sends a request; it must be taken.
pub(crate) async fn send(client: &Client, url: &str, body: Vec<u8>) -> Result<(), Fault> {
    let answer = request(client, url, body).send().await?;
    let status = answer.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("{url}: {status}: {}", answer.text().await?).into()),
    }
}

/// A request as agents send it.
pub(crate) fn request(client: &Client, url: &str, body: Vec<u8>) -> RequestBuilder {
    let request = client
        .post(format!("{url}/api/v1/write"))
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0");
    request.body(body)
}
