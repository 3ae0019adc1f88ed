//! Scraping the same targets: CPU and memory per sample, ours beside Prometheus and VictoriaMetrics, all at the same time.
//!
//! The pages are the recorded ones of a node exporter, served from this process to each of 200 targets. Ours syncs each page to
//! disk before it counts as scraped; the others do not.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    let jobs = PATHS.map(|path| server.scrape_configs(path));
    let processes = [
        peers::fleetscope(&ours, &jobs[0].replace("job_name: node", "job_name: node\n    cluster: fleet")).await?,
        peers::prometheus(&theirs, &jobs[1]).await?,
        peers::victoria_metrics_scraping(&victoria, &jobs[2]).await?,
    ];
    let mut contenders = NAMES.map(Contender::new);
    tokio::time::sleep(WARM_UP).await;
    for _ in 0..ROUNDS {
        let (cpu, samples) = (seconds(&processes)?, server.served());
        tokio::time::sleep(ROUND).await;
        let (cpu_after, samples_after) = (seconds(&processes)?, server.served());
        for (place, contender) in contenders.iter_mut().enumerate() {
            let samples = (samples_after[place] - samples[place]) as f64;
            contender.rounds.push((cpu_after[place] - cpu[place]) * 1e9 / samples);
        }
    }
    println!("{TARGETS} targets at {INTERVAL}, a page of {} samples each", server.samples_of_page);
    table("ns of CPU a sample", false, &contenders);
    let mut memory = NAMES.map(Contender::new);
    let mut disk = NAMES.map(Contender::new);
    let served = server.served();
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

/// Serves the pages in turn; counts samples by who asked.
#[derive(Debug)]
struct PageServer {
    port: u16,
    served: Arc<[AtomicU64; 3]>,
    samples_of_page: u64,
}

impl PageServer {
    fn start(pages: Vec<String>) -> Result<Self, Fault> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let pages: Arc<Vec<(String, u64)>> = Arc::new(pages.into_iter().map(counted).collect());
        let served: Arc<[AtomicU64; 3]> = Arc::default();
        let samples_of_page = pages.first().map_or(0, |(_, samples)| *samples);
        let of_thread = Arc::clone(&served);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (pages, served) = (Arc::clone(&pages), Arc::clone(&of_thread));
                // A connection that breaks off ends its thread, nothing else.
                std::thread::spawn(move || serve(stream, &pages, &served));
            }
        });
        Ok(PageServer { port, served, samples_of_page })
    }

    fn served(&self) -> [u64; 3] {
        [0, 1, 2].map(|place| self.served[place].load(Ordering::Relaxed))
    }

    /// The configuration of a scraper that asks for `path`, in Prometheus' words.
    fn scrape_configs(&self, path: &str) -> String {
        let target = |n| format!("      - {{targets: ['127.0.0.1:{}'], labels: {{instance: node-{n}}}}}\n", self.port);
        let targets: String = (0..TARGETS).map(target).collect();
        format!(
            "global: {{scrape_interval: {INTERVAL}}}\nscrape_configs:\n  - job_name: node\n    metrics_path: {path}\n    \
             static_configs:\n{targets}"
        )
    }
}

fn counted(page: String) -> (String, u64) {
    let samples = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64;
    (page, samples)
}

fn serve(stream: TcpStream, pages: &[(String, u64)], served: &[AtomicU64; 3]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    for number in 0.. {
        let (mut first, mut line) = (String::new(), String::new());
        if reader.read_line(&mut first)? == 0 {
            break;
        }
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let (page, samples) = &pages[number % pages.len()];
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: ";
        writer.write_all(format!("{head}{}\r\n\r\n{page}", page.len()).as_bytes())?;
        if let Some(place) = PATHS.iter().position(|path| first.contains(path)) {
            served[place].fetch_add(*samples, Ordering::Relaxed);
        }
    }
    Ok(())
}
