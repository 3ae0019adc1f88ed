//! Scraping the same targets: CPU and memory per sample, ours beside Prometheus and VictoriaMetrics, all at the same time.
//!
//! The pages are the recorded ones of a node exporter, served from this process to each of 200 targets. Ours syncs each page to
//! disk before it counts as scraped; the others do not.

use std::time::Duration;

use crate::pages::{PageServer, with_cluster};
use crate::process::{Process, folder_bytes};
use crate::report::{Contender, table};
use crate::scrapes::Scrapes;
use crate::{Bench, Fault, peers};

const TARGETS: usize = 200;
const INTERVAL: &str = "5s";
/// All targets are scraped before it is measured, some of them twice: the first pages have unknown series.
const WARM_UP: Duration = Duration::from_secs(12);
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(20);
const NAMES: [&str; 3] = ["ours", "Prometheus", "VictoriaMetrics"];
/// What tells the contenders apart.
const PATHS: [&str; 3] = ["/ours", "/prometheus", "/victoria"];

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let server = PageServer::start(Scrapes::load(bench).await?.node)?;
    let folders = ["ours", "prometheus", "victoria"].map(|name| bench.fresh(&format!("scrape-{name}")));
    let [ours, theirs, victoria] = folders;
    let (ours, theirs, victoria) = (ours?, theirs?, victoria?);
    let jobs = PATHS.map(|path| server.scrape_configs(path, INTERVAL, 0..TARGETS));
    let processes = [
        peers::fleetscope(&ours, &with_cluster(&jobs[0])).await?,
        peers::prometheus(&theirs, &jobs[1]).await?,
        peers::victoria_metrics_scraping(&victoria, &jobs[2]).await?,
    ];
    let served = || PATHS.map(|path| server.served(path));
    let mut contenders = NAMES.map(Contender::new);
    tokio::time::sleep(WARM_UP).await;
    for _ in 0..ROUNDS {
        let (cpu, samples) = (seconds(&processes)?, served());
        tokio::time::sleep(ROUND).await;
        let (cpu_after, samples_after) = (seconds(&processes)?, served());
        for (place, contender) in contenders.iter_mut().enumerate() {
            let samples = (samples_after[place] - samples[place]) as f64;
            contender.rounds.push((cpu_after[place] - cpu[place]) * 1e9 / samples);
        }
    }
    println!("{TARGETS} targets at {INTERVAL}, a page of {} samples each", server.samples_of_page);
    table("ns of CPU a sample", false, &contenders);
    let mut memory = NAMES.map(Contender::new);
    let mut disk = NAMES.map(Contender::new);
    let served = served();
    for (place, folder) in [&ours, &theirs, &victoria].into_iter().enumerate() {
        memory[place].rounds.push(processes[place].resident_bytes()? as f64 / 1e6);
        disk[place].rounds.push(folder_bytes(folder)? as f64 / served[place] as f64);
    }
    table("MB of memory", false, &memory);
    println!("on disk after {} samples, before anything is compacted; ours is the journal alone:", served[0]);
    table("bytes a sample", false, &disk);
    Ok(())
}

fn seconds(processes: &[Process; 3]) -> Result<[f64; 3], Fault> {
    let [ours, prometheus, victoria] = processes;
    Ok([ours.cpu_seconds()?, prometheus.cpu_seconds()?, victoria.cpu_seconds()?])
}
