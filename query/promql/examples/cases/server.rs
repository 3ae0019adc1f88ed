//! A Prometheus of our own, with fresh data.
//!
//! Owns: its process, its folder and the connection to it.
//! Does not own: what it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::format::answers::Answer;
use crate::format::{Case, Series, Times, responses};
use crate::remote_write;

/// The features that change what PromQL can say or answers.
const FEATURES: [&str; 4] = [
    "promql-experimental-functions",
    "promql-delayed-name-removal",
    "promql-extended-range-selectors",
    "promql-binop-fill-modifiers",
];

/// A running Prometheus; dropping it ends the process and removes its data.
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    address: String,
}

impl Server {
    /// Starts the program with all features but some, and waits until it answers.
    pub(crate) fn start(program: &Path, without: &[String]) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("promql-cases-{}", std::process::id()));
        let config = folder.join("prometheus.yml");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&config, "global: {}\n"))
            .map_err(|e| format!("cannot write {}: {e}", config.display()))?;
        let features: Vec<&str> = FEATURES.into_iter().filter(|name| !without.iter().any(|off| off == name)).collect();
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if !features.is_empty() {
            command.arg(format!("--enable-feature={}", features.join(",")));
        }
        let process = command.spawn().map_err(|e| format!("cannot run {}: {e}", program.display()))?;
        let mut server = Server { process, folder, address: String::new() };
        server.wait()?;
        Ok(server)
    }

    /// Reads its log until it is ready, and goes on reading so that it never waits for us.
    fn wait(&mut self) -> Result<(), String> {
        let log = self.process.stderr.take().ok_or("its log is not at hand")?;
        let mut lines = BufReader::new(log).lines();
        let (mut said, mut is_ready) = (String::new(), false);
        for line in lines.by_ref() {
            said = line.map_err(|e| format!("cannot read its log: {e}"))?;
            if let (true, Some((_, address))) = (said.contains("Listening on"), said.rsplit_once("address=")) {
                self.address = address.to_owned();
            }
            is_ready |= said.contains("Server is ready to receive web requests");
            if is_ready && !self.address.is_empty() {
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(());
            }
        }
        Err(format!("it ended before it was ready: {said}"))
    }

    /// Stores series by remote write, in the order of their labels: it is the order in which they are then evaluated,
    /// which decides who wins a tie and what an error names.
    pub(crate) fn store(&self, series: &[Series]) -> Result<(), String> {
        let headers = "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\n\
                       X-Prometheus-Remote-Write-Version: 2.0.0\r\n";
        let mut sorted: Vec<&Series> = series.iter().collect();
        sorted.sort_by(|a, b| a.labels.cmp(&b.labels));
        let (status, body) = self.post("/api/v1/write", headers, &remote_write::request(&sorted))?;
        if status == 204 { Ok(()) } else { Err(format!("remote write answers {status}: {body}")) }
    }

    /// Asks one case.
    pub(crate) fn ask(&self, case: &Case) -> Result<Answer, String> {
        let seconds = |time_ms: i64| format!("{}", time_ms as f64 / 1000.0);
        // A fraction of seconds is cut to whole milliseconds only after it was rounded down: 1.001 would be 1000.
        let width = |width_ms: i64| if width_ms > 0 { format!("{width_ms}ms") } else { seconds(width_ms) };
        let mut fields = vec![("query", case.expression.clone())];
        let path = match case.times {
            Times::At(time_ms) => {
                fields.push(("time", seconds(time_ms)));
                "/api/v1/query"
            }
            Times::Range { start_ms, end_ms, step_ms } => {
                fields.extend([("start", seconds(start_ms)), ("end", seconds(end_ms)), ("step", width(step_ms))]);
                "/api/v1/query_range"
            }
        };
        if let Some(lookback_ms) = case.lookback_ms {
            fields.push(("lookback_delta", width(lookback_ms)));
        }
        let form: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value))).collect();
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        let (_, body) = self.post(path, headers, form.join("&").as_bytes())?;
        let json = serde_json::from_str(&body).map_err(|e| format!("its answer is not JSON: {e}: {body}"))?;
        responses::answer(&json)
    }

    /// Sends a request of HTTP/1.0, which ends with its connection, and reads status and body.
    fn post(&self, path: &str, headers: &str, body: &[u8]) -> Result<(u16, String), String> {
        let failed = |e: std::io::Error| format!("cannot reach {}: {e}", self.address);
        let mut stream = TcpStream::connect(&self.address).map_err(failed)?;
        let head = format!("POST {path} HTTP/1.0\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("its answer has no body")?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.ok_or_else(|| format!("its answer begins with {head}"))?, body.to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; what counts is that it is gone and its folder with it.
        let ended = self.process.kill().and_then(|()| self.process.wait().map(drop));
        let removed = std::fs::remove_dir_all(&self.folder);
        if let Err(error) = ended.and(removed) {
            eprintln!("cannot clean {}: {error}", self.folder.display());
        }
    }
}

fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
