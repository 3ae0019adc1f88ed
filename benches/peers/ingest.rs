//! The head alone: appending to known series, and replaying the log after a kill. Samples per CPU-second.
//!
//! Ours appends through `Ingest::write`, 500 series a batch, eight batches on their way at once, each answered once it is
//! synced. Prometheus' side is `promtool tsdb bench write`: its head and its log, appended to by series reference, without
//! a request, a lookup of labels or a sync. Both replay in the real server, whose own start on an empty store is taken off.

use std::path::Path;
use std::process::{Command, Stdio};

use futures::{StreamExt, TryStreamExt};
use model::{Batch, Ingest};

use crate::fleet::{Fleet, MAX_SAMPLES, yesterday_noon_ms};
use crate::process::{Process, children_cpu_seconds, own_cpu_seconds};
use crate::report::{Contender, table};
use crate::scrapes::Scrapes;
use crate::stores::Stopped;
use crate::{Bench, Fault, peers};

const INSTANCES: usize = 12;
const OF_BATCH: usize = 500;
const AT_ONCE: usize = 8;
const ROUNDS: usize = 3;
/// `promtool` makes hundreds of samples only.
const SCRAPES: usize = 500;

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let fleet = Fleet::new(&Scrapes::load(bench).await?, INSTANCES, MAX_SAMPLES, yesterday_noon_ms())?;
    let mut append = [Contender::new("ours"), Contender::new("Prometheus")];
    let mut replay = [Contender::new("ours"), Contender::new("Prometheus")];
    for _ in 0..ROUNDS {
        let folder = bench.fresh("ingest")?;
        let (samples, seconds) = append_ours(&folder, &fleet).await?;
        append[0].rounds.push(samples / seconds);
        let seconds = until_ready(peers::fleetscope_starting(&folder, "")?, "/readyz").await?;
        let empty = until_ready(peers::fleetscope_starting(&bench.fresh("ingest-empty")?, "")?, "/readyz").await?;
        replay[0].rounds.push(samples / (seconds - empty));

        let (samples, seconds) = append_prometheus(&folder, &fleet)?;
        append[1].rounds.push(samples / seconds);
        let starting = peers::prometheus_starting(&folder, &folder.join("out/storage"), "")?;
        let seconds = until_ready(starting, "/-/ready").await?;
        let scratch = bench.fresh("ingest-empty")?;
        let starting = peers::prometheus_starting(&scratch, &scratch.join("tsdb"), "")?;
        replay[1].rounds.push(samples / (seconds - until_ready(starting, "/-/ready").await?));
    }
    println!("{} series", fleet.series.len());
    table("samples a CPU-second, append", true, &append);
    table("samples a CPU-second, replay", true, &replay);
    Ok(())
}

/// CPU seconds of a process from its start until it is ready. It is killed then.
async fn until_ready(mut process: Process, path: &str) -> Result<f64, Fault> {
    process.answers(path).await?;
    process.cpu_seconds()
}

/// Samples appended to known series, and the CPU seconds that took. They are left in the journal.
async fn append_ours(folder: &Path, fleet: &Fleet) -> Result<(f64, f64), Fault> {
    let stopped = Stopped::open(folder, fleet.start_ms).await?;
    let first: Vec<Batch> = fleet.chunks(OF_BATCH).map(|chunk| fleet.batch(chunk, 0..1)).collect();
    write(&stopped, first.clone()).await?;
    let (mut samples, mut seconds) = (0, 0.0);
    for i in 1..MAX_SAMPLES {
        let mut batches = first.clone();
        for (batch, chunk) in batches.iter_mut().zip(fleet.chunks(OF_BATCH)) {
            for (sample, series) in batch.samples.iter_mut().zip(&fleet.series[chunk]) {
                (sample.time_ms, sample.value) = (fleet.time_ms(i), series.value(i));
            }
            samples += batch.samples.len();
        }
        let before = own_cpu_seconds()?;
        write(&stopped, batches).await?;
        seconds += own_cpu_seconds()? - before;
    }
    stopped.abandon(folder).await?;
    Ok((samples as f64, seconds))
}

async fn write(stopped: &Stopped, batches: Vec<Batch>) -> Result<(), Fault> {
    let writes = batches.into_iter().map(|batch| stopped.store.write(batch));
    futures::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    Ok(())
}

/// Samples that `promtool` appended, and the CPU seconds that took. They are left in the log.
fn append_prometheus(folder: &Path, fleet: &Fleet) -> Result<(f64, f64), Fault> {
    let (input, out) = (folder.join("series.json"), folder.join("out"));
    let mut text = String::new();
    for series in &fleet.series {
        // It splits at every comma and colon, wherever they are.
        let label = |(name, value): &(String, String)| format!("\"{name}\":\"{}\"", value.replace([',', ':'], "-"));
        let labels: Vec<String> = series.labels.iter().map(label).collect();
        text += &format!("{{{}}}\n", labels.join(","));
    }
    std::fs::write(&input, text)?;
    let before = children_cpu_seconds()?;
    let output = Command::new("promtool")
        .args(["tsdb", "bench", "write"])
        .arg(format!("--out={}", out.display()))
        .arg(format!("--metrics={}", fleet.series.len()))
        .arg(format!("--scrapes={SCRAPES}"))
        .arg(&input)
        .stderr(Stdio::piped())
        .output()?;
    let seconds = children_cpu_seconds()? - before;
    let printed = String::from_utf8_lossy(&output.stdout);
    let total = printed.lines().find_map(|line| line.trim().strip_prefix("> total samples:"));
    let total = total.ok_or_else(|| format!("promtool: {printed}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((total.trim().parse()?, seconds))
}
