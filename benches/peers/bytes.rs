//! Bytes per sample of 60, 240 and 480 samples per series, everything that is kept of them included: our Delta tables,
//! Prometheus' block of its head, VictoriaMetrics' data and index after a forced merge.

use std::path::Path;
use std::time::Duration;

use reqwest::Client;

use crate::fleet::{Fleet, MAX_SAMPLES, yesterday_noon_ms};
use crate::process::{Process, folder_bytes};
use crate::scrapes::Scrapes;
use crate::stores::Stopped;
use crate::{Bench, Fault, peers, remote_write};

const INSTANCES: usize = 20;
const SAMPLES: [usize; 3] = [60, 240, MAX_SAMPLES];
/// Samples of a series in one request.
const OF_REQUEST: usize = 60;
/// Series of a request.
const SERIES: usize = 200;

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let fleet = Fleet::new(&Scrapes::load(bench).await?, INSTANCES, MAX_SAMPLES, yesterday_noon_ms())?;
    println!("{} series of {INSTANCES} instances, one sample every 15 s", fleet.series.len());
    let folder = bench.fresh("bytes")?;
    let prometheus = peers::prometheus(&folder, "").await?;
    let victoria = peers::victoria_metrics(&folder).await?;
    let client = Client::new();
    let mut written = 0;
    println!(
        "samples per series   ours (samples + series + log)   Prometheus (chunks + index)   VictoriaMetrics (data + index)"
    );
    for samples in SAMPLES {
        for from in (written..samples).step_by(OF_REQUEST) {
            for chunk in fleet.chunks(SERIES) {
                let body = fleet.request(chunk, from..samples.min(from + OF_REQUEST))?;
                remote_write::send(&client, &prometheus.url, body.clone()).await?;
                remote_write::send(&client, &victoria.url, body).await?;
            }
        }
        written = samples;
        let rows = (samples * fleet.series.len()) as f64;
        let ours = ours(&bench.fresh("bytes-ours")?, &fleet, samples).await?;
        let theirs = snapshot(&client, &prometheus, &folder).await?;
        let merged = merged(&client, &victoria, &folder).await?;
        let [ours, theirs, merged] = [ours, theirs, merged].map(|parts| parts.map(|bytes| bytes as f64 / rows));
        let sum = |parts: &[f64]| parts.iter().sum::<f64>();
        println!(
            "{samples:>18}   {:.3} ({:.3} + {:.3} + {:.4})   {:.3} ({:.3} + {:.3})   {:.3} ({:.3} + {:.3})",
            sum(&ours),
            ours[0],
            ours[1],
            ours[2],
            sum(&theirs),
            theirs[0],
            theirs[1],
            sum(&merged),
            merged[0],
            merged[1]
        );
        println!(
            "{:>18}   ours is {:.2} of Prometheus', {:.2} of VictoriaMetrics'",
            "",
            sum(&ours) / sum(&theirs),
            sum(&ours) / sum(&merged)
        );
    }
    Ok(())
}

/// Bytes of `samples`, of `series`, and of both tables' logs.
async fn ours(folder: &Path, fleet: &Fleet, samples: usize) -> Result<[u64; 3], Fault> {
    let stopped = Stopped::open(folder, fleet.start_ms).await?;
    stopped.block(fleet, 0..samples).await?;
    stopped.store.close().await?;
    let mut bytes = [0; 3];
    for (place, table) in ["samples", "series"].into_iter().enumerate() {
        let table = folder.join("store").join(table);
        let log = folder_bytes(&table.join("_delta_log"))?;
        bytes[place] = folder_bytes(&table)? - log;
        bytes[2] += log;
    }
    Ok(bytes)
}

/// Has Prometheus write its head as a block; bytes of chunks, and of index and the rest. The third is nothing.
async fn snapshot(client: &Client, prometheus: &Process, folder: &Path) -> Result<[u64; 3], Fault> {
    let url = format!("{}/api/v1/admin/tsdb/snapshot", prometheus.url);
    let answer: serde_json::Value =
        serde_json::from_str(&client.post(url).send().await?.error_for_status()?.text().await?)?;
    let name = answer["data"]["name"].as_str().ok_or("the snapshot has no name")?;
    let snapshot = folder.join("tsdb/snapshots").join(name);
    let (mut chunks, mut blocks) = (0, 0);
    for block in std::fs::read_dir(&snapshot)? {
        chunks += folder_bytes(&block?.path().join("chunks"))?;
        blocks += 1;
    }
    match blocks {
        1 => Ok([chunks, folder_bytes(&snapshot)? - chunks, 0]),
        n => Err(format!("the snapshot has {n} blocks, not one").into()),
    }
}

/// Has VictoriaMetrics merge all its parts; bytes of data and of index. The third is nothing.
async fn merged(client: &Client, victoria: &Process, folder: &Path) -> Result<[u64; 3], Fault> {
    for path in ["force_flush", "force_merge"] {
        client.get(format!("{}/internal/{path}", victoria.url)).send().await?.error_for_status()?;
    }
    let sizes = || -> Result<[u64; 3], Fault> {
        let victoria = folder.join("victoria");
        Ok([folder_bytes(&victoria.join("data"))?, folder_bytes(&victoria.join("indexdb"))?, 0])
    };
    // The merge goes on in the background; parts it has replaced go a little later.
    let (mut before, mut quiet) = ([0; 3], 0);
    while quiet < 4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let metrics = client.get(format!("{}/metrics", victoria.url)).send().await?.text().await?;
        let active = metrics.lines().any(|line| line.starts_with("vm_active_force_merges") && !line.ends_with(" 0"));
        // A part may go while the folder is listed: then it is not quiet yet.
        let now = sizes().unwrap_or_default();
        quiet = if !active && now == before && now != [0; 3] { quiet + 1 } else { 0 };
        before = now;
    }
    Ok(before)
}
