//! A server of the recorded pages of a node exporter, as many targets: each has an address of its own on the loopback, so
//! that each is asked over its own connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::Fault;

/// A thread that serves a connection needs no more.
const STACK_BYTES: usize = 256 << 10;

/// Serves the pages in turn to each connection; notes who asked, and when.
#[derive(Debug)]
pub(crate) struct PageServer {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    pub(crate) samples_of_page: u64,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The target that was asked.
    pub(crate) target: IpAddr,
    /// What tells who asked.
    pub(crate) path: String,
    pub(crate) at: Instant,
    samples: u64,
}

impl PageServer {
    pub(crate) fn start(pages: Vec<String>) -> Result<Self, Fault> {
        let listener = TcpListener::bind("0.0.0.0:0")?;
        let port = listener.local_addr()?.port();
        let pages: Arc<Vec<(String, u64)>> = Arc::new(pages.into_iter().map(counted).collect());
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let samples_of_page = pages.first().map_or(0, |(_, samples)| *samples);
        let of_thread = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (pages, requests) = (Arc::clone(&pages), Arc::clone(&of_thread));
                let serves = std::thread::Builder::new().stack_size(STACK_BYTES);
                // A connection that breaks off ends its thread, nothing else; one without a thread breaks off.
                let _ = serves.spawn(move || serve(stream, &pages, &requests));
            }
        });
        Ok(PageServer { port, requests, samples_of_page })
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Samples that were served under this path.
    pub(crate) fn served(&self, path: &str) -> u64 {
        let requests = self.requests();
        requests.iter().filter(|request| request.path == path).map(|request| request.samples).sum()
    }

    /// The configuration of a scraper that asks these targets for `path`, in Prometheus' words.
    pub(crate) fn scrape_configs(&self, path: &str, interval: &str, targets: Range<usize>) -> String {
        let target =
            |n| format!("      - {{targets: ['{}:{}'], labels: {{instance: node-{n}}}}}\n", address(n), self.port);
        let targets: String = targets.map(target).collect();
        format!(
            "global: {{scrape_interval: {interval}}}\nscrape_configs:\n  - job_name: node\n    metrics_path: {path}\n    \
             static_configs:\n{targets}"
        )
    }
}

/// The same configuration for ours, which wants to know the cluster.
pub(crate) fn with_cluster(yaml: &str) -> String {
    yaml.replace("job_name: node", "job_name: node\n    cluster: fleet")
}

/// The address of target `n`.
pub(crate) fn address(n: usize) -> IpAddr {
    Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250 + 1) as u8).into()
}

fn counted(page: String) -> (String, u64) {
    let samples = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64;
    (page, samples)
}

fn serve(stream: TcpStream, pages: &[(String, u64)], requests: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let target = stream.local_addr()?.ip();
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    for number in 0.. {
        let (mut first, mut line) = (String::new(), String::new());
        if reader.read_line(&mut first)? == 0 {
            break;
        }
        let at = Instant::now();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let (page, samples) = &pages[number % pages.len()];
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: ";
        writer.write_all(format!("{head}{}\r\n\r\n{page}", page.len()).as_bytes())?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let request = Request { target, path, at, samples: *samples };
        requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
    Ok(())
}
