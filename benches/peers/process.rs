//! Processes beside us: start, CPU time so far.

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use crate::Fault;

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that serves HTTP. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    log: PathBuf,
}

impl Process {
    /// Starts a program that is told by its arguments to listen on `port`.
    pub(crate) fn start(program: &str, arguments: &[String], port: u16, log: PathBuf) -> Result<Self, Fault> {
        let file = File::create(&log)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().map_err(|e| format!("{program}: {e}: run make setup"))?;
        Ok(Process { child, url: format!("http://127.0.0.1:{port}"), log })
    }

    /// Waits until a path answers with success; returns the seconds it took.
    pub(crate) async fn answers(&mut self, path: &str) -> Result<f64, Fault> {
        let (begin, url) = (Instant::now(), format!("{}{path}", self.url));
        let client = reqwest::Client::new();
        while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{url}: {status}: {}", self.log()).into());
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{url} does not answer: {}", self.log()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(begin.elapsed().as_secs_f64())
    }

    /// What it has printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// CPU seconds of all its threads so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Fault> {
        cpu_seconds_of(self.child.id())
    }

    /// Bytes of its memory that are in RAM.
    pub(crate) fn resident_bytes(&self) -> Result<u64, Fault> {
        status_bytes(self.child.id(), "VmRSS:")
    }

    /// Bytes of its memory in RAM, at most, since [`Process::forget_peak`].
    pub(crate) fn peak_bytes(&self) -> Result<u64, Fault> {
        peak_bytes_of(self.child.id())
    }

    /// Has the kernel count the peak of its memory from now on.
    pub(crate) fn forget_peak(&self) -> Result<(), Fault> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// The first row of what our server answers to a question in SQL, as CSV.
    pub(crate) async fn ask(&self, sql: &str) -> Result<String, Fault> {
        let request = reqwest::Client::new().post(format!("{}/api/v1/sql", self.url)).header("accept", "text/csv");
        let request = request.header("content-type", "application/json");
        let answer = request.body(serde_json::json!({ "query": sql }).to_string()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        match text.lines().nth(1) {
            Some(row) if status.is_success() => Ok(row.to_owned()),
            _ => Err(format!("{sql}: {status}: {text}").into()),
        }
    }

    /// All rows of what our server answers in JSON, each an object of its columns, and what that took.
    pub(crate) async fn ask_timed(&self, client: &Client, sql: &str) -> Result<Answered<Value>, Fault> {
        let (cpu, wall) = (self.cpu_seconds()?, Instant::now());
        let request = client.post(format!("{}/api/v1/sql", self.url)).header("content-type", "application/json");
        let answer = request.body(serde_json::json!({ "query": sql }).to_string()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{sql}: {status}: {text}").into());
        }
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), self.cpu_seconds()? - cpu);
        match serde_json::from_str::<Value>(&text)?["rows"].take() {
            Value::Array(rows) => Ok(Answered { rows, cpu, wall }),
            _ => Err(format!("{sql}: the answer has no rows").into()),
        }
    }

    /// What our server tells of itself under these names, which have no labels.
    pub(crate) async fn metrics<const N: usize>(&self, names: [&str; N]) -> Result<[f64; N], Fault> {
        let text = reqwest::get(format!("{}/metrics", self.url)).await?.text().await?;
        let mut values = [0.0; N];
        for (value, name) in values.iter_mut().zip(names) {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            *value = line.ok_or_else(|| format!("/metrics has no {name}"))?.parse()?;
        }
        Ok(values)
    }

    /// Asks it to end in good order and waits until it has. No other process may end meanwhile.
    pub(crate) async fn terminate(mut self) -> Result<Ended, Fault> {
        let before = children_cpu_seconds()?;
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let (begin, mut peak_bytes) = (Instant::now(), 0);
        let status = loop {
            // One that is just ending has no memory any more.
            peak_bytes = self.peak_bytes().unwrap_or(0).max(peak_bytes);
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{} does not end: {}", self.url, self.log()).into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        match status.success() {
            true => Ok(Ended { cpu_seconds: children_cpu_seconds()? - before, peak_bytes }),
            false => Err(format!("{}: {status}: {}", self.url, self.log()).into()),
        }
    }
}

/// The rows of an answer, and what it took in seconds.
#[derive(Debug)]
pub(crate) struct Answered<R> {
    pub(crate) rows: Vec<R>,
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

/// What a process has used in its life.
#[derive(Debug)]
pub(crate) struct Ended {
    /// CPU seconds of all its threads.
    pub(crate) cpu_seconds: f64,
    /// Bytes of its memory in RAM, at most.
    pub(crate) peak_bytes: u64,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds of all threads of a process so far.
pub(crate) fn cpu_seconds_of(process: u32) -> Result<f64, Fault> {
    Ok(stat(&format!("/proc/{process}/stat"))?.own)
}

/// Bytes of a process' memory in RAM, at most, since [`Process::forget_peak`] or its start.
pub(crate) fn peak_bytes_of(process: u32) -> Result<u64, Fault> {
    status_bytes(process, "VmHWM:")
}

fn status_bytes(process: u32, key: &str) -> Result<u64, Fault> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or_else(|| format!("no {key}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

/// CPU seconds of this process so far.
pub(crate) fn own_cpu_seconds() -> Result<f64, Fault> {
    Ok(stat("/proc/self/stat")?.own)
}

/// CPU seconds of all processes that this one started and that have ended.
pub(crate) fn children_cpu_seconds() -> Result<f64, Fault> {
    Ok(stat("/proc/self/stat")?.children)
}

struct Cpu {
    own: f64,
    children: f64,
}

fn stat(path: &str) -> Result<Cpu, Fault> {
    let text = std::fs::read_to_string(path)?;
    // The name of the program comes in parentheses and may hold anything.
    let (_, rest) = text.rsplit_once(") ").ok_or("no program's name")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| -> Result<f64, Fault> { Ok(fields.get(at).ok_or("too few fields")?.parse::<f64>()?) };
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Ok(Cpu { own: (ticks(11)? + ticks(12)?) / per_second, children: (ticks(13)? + ticks(14)?) / per_second })
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, Fault> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Bytes of all files below a folder. Files that go away meanwhile have none.
pub(crate) fn folder_bytes(folder: &Path) -> Result<u64, Fault> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(of_folder) if of_folder.is_dir() => folder_bytes(&entry.path())?,
            Ok(of_file) => of_file.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(bytes)
}
