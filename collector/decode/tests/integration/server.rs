//! A Prometheus of a test's own, targets for it to scrape, and plain HTTP to both.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A server, stopped when dropped.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back for a request.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// The body, in the pieces in which it was sent.
    pub(crate) pieces: Vec<Vec<u8>>,
}

impl Answer {
    pub(crate) fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

impl Prometheus {
    /// Starts it on a folder, whose `data` may hold blocks already, and waits until it is ready.
    pub(crate) fn start(folder: TempDir, config: &str, arguments: &[&str]) -> Self {
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let program = std::env::var("PROMETHEUS").unwrap_or_else(|_| "prometheus".to_owned());
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(arguments)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Prometheus { child, address, folder };
        wait_for("prometheus to be ready", || {
            server.request("GET", "/-/ready", &[], b"").filter(|answer| answer.status == 200)
        });
        server
    }

    /// The folder of its blocks.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// What it answers in JSON.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(&self.request("GET", path, &[], b"")?.body()).ok()
    }

    /// What it answers to one request over a connection of its own.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len()).ok()?;
        stream.write_all(body).ok()?;
        read_answer(&mut BufReader::new(stream))
    }
}

fn read_answer(stream: &mut impl BufRead) -> Option<Answer> {
    let mut answer = Answer { status: line(stream)?.split(' ').nth(1)?.parse().ok()?, ..Answer::default() };
    let mut is_chunked = false;
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => answer.content_type = value.trim().to_owned(),
            "transfer-encoding" => is_chunked = value.trim() == "chunked",
            _ => {}
        }
    }
    if !is_chunked {
        let mut body = Vec::new();
        stream.read_to_end(&mut body).ok()?;
        answer.pieces.push(body);
        return Some(answer);
    }
    loop {
        let size = usize::from_str_radix(&line(stream)?, 16).ok()?;
        let mut piece = vec![0; size];
        stream.read_exact(&mut piece).ok()?;
        if !line(stream)?.is_empty() {
            return None;
        }
        if size == 0 {
            return Some(answer);
        }
        answer.pieces.push(piece);
    }
}

/// The next line of a head, without its end.
fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

/// Serves what `body` makes of a path, in the text format, until the process ends.
pub(crate) fn serve(mut body: impl FnMut(&str) -> Vec<u8> + Send + 'static) -> SocketAddr {
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
            let request = String::from_utf8_lossy(&request);
            let body = body(request.split_whitespace().nth(1).unwrap_or(""));
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&body);
        }
    });
    address
}

/// Asks until there is an answer, for a minute.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited a minute for {what}");
        // The machine is left to the server between two looks.
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Makes blocks of a text in the OpenMetrics format, with the tool that comes with the server.
pub(crate) fn create_blocks(folder: &Path, text: &str) {
    let file = folder.join("history.txt");
    std::fs::write(&file, text).unwrap();
    let program = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let made = Command::new(program)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&file, &folder.join("data")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
