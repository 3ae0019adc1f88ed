//! Remote write as agents send it: 500 samples a request, 13 labels of about 400 bytes each, one connection. Samples per
//! CPU-second of the whole process, from its first request to two seconds after its last answer.
//!
//! Ours answers once the samples are synced to disk; the peers do not.

use std::path::Path;
use std::time::Duration;

use model::Clock;
use reqwest::Client;

use crate::process::Process;
use crate::report::{Contender, table};
use crate::{Bench, Fault, peers, wire};

const SERIES: usize = 10_000;
const OF_REQUEST: usize = 500;
const STEPS: usize = 120;
const ROUNDS: usize = 3;

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let series: Vec<Vec<u8>> = (0..SERIES).map(wire::kubelet).collect();
    let mut contenders = [Contender::new("ours"), Contender::new("VictoriaMetrics"), Contender::new("Prometheus")];
    for _ in 0..ROUNDS {
        let folder = bench.fresh("remote-write")?;
        for (place, contender) in contenders.iter_mut().enumerate() {
            let process = start(place, &folder).await?;
            contender.rounds.push((SERIES * STEPS) as f64 / write(&process, &series).await?);
        }
    }
    println!("{} samples of {SERIES} series, {OF_REQUEST} a request", SERIES * STEPS);
    table("samples a CPU-second", true, &contenders);
    Ok(())
}

async fn start(place: usize, folder: &Path) -> Result<Process, Fault> {
    match place {
        0 => peers::fleetscope(folder, "").await,
        1 => peers::victoria_metrics(folder).await,
        _ => peers::prometheus(folder, "").await,
    }
}

/// Sends everything; CPU seconds that the process took.
async fn write(process: &Process, series: &[Vec<u8>]) -> Result<f64, Fault> {
    let (client, before) = (Client::new(), process.cpu_seconds()?);
    let start_ms = model::SystemClock.now_ms() - STEPS as i64 * 15_000;
    for step in 0..STEPS {
        for (chunk, of_chunk) in series.chunks(OF_REQUEST).enumerate() {
            let mut request = wire::Request::default();
            for (place, labels) in of_chunk.iter().enumerate() {
                let index = chunk * OF_REQUEST + place;
                let value = (index * 1234 + step * (index % 7 + 1)) as f64 + 0.5;
                request.push(labels, [(start_ms + step as i64 * 15_000, value)].into_iter());
            }
            send(&client, &process.url, request.compressed()?).await?;
        }
    }
    // What the peers put off until after the answer is part of it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(process.cpu_seconds()? - before)
}

/// Sends a request; it must be taken.
pub(crate) async fn send(client: &Client, url: &str, body: Vec<u8>) -> Result<(), Fault> {
    let request = client
        .post(format!("{url}/api/v1/write"))
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0");
    let answer = request.body(body).send().await?;
    let status = answer.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("{url}: {status}: {}", answer.text().await?).into()),
    }
}
