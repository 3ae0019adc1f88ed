//! CPU per sample of fetching and keeping the same pages: a Prometheus that scrapes them, and ours that federates them.
//!
//! The pages are the recorded ones of a node exporter, served from this process ten times a second to each of four
//! targets. Each program has a twin without targets, whose CPU time is taken off. Ours syncs each page to disk before it
//! counts as fetched; Prometheus does not.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::process::Process;
use crate::report::{Contender, table};
use crate::scrapes::Scrapes;
use crate::{Bench, Fault, peers};

const TARGETS: usize = 4;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(12);

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let server = PageServer::start(Scrapes::load(bench).await?.node)?;
    let [ours_twin, ours_folder, theirs_twin, theirs_folder] =
        ["ours-twin", "ours", "prometheus-twin", "prometheus"].map(|name| bench.fresh(&format!("scrape-{name}")));
    let busy = [
        peers::fleetscope(&ours_folder?, &server.federate_configs()).await?,
        peers::prometheus(&theirs_folder?, &server.scrape_configs()).await?,
    ];
    let idle = [peers::fleetscope(&ours_twin?, "").await?, peers::prometheus(&theirs_twin?, "").await?];
    let mut contenders = [Contender::new("ours"), Contender::new("Prometheus")];
    // The first fetches meet unknown series.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for _ in 0..ROUNDS {
        let (cpu, samples) = (seconds(&busy, &idle)?, server.served());
        tokio::time::sleep(ROUND).await;
        let (cpu_after, samples_after) = (seconds(&busy, &idle)?, server.served());
        for (place, contender) in contenders.iter_mut().enumerate() {
            let samples = (samples_after[place] - samples[place]) as f64;
            contender.rounds.push((cpu_after[place] - cpu[place]) * 1e9 / samples);
        }
    }
    println!("{TARGETS} targets, a page of {} samples every 100 ms each", server.samples_of_page);
    table("ns of CPU a sample", false, &contenders);
    Ok(())
}

fn seconds(busy: &[Process; 2], idle: &[Process; 2]) -> Result<[f64; 2], Fault> {
    Ok([busy[0].cpu_seconds()? - idle[0].cpu_seconds()?, busy[1].cpu_seconds()? - idle[1].cpu_seconds()?])
}

/// Serves the pages in turn at any path; counts samples for paths of federation and for the rest.
#[derive(Debug)]
struct PageServer {
    port: u16,
    /// Samples served to ours, and to Prometheus.
    served: Arc<[AtomicU64; 2]>,
    samples_of_page: u64,
}

impl PageServer {
    fn start(pages: Vec<String>) -> Result<Self, Fault> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let pages: Arc<Vec<(String, u64)>> = Arc::new(pages.into_iter().map(counted).collect());
        let served: Arc<[AtomicU64; 2]> = Arc::default();
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

    fn served(&self) -> [u64; 2] {
        [self.served[0].load(Ordering::Relaxed), self.served[1].load(Ordering::Relaxed)]
    }

    fn federate_configs(&self) -> String {
        let source = |n| {
            format!("  - {{cluster: cluster-{n}, url: 'http://127.0.0.1:{}', scrape_interval: 100ms}}\n", self.port)
        };
        let clusters: String = (0..TARGETS).map(|n| format!("  - {{name: cluster-{n}}}\n")).collect();
        format!("clusters:\n{clusters}federate_configs:\n{}", (0..TARGETS).map(source).collect::<String>())
    }

    fn scrape_configs(&self) -> String {
        let target =
            |n| format!("      - {{targets: ['127.0.0.1:{}'], labels: {{cluster: cluster-{n}}}}}\n", self.port);
        let targets: String = (0..TARGETS).map(target).collect();
        format!(
            "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\nscrape_configs:\n  - job_name: node\n    \
             static_configs:\n{targets}"
        )
    }
}

fn counted(page: String) -> (String, u64) {
    let samples = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64;
    (page, samples)
}

fn serve(stream: TcpStream, pages: &[(String, u64)], served: &[AtomicU64; 2]) -> std::io::Result<()> {
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
        served[usize::from(!first.contains("/federate"))].fetch_add(*samples, Ordering::Relaxed);
    }
    Ok(())
}
