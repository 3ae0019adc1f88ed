//! A server as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Certificate, Client, StatusCode};
use rustix::process::{Pid, Signal};

/// How long anything may take that is not itself about time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a server is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Where it runs; `None` for where the tests do.
    pub(crate) folder: Option<PathBuf>,
    /// The authority that vouches for it, PEM, where it speaks TLS.
    pub(crate) authority: Option<PathBuf>,
    /// The token that it is asked with.
    pub(crate) token: Option<String>,
}

impl Setup {
    /// The product's binary on a store below `folder`, configured by `yaml` (`storage.url` is added by flag).
    pub(crate) fn new(folder: &Path, yaml: &str) -> Self {
        let config = folder.join("fleetscope.yaml");
        std::fs::write(&config, yaml).unwrap();
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--config"].map(str::to_owned).into_iter();
        let arguments = arguments.chain([text(config), "--store".into(), text(folder.join("store"))]).collect();
        let binary = env!("CARGO_BIN_EXE_fleetscope").into();
        // Servers of tests that run beside each other must not want the same ports.
        let off = ["GRPC", "HTTP"].map(|protocol| (format!("FLEETSCOPE_OTLP_{protocol}_LISTEN"), "off".to_owned()));
        Setup { binary, arguments, environment: off.to_vec(), folder: None, authority: None, token: None }
    }

    /// Runs another binary with the same arguments.
    pub(crate) fn with_binary(self, binary: PathBuf) -> Self {
        Setup { binary, ..self }
    }

    /// Keeps the tables elsewhere, at this URL.
    pub(crate) fn with_store(mut self, url: String) -> Self {
        self.arguments.pop();
        self.arguments.push(url);
        self
    }

    /// Runs it in another folder.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        Setup { folder: Some(folder.to_owned()), ..self }
    }

    /// Listens on another address.
    pub(crate) fn listening(mut self, address: &str) -> Self {
        self.arguments[2] = address.to_owned();
        self
    }

    /// Asks it over TLS, trusting this authority.
    pub(crate) fn trusting(self, authority: impl Into<PathBuf>) -> Self {
        Setup { authority: Some(authority.into()), ..self }
    }

    /// Asks it as a reader with this token.
    pub(crate) fn reading_with(self, token: &str) -> Self {
        Setup { token: Some(token.to_owned()), ..self }
    }

    /// What asks it.
    fn client(&self) -> Client {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        let builder = Client::builder().default_headers(headers);
        builder.tls_certs_only(self.authority.iter().map(|path| authority(path))).build().unwrap()
    }

    /// Opens the ports of OTLP, any that are free.
    pub(crate) fn with_otlp(self) -> Self {
        let open =
            |setup: Setup, protocol| setup.with_env(&format!("FLEETSCOPE_OTLP_{protocol}_LISTEN"), "127.0.0.1:0");
        ["GRPC", "HTTP"].into_iter().fold(self, open)
    }

    /// Sets a variable of the environment.
    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}

/// A certificate in a file.
pub(crate) fn authority(path: &Path) -> Certificate {
    Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap()
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it says on standard output after its first line.
    stdout: Gathered,
    scheme: &'static str,
    stderr: Gathered,
    client: Client,
}

impl Server {
    /// Starts a server and waits until it has bound its address. The error is its standard error.
    pub(crate) fn spawn(setup: &Setup) -> Result<Self, String> {
        let mut command = Command::new(&setup.binary);
        command.args(&setup.arguments).envs(setup.environment.iter().cloned());
        if let Some(folder) = &setup.folder {
            command.current_dir(folder);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = gather(child.stderr.take().unwrap());
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let scheme = if setup.authority.is_some() { "https" } else { "http" };
        let address = line.trim().strip_prefix(&format!("listening on {scheme}://"));
        let Some(address) = address.and_then(|a| a.parse().ok()) else {
            let status = child.wait().unwrap();
            return Err(format!("{status}: {}", stderr.whole()));
        };
        Ok(Server { child, address, stdout: gather(stdout), scheme, stderr, client: setup.client() })
    }

    /// Starts a server and waits until it is ready.
    pub(crate) async fn start(setup: &Setup) -> Self {
        let mut server = Self::spawn(setup).unwrap();
        assert!(server.becomes_ready().await, "the server ended before it was ready: {}", server.stderr());
        server
    }

    /// As [`Server::becomes_ready`], asked from now on at this one of its addresses: its certificate is for that.
    pub(crate) async fn becomes_ready_at(&mut self, ip: &str) -> bool {
        self.address.set_ip(ip.parse().unwrap());
        self.becomes_ready().await
    }

    /// Waits until it is ready; false if it ended before.
    pub(crate) async fn becomes_ready(&mut self) -> bool {
        let begin = Instant::now();
        loop {
            if self.client.get(self.url("/readyz")).send().await.is_ok_and(|a| a.status() == StatusCode::OK) {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                self.stderr.whole();
                return false;
            }
            let late = begin.elapsed() >= PATIENCE;
            assert!(
                !late,
                "not ready in time, {:?}: {}",
                self.client.get(self.url("/readyz")).send().await,
                self.stderr()
            );
            tick().await;
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// The address of a listener beside the first one.
    pub(crate) async fn beside(&self, what: &str) -> SocketAddr {
        eventually(what, PATIENCE, async || {
            let said = self.stdout.so_far();
            let line = said.lines().find_map(|line| line.strip_suffix(&format!(" ({what})")).map(str::to_owned))?;
            line.rsplit('/').next()?.parse().ok()
        })
        .await
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Status and body of a POST; an error if the answer breaks off.
    async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Result<(StatusCode, String)> {
        let request = headers.iter().fold(self.client.post(self.url(path)), |r, (name, value)| r.header(*name, *value));
        let answer = request.body(body).send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    /// Status and body of a POST.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (StatusCode, String) {
        self.try_post(path, headers, body).await.unwrap()
    }

    /// Status and body of a statement, the rows as CSV; an error if the answer breaks off.
    pub(crate) async fn try_ask(&self, sql: &str) -> reqwest::Result<(StatusCode, String)> {
        let body = serde_json::json!({ "query": sql }).to_string().into_bytes();
        self.try_post("/api/v1/sql", &[("content-type", "application/json"), ("accept", "text/csv")], body).await
    }

    /// Status and body of a statement, the rows as CSV.
    pub(crate) async fn ask(&self, sql: &str) -> (StatusCode, String) {
        self.try_ask(sql).await.unwrap()
    }

    /// The rows of a statement without their header, cells split at commas.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let (status, body) = self.ask(sql).await;
        assert_eq!(status, StatusCode::OK, "{sql}: {body}");
        body.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }

    /// The rows of a statement, each an object with all its columns.
    pub(crate) async fn objects(&self, sql: &str) -> Vec<serde_json::Value> {
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        let body = serde_json::json!({ "query": sql }).to_string().into_bytes();
        let (status, body) = self.post("/api/v1/sql", &headers, body).await;
        assert_eq!(status, StatusCode::OK, "{sql}: {body}");
        let mut answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        serde_json::from_value(answer["rows"].take()).unwrap()
    }

    /// The one number that a statement gives.
    pub(crate) async fn number(&self, sql: &str) -> u64 {
        let rows = self.rows(sql).await;
        rows[0][0].parse().unwrap_or_else(|_| panic!("{sql}: {rows:?}"))
    }

    /// A value of `/metrics`, by its whole name with labels.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Whether it runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Where the system tells of the process.
    pub(crate) fn process(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id()))
    }

    /// The most memory that the process has had, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(self.process().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it ends.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.stderr.whole();
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "did not end in time: {}", self.stderr());
            tick().await;
        }
    }

    /// SIGTERM, and it must end well.
    pub(crate) async fn terminate(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", self.stderr());
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process writes, gathered by a thread while it lives.
#[derive(Debug)]
struct Gathered {
    text: Arc<Mutex<String>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Gathered {
    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the process has ended: its last words may still be in the pipe.
    fn whole(&self) -> String {
        if let Some(reader) = self.reader.lock().unwrap().take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

fn gather(output: impl std::io::Read + Send + 'static) -> Gathered {
    let text = Arc::new(Mutex::new(String::new()));
    let gathered = text.clone();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut text = gathered.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    Gathered { text, reader: Mutex::new(Some(reader)) }
}

/// The pause between two looks at a condition.
pub(crate) async fn tick() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Looks until `condition` gives something.
pub(crate) async fn eventually<T>(what: &str, patience: Duration, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(begin.elapsed() < patience, "{what}: not within {} s", patience.as_secs());
        tick().await;
    }
}
