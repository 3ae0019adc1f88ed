//! One store, one witness that never stops sending, and a server that lives again and again.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use super::calls::phases_at_end;
use super::within;
use crate::peers::{Process, program, python};
use crate::readers::deduplicate;
use crate::server::{PATIENCE, Server, Setup};

/// A `cut_bytes` so small that logs and spans are cut alone too.
const YAML: &str = "storage: {cut_every: 1s, cut_bytes: 1MiB, retention: 3650d, reserve_bytes: 64MiB}\n";
const SIGKILL: i32 = 9;
/// Between two requests of a sender: without it they would leave nothing of the machine to the search for the sums of deltas,
/// which every life begins with.
const PAUSE_MS: u64 = 40;
/// A life whose rule is not met by then is ended from outside.
const LIFE: Duration = Duration::from_secs(15);

/// What the witness sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// Every series and time once.
    New,
    /// Acknowledged samples again with other values, and samples of days past.
    RewritesAndLate,
}

/// One store under fire.
#[derive(Debug)]
pub(crate) struct Campaign {
    /// Where the store is; another disk than the witness' own when power is cut.
    store: PathBuf,
    folder: TempDir,
    witness: Option<Process>,
    load: Load,
    heard: Mutex<Heard>,
}

/// What was read of the witness' log.
#[derive(Debug, Default)]
struct Heard {
    /// How far.
    bytes: u64,
    /// The requests that were acknowledged up to there, and those of deltas among them.
    acknowledged: usize,
    deltas: usize,
    /// Requests of deltas that were sent.
    sent_deltas: HashSet<String>,
}

impl Heard {
    fn note(&mut self, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("D" | "G"), Some(request)) if !self.sent_deltas.contains(request) => {
                self.sent_deltas.insert(request.to_owned());
            }
            (Some("A"), Some(request)) => {
                self.acknowledged += 1;
                self.deltas += usize::from(self.sent_deltas.contains(request));
            }
            _ => {}
        }
    }
}

impl Campaign {
    /// Starts the witness on a store of its own.
    pub(crate) fn start(load: Load, seed: u64) -> Self {
        let folder = tempdir().unwrap();
        let store = folder.path().join("disk");
        std::fs::create_dir(&store).unwrap();
        Self::start_on(folder, store, load, seed)
    }

    /// Starts the witness; the server's store will be below `store`.
    pub(crate) fn start_on(folder: TempDir, store: PathBuf, load: Load, seed: u64) -> Self {
        let mut command = Command::new(program("oracle"));
        command.arg("--address-file").arg(folder.path().join("address")).arg("--log").arg(folder.path().join("log"));
        command.args(["--seed", &(seed % 1_000_000).to_string(), "--pause-ms", &PAUSE_MS.to_string()]);
        if load == Load::RewritesAndLate {
            command.args(["--rewrites", "--late"]);
        }
        let witness = Process(command.stdin(Stdio::piped()).spawn().unwrap());
        Campaign { store, folder, witness: Some(witness), load, heard: Mutex::default() }
    }

    fn setup(&self) -> Setup {
        Setup::new(&self.store, YAML).with_otlp()
    }

    /// A server on this store, known to the witness from the moment it is ready. `None` if it died before.
    pub(crate) async fn server(&self, rules: &str) -> Result<Server, String> {
        let setup = self.setup().with_binary(program("faulty-server")).with_env("FLEETSCOPE_FAULTS", rules);
        let setup = setup.with_env("FLEETSCOPE_CALLS", self.calls().to_str().unwrap());
        let mut server = Server::spawn(&setup)?;
        if !server.becomes_ready().await {
            return Err(server.stderr());
        }
        let grpc = server.beside("OTLP over gRPC").await;
        // In one step, so that the witness never reads half an address.
        let temporary = self.folder.path().join("address.tmp");
        std::fs::write(&temporary, format!("{}\n{grpc}\n", server.address)).unwrap();
        std::fs::rename(&temporary, self.folder.path().join("address")).unwrap();
        Ok(server)
    }

    /// Lives until the rule kills it, or is killed when its time is over. Returns the phases that the kill fell in.
    pub(crate) async fn live_until_killed(&mut self, rule: &str, in_sync: bool) -> Vec<&'static str> {
        let mut server = match self.server(rule).await {
            Ok(server) => server,
            // The rule may hit while the server starts and replays, which is as good a place.
            Err(stderr) => {
                assert!(stderr.contains("fault: "), "ended by itself: {stderr}");
                return self.fell(in_sync);
            }
        };
        if !within(LIFE, || !server.is_alive()).await {
            server.kill().await;
            return self.fell(false);
        }
        let status = server.ended().await;
        let stderr = server.stderr();
        assert!(status.signal() == Some(SIGKILL) && stderr.contains("fault: "), "ended by itself: {status} {stderr}");
        self.fell(in_sync)
    }

    /// Lives until its log of calls has so many bytes and the sums of deltas have been found again, then is killed. Returns
    /// the phases that the kill fell in.
    pub(crate) async fn live_and_kill(&mut self, call_bytes: u64) -> Vec<&'static str> {
        let (server, before) = (self.server("").await, self.acknowledged_deltas());
        let server = server.unwrap_or_else(|stderr| panic!("ended by itself: {stderr}"));
        within(LIFE, || length(&self.calls()) >= call_bytes && self.acknowledged_deltas() > before).await;
        server.kill().await;
        self.fell(false)
    }

    /// Waits until the witness has written so much more into its log, and the sums of deltas have been found again.
    pub(crate) async fn load_of(&self, bytes: u64) {
        let (until, before) = (length(&self.log()) + bytes, self.acknowledged_deltas());
        within(LIFE, || length(&self.log()) >= until && self.acknowledged_deltas() > before).await;
    }

    fn fell(&self, in_sync: bool) -> Vec<&'static str> {
        // A name in it may be cut off anywhere, but ours are all ASCII.
        phases_at_end(&std::fs::read_to_string(self.calls()).unwrap(), in_sync)
    }

    /// Lives through failures, and must acknowledge again after them, if need be after a restart. Returns how many there
    /// were.
    pub(crate) async fn live_through(&mut self, rules: &str) -> u64 {
        let hits = |stderr: &str| stderr.matches("fault: ").count() as u64;
        let mut server = match self.server(rules).await {
            Ok(server) => server,
            Err(stderr) => {
                assert!(
                    hits(&stderr) > 0 && stderr.contains("fleetscope: "),
                    "refused to start, and not for a failure: {stderr}"
                );
                return hits(&stderr);
            }
        };
        // Long enough for some cuts, which most of the rules wait for.
        let enough = rules.split(';').count() as u64;
        within(Duration::from_secs(6), || hits(&server.stderr()) >= enough || !server.is_alive()).await;
        let (before, found) = (self.acknowledged(), hits(&server.stderr()));
        let goes_on = within(Duration::from_secs(30), || self.acknowledged() > before || !server.is_alive()).await;
        assert!(goes_on, "neither acknowledges nor ends after {rules}: {}", server.stderr());
        assert!(!server.stderr().contains("panicked"), "{rules}: {}", server.stderr());
        server.kill().await;
        found
    }

    /// How many requests the witness saw acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.heard(|heard| heard.acknowledged)
    }

    /// Those of deltas among them.
    fn acknowledged_deltas(&self) -> usize {
        self.heard(|heard| heard.deltas)
    }

    fn heard(&self, count: impl Fn(&Heard) -> usize) -> usize {
        let mut heard = self.heard.lock().unwrap();
        let mut text = String::new();
        if let Ok(mut log) = std::fs::File::open(self.log()) {
            log.seek(SeekFrom::Start(heard.bytes)).unwrap();
            log.read_to_string(&mut text).unwrap();
        }
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        heard.bytes += whole.len() as u64;
        whole.lines().for_each(|line| heard.note(line));
        count(&heard)
    }

    /// The witness' log.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Notes that the power was cut when the witness' log had this length, and that the server is dead now.
    ///
    /// A machine without power acknowledges nothing. Here the server lives on until it is killed, and ext4 answers some
    /// syncs that were under way at the shutdown with success although their bytes are gone: `python/shutdown_race.py`
    /// shows it. What was acknowledged in between counts as unknown.
    pub(crate) fn note_cut(&self, log_bytes: u64) {
        let end = std::fs::metadata(self.log()).unwrap().len();
        let mut cuts = std::fs::OpenOptions::new().create(true).append(true).open(self.cuts()).unwrap();
        writeln!(cuts, "{log_bytes} {end}").unwrap();
    }

    fn cuts(&self) -> PathBuf {
        self.folder.path().join("log.cuts")
    }

    /// The log of file calls of the life that is or was last.
    fn calls(&self) -> PathBuf {
        self.folder.path().join("calls")
    }

    /// A last life without faults: the load goes on and stops; what the server answers is held against the log, and once it
    /// has drained, the tables are.
    pub(crate) async fn end_and_judge(mut self) -> serde_json::Value {
        let server = self.server("").await.unwrap_or_else(|stderr| panic!("does not start at the end: {stderr}"));
        let (before, deltas) = (self.acknowledged(), self.acknowledged_deltas());
        assert!(
            within(PATIENCE, || self.acknowledged() > before + 10 && self.acknowledged_deltas() > deltas).await,
            "no load at the end: {}",
            server.stderr()
        );
        self.stop_witness();
        let merged = server.number("SELECT count(*) FROM metrics WHERE name LIKE 'oracle_%'").await;
        let answered = judge(&server.url(""), &self.log(), self.load);
        server.terminate().await;
        let verdict = judge(self.store.join("store").to_str().unwrap(), &self.log(), self.load);
        println!("{verdict}");
        assert_eq!(verdict["samples"]["stored"].as_u64(), Some(merged), "`metrics` differs from the tables: {verdict}");
        for table in ["samples", "histograms", "exemplars"] {
            let stored = |verdict: &serde_json::Value| verdict[table]["stored"].clone();
            assert_eq!(stored(&verdict), stored(&answered), "our own answer differs from the tables: {answered}");
        }
        for table in ["logs", "spans"] {
            assert_eq!(verdict[table], answered[table], "our own answer differs from the tables: {answered}");
        }
        if self.load == Load::RewritesAndLate {
            let server =
                self.server("").await.unwrap_or_else(|stderr| panic!("does not start to be compared: {stderr}"));
            let compared = deduplicate(&server, &self.store.join("store"));
            println!("{compared}");
            assert_eq!((&compared["different"], &compared["ours"]), (&0.into(), &compared["values"]), "{compared}");
            server.terminate().await;
        }
        verdict
    }

    fn stop_witness(&mut self) {
        let mut witness = self.witness.take().unwrap();
        drop(witness.0.stdin.take());
        assert!(witness.0.wait().unwrap().success(), "the witness' log is not whole");
    }
}

/// The length of a file, 0 as long as there is none.
fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |meta| meta.len())
}

/// Holds the tables against the witness' log: as another reader sees them in a folder, or as a server answers them.
fn judge(place: &str, log: &Path, load: Load) -> serde_json::Value {
    let mode = if load == Load::New { "new" } else { "rewrites" };
    let out = python("judge.py", &[place, log.to_str().unwrap(), mode]);
    serde_json::from_str(&out).unwrap()
}
