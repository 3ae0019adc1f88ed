//! Benches beside the peers: every figure is a ratio against a named peer, measured in one run on one machine.
//!
//! Owns: what is measured and beside whom, the recorded data, starting the peers. Does not own: benches of one function,
//! which are beside the crate that has it.
//!
//! Time is CPU time of the whole process (user and system), so that a busy machine does not decide, and the peers take
//! turns in every round; figures are medians. Peers come from `make setup`.
//!
//! Run: `make bench`, or one part of it: `make bench PART=bytes`. See docs/performance.md.

mod aggregate;
mod blocks;
mod bytes;
mod duckdb;
mod fleet;
mod ingest;
mod load;
mod logs;
mod markdown;
mod mixed;
mod otlp;
mod pace;
mod paces;
mod page_cache;
mod pages;
mod peers;
mod process;
mod promql;
mod records;
mod remote_write;
mod report;
mod scrape;
mod scrapes;
mod search;
mod sections;
mod series;
mod start;
mod stores;
mod sustained;
mod tally;
mod targets;
mod watch;
mod wire;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) type Fault = Box<dyn std::error::Error>;

/// What every part stands on: the recorded pages, a folder that it may fill, a document for what it finds.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) folder: PathBuf,
    /// Whose sections are written anew, see [`sections`].
    report: Option<PathBuf>,
}

impl Bench {
    /// An empty folder of a part.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, Fault> {
        let folder = self.folder.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A number that the environment may set.
    pub(crate) fn setting(&self, name: &str, default: u64) -> Result<u64, Fault> {
        match std::env::var(name) {
            Ok(text) => text.parse().map_err(|_| format!("{name}: {text:?} is no whole number").into()),
            Err(_) => Ok(default),
        }
    }

    /// Prints what a part has found, and puts it into its section of the document, if there is one to write.
    pub(crate) fn publish(&self, part: &str, text: &str) -> Result<(), Fault> {
        println!("{text}");
        let Some(path) = &self.report else { return Ok(()) };
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let document = std::fs::read_to_string(path).map_err(|error| at(&error))?;
        let document = sections::replaced(&document, part, text).map_err(|error| at(&error))?;
        std::fs::write(path, document).map_err(|error| at(&error))?;
        Ok(())
    }
}

/// The document that parts write to.
const REPORT: &str = "FLEETSCOPE_BENCH_REPORT";

const PARTS: &[&str] = &[
    "blocks",
    "bytes",
    "scrape",
    "targets",
    "remote_write",
    "otlp",
    "series",
    "sustained",
    "mixed",
    "promql",
    "logs",
    "search",
    "ingest",
    "aggregate",
    "start",
];

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs this too and only wants to know that it builds.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = wanted.iter().find(|part| !PARTS.contains(&part.as_str())) {
        return Err(format!("no part {unknown}, there are: {}", PARTS.join(", ")).into());
    }
    let report = std::env::var_os(REPORT).map(PathBuf::from);
    let bench = Bench { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers"), report };
    std::fs::create_dir_all(&bench.folder)?;
    for part in PARTS.iter().filter(|part| wanted.is_empty() || wanted.iter().any(|name| name == *part)) {
        println!("\n== {part}");
        match *part {
            "blocks" => on_runtime(blocks::run(&bench))?,
            "bytes" => on_runtime(bytes::run(&bench))?,
            "scrape" => on_runtime(scrape::run(&bench))?,
            "targets" => on_runtime(targets::run(&bench))?,
            "remote_write" => on_runtime(remote_write::run(&bench))?,
            "otlp" => on_runtime(otlp::run(&bench))?,
            "series" => on_runtime(series::run(&bench))?,
            "sustained" => on_runtime(sustained::run(&bench))?,
            "mixed" => on_runtime(mixed::run(&bench))?,
            "promql" => on_runtime(promql::run(&bench))?,
            "logs" => on_runtime(logs::run(&bench))?,
            "search" => on_runtime(search::run(&bench))?,
            "ingest" => on_runtime(ingest::run(&bench))?,
            "aggregate" => on_runtime(aggregate::run(&bench))?,
            _ => on_runtime(start::run(&bench))?,
        }
    }
    Ok(())
}

fn on_runtime(part: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(part);
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
