//! Asks the installed Prometheus what it does with each body of `tests/text_cases.txt`.
//!
//! One server scrapes all bodies at once, each from a path of its own, and is asked which of them it took.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cases;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the bodies at `/0`, `/1`, … until the process ends.
fn serve(bodies: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let path = String::from_utf8_lossy(&request);
            let index = path.split_whitespace().nth(1).and_then(|path| path[1..].parse::<usize>().ok());
            let body = index.and_then(|index| bodies.get(index)).map_or(&b"?"[..], |body| body);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(body);
        }
    });
    address
}

fn get(address: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// The scrape health and error of each case, once all were scraped.
fn targets(address: SocketAddr, count: usize) -> Option<Vec<(bool, String)>> {
    let answer = get(address, "/api/v1/targets?state=active")?;
    let mut found = vec![None; count];
    for target in answer["data"]["activeTargets"].as_array()? {
        let index = target["labels"]["job"].as_str()?.parse::<usize>().ok()?;
        let (health, error) = (target["health"].as_str()?, target["lastError"].as_str()?);
        // A scrape that a busy machine did not get to says nothing of the body.
        if health != "unknown" && !error.contains("deadline exceeded") {
            found[index] = Some((health == "up", error.to_owned()));
        }
    }
    found.into_iter().collect()
}

#[test]
fn the_facts_about_prometheus_hold() {
    let cases = cases::all();
    let bodies = serve(cases.iter().map(|case| case.body.clone()).collect());
    let folder = tempfile::tempdir().unwrap();
    let mut config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
    for index in 0..cases.len() {
        let target =
            format!("{{job_name: '{index}', metrics_path: '/{index}', static_configs: [{{targets: ['{bodies}']}}]}}");
        writeln!(config, "- {target}").unwrap();
    }
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let program = std::env::var("PROMETHEUS").unwrap_or_else(|_| "prometheus".to_owned());
    let server = Command::new(program)
        .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={free}"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(server);
    let deadline = Instant::now() + Duration::from_secs(60);
    let found = loop {
        if let Some(found) = targets(free, cases.len()) {
            break found;
        }
        assert!(Instant::now() < deadline, "prometheus did not scrape every body within a minute");
        // The machine is left to the server between two looks.
        std::thread::park_timeout(Duration::from_millis(50));
    };
    let mut wrong = String::new();
    for (case, (taken, error)) in cases.iter().zip(found) {
        println!("{}: {}", case.title, if taken { "takes" } else { &error });
        if taken != case.taken_by_2_42 {
            writeln!(wrong, "{}: taken {taken} {error}", case.title).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
