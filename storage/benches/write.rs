//! Writing samples of known series, 500 a batch: nanoseconds of CPU a sample, until the last is answered and until the last
//! lies in a committed block. Without a request and its decoding; for profiles of the store alone.
//!
//! Run: `cargo bench -p storage --bench write`, with the number of batches that are on their way at once behind `--`

use std::error::Error;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use model::batch::{Kind, Sample};
use model::files::Disk;
use model::{Batch, Clock, Ingest, SystemClock};
use storage::{Config, Parts, Store};

const SERIES: usize = 20_000;
const OF_BATCH: usize = 500;
const STEPS: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let at_once = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(at_once))
}

async fn measure(at_once: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = Config { url: folder.path().display().to_string(), ..Config::default() };
    let store = Store::open(config, Parts { files: Arc::new(Disk), clock: Arc::new(SystemClock) }).await?;
    let known: Vec<Batch> = (0..SERIES / OF_BATCH).map(batch).collect();
    let start_ms = SystemClock.now_ms() - STEPS as i64 * 15_000;
    let mut batches = Vec::new();
    for step in 0..STEPS {
        for (chunk, known) in known.iter().enumerate() {
            let mut batch = known.clone();
            batch.samples = (0..OF_BATCH)
                .map(|place| {
                    let index = chunk * OF_BATCH + place;
                    let value = (index * 1234 + step * (index % 7 + 1)) as f64 + 0.5;
                    Sample { series: place as u32, time_ms: start_ms + step as i64 * 15_000, value }
                })
                .collect();
            batches.push(batch);
        }
    }
    let before = cpu_seconds()?;
    let writes = batches.into_iter().map(|batch| store.write(batch));
    futures::stream::iter(writes).buffered(at_once).try_collect::<Vec<_>>().await?;
    let written = cpu_seconds()?;
    store.close().await?;
    let closed = cpu_seconds()?;
    let of_sample = |from: f64, to: f64| (to - from) * 1e9 / (SERIES * STEPS) as f64;
    println!(
        "{at_once} at once: written {:.0} ns, cut {:.0} ns",
        of_sample(before, written),
        of_sample(written, closed)
    );
    Ok(())
}

/// The series of a batch, without samples.
fn batch(chunk: usize) -> Batch {
    let mut builder = model::batch::BatchBuilder::default();
    for index in chunk * OF_BATCH..(chunk + 1) * OF_BATCH {
        let labels = [
            ("container", "checkout-service".to_owned()),
            ("endpoint", "https-metrics".to_owned()),
            ("id", format!("/kubepods/burstable/pod{index:032x}/{:016x}", index * 7919)),
            ("image", "registry.example.com/shop/checkout:v1.42.7".to_owned()),
            ("instance", format!("10.12.{}.{}:10250", index / 250, index % 250)),
            ("job", "kubelet".to_owned()),
            ("namespace", "production".to_owned()),
            ("node", format!("ip-10-12-{}-{}.eu-central-1", index / 250, index % 250)),
            ("pod", format!("checkout-service-7d9c5b6f4-{index:05x}")),
        ];
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        builder.series("container_network_receive_bytes_total", &labels, Kind::Unknown);
    }
    builder.build()
}

/// CPU seconds of this process, user and system.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name in stat")?.1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}
