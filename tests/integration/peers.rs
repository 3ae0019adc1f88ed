//! The peers: Prometheus, the node exporter, Python with its readers of Delta tables, and our own test programs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::server::{PATIENCE, eventually};

/// A process that is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago, and below those that the system gives to connections of its own choice: a server that
/// goes away and comes back must find its port free.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test runs beside each other begin at different places.
    let begin = std::process::id().wrapping_mul(97);
    loop {
        let port = FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Starts a program that writes into a file what it says.
pub(crate) fn spawn(program: &str, arguments: &[String], log: &Path) -> Process {
    let log = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    Process(command.spawn().unwrap_or_else(|e| panic!("{program}: {e}: run make setup")))
}

/// A Prometheus server that scrapes a node exporter and itself, and has a rule whose series has no job.
#[derive(Debug)]
pub(crate) struct Prometheus {
    pub(crate) url: String,
    _server: Process,
    node: Option<Process>,
}

impl Prometheus {
    /// Starts both below `folder`, scraping at this interval, and waits until the server answers.
    pub(crate) async fn start(folder: &Path, seconds: u64) -> Self {
        let (node, server) = (free_port(), free_port());
        std::fs::create_dir_all(folder).unwrap();
        let config = folder.join("prometheus.yml");
        let yaml = format!(
            "global: {{scrape_interval: {seconds}s, evaluation_interval: {seconds}s}}\nrule_files: [rules.yml]\nscrape_configs:\n  \
             - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{node}']}}]}}\n  \
             - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{server}']}}]}}\n"
        );
        std::fs::write(&config, yaml).unwrap();
        let rules = "groups: [{name: recorded, rules: [{record: 'targets:up:sum', expr: sum(up)}]}]\n";
        std::fs::write(folder.join("rules.yml"), rules).unwrap();
        let exporter = ["--web.listen-address".to_owned(), format!("127.0.0.1:{node}")];
        let node = spawn("prometheus-node-exporter", &exporter, &folder.join("node.log"));
        let url = format!("http://127.0.0.1:{server}");
        let prometheus = Prometheus { _server: run(folder, server, None), url, node: Some(node) };
        prometheus.becomes_ready().await;
        prometheus
    }

    /// Starts a server that scrapes itself every second, has these external labels, and whose doors are as `web_config` says;
    /// waits until it listens.
    pub(crate) async fn start_of_itself(folder: &Path, external_labels: &str, web_config: Option<&str>) -> Self {
        let server = free_port();
        std::fs::create_dir_all(folder).unwrap();
        let yaml = format!(
            "global: {{scrape_interval: 1s, external_labels: {external_labels}}}\nscrape_configs:\n  - {{job_name: prometheus, \
             static_configs: [{{targets: ['127.0.0.1:{server}']}}]}}\n"
        );
        std::fs::write(folder.join("prometheus.yml"), yaml).unwrap();
        let web = web_config.map(|text| {
            let file = folder.join("web.yml");
            std::fs::write(&file, text).unwrap();
            file
        });
        let prometheus = Prometheus {
            _server: run(folder, server, web.as_deref()),
            url: format!("http://127.0.0.1:{server}"),
            node: None,
        };
        let ready = format!("{}/-/ready", prometheus.url);
        // Who wants a password says so as soon as it listens.
        eventually("prometheus listens", PATIENCE, async || {
            reqwest::get(&ready)
                .await
                .ok()
                .filter(|a| a.status().is_success() || a.status() == reqwest::StatusCode::UNAUTHORIZED)
        })
        .await;
        prometheus
    }

    /// Starts a server with these `scrape_configs`, which takes samples that come out of order, as we do.
    pub(crate) async fn start_scraping(folder: &Path, jobs: &str) -> Self {
        let yaml = format!("storage: {{tsdb: {{out_of_order_time_window: 1h}}}}\nscrape_configs:\n{jobs}");
        Self::start_configured(folder, free_port(), &yaml).await
    }

    /// Starts a server without samples of its own, which reads those of another server whenever it is asked for any.
    pub(crate) async fn start_reading(folder: &Path, url: &str) -> Self {
        let yaml = format!("remote_read: [{{url: '{url}', read_recent: true}}]\n");
        Self::start_configured(folder, free_port(), &yaml).await
    }

    /// Starts a server on this port with this configuration and waits until it is ready.
    async fn start_configured(folder: &Path, server: u16, yaml: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("prometheus.yml"), yaml).unwrap();
        let url = format!("http://127.0.0.1:{server}");
        let prometheus = Prometheus { _server: run(folder, server, None), url, node: None };
        prometheus.becomes_ready().await;
        prometheus
    }

    /// Starts a server that scrapes itself every second and pushes to whom `remote_write` says.
    pub(crate) async fn start_pushing(folder: &Path, external_labels: &str, remote_write: &str) -> Self {
        let server = free_port();
        let yaml = format!(
            "global: {{scrape_interval: 1s, external_labels: {external_labels}}}\nremote_write: [{remote_write}]\n\
             scrape_configs:\n  - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{server}']}}]}}\n"
        );
        Self::start_configured(folder, server, &yaml).await
    }

    /// Starts a server without targets, which takes remote write, native histograms and exemplars too.
    pub(crate) async fn start_receiving(folder: &Path) -> Self {
        let server = free_port();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("prometheus.yml"), "storage: {exemplars: {max_exemplars: 10000}}\n").unwrap();
        let flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms,exemplar-storage"];
        let process = run_with(folder, server, flags.map(str::to_owned));
        let prometheus = Prometheus { url: format!("http://127.0.0.1:{server}"), _server: process, node: None };
        prometheus.becomes_ready().await;
        prometheus
    }

    async fn becomes_ready(&self) {
        let ready = format!("{}/-/ready", self.url);
        eventually("prometheus is ready", PATIENCE, async || {
            reqwest::get(&ready).await.ok().filter(|a| a.status().is_success())
        })
        .await;
    }

    /// Starts a server without targets, only with a series `recorded`, whose doors are as `web_config` says.
    pub(crate) async fn start_behind_tls(folder: &Path, web_config: &str) -> Self {
        let server = free_port();
        std::fs::create_dir_all(folder).unwrap();
        let rules = "groups: [{name: recorded, rules: [{record: recorded, expr: vector(1)}]}]\n";
        std::fs::write(folder.join("rules.yml"), rules).unwrap();
        let config = "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n";
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let web = folder.join("web.yml");
        std::fs::write(&web, web_config).unwrap();
        let process = run(folder, server, Some(&web));
        eventually("prometheus listens", PATIENCE, async || {
            tokio::net::TcpStream::connect(("127.0.0.1", server)).await.ok()
        })
        .await;
        Prometheus { url: format!("https://127.0.0.1:{server}"), _server: process, node: None }
    }

    /// Ends the node exporter: the server marks its series as stale.
    pub(crate) fn stop_node(&mut self) {
        self.node = None;
    }
}

/// Starts the server of `prometheus.yml` in this folder.
fn run(folder: &Path, port: u16, web_config: Option<&Path>) -> Process {
    run_with(folder, port, web_config.map(|file| format!("--web.config.file={}", file.display())))
}

/// As [`run`], with further flags.
fn run_with(folder: &Path, port: u16, flags: impl IntoIterator<Item = String>) -> Process {
    let mut arguments = vec![
        format!("--config.file={}", folder.join("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    arguments.extend(flags);
    spawn("prometheus", &arguments, &folder.join("log"))
}

/// Runs the product's binary to its end: exit code, standard output, standard error.
pub(crate) fn fleetscope(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_fleetscope")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The Python environment of `make setup`.
fn venv() -> PathBuf {
    let given = std::env::var("FLEETSCOPE_VENV").map(PathBuf::from);
    given.unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/fleetscope/venv"))
}

/// A SeaweedFS server with one bucket, which can be stopped and started again where it was.
#[derive(Debug)]
pub(crate) struct Bucket {
    folder: PathBuf,
    /// Master, volume and filer, S3; for each the port of HTTP and that of gRPC.
    ports: [(u16, u16); 4],
    server: Option<Process>,
}

impl Bucket {
    const NAME: &str = "fleet";
    const KEY: &str = "key-of-fleet";
    const SECRET: &str = "secret-of-fleet";

    /// Starts a server below `folder` and makes the bucket.
    pub(crate) async fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join("data")).unwrap();
        let identity = serde_json::json!({"identities": [{
            "name": "fleet",
            "credentials": [{"accessKey": Self::KEY, "secretKey": Self::SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }]});
        std::fs::write(folder.join("s3.json"), identity.to_string()).unwrap();
        let ports = std::array::from_fn(|_| (free_port(), free_port()));
        let mut bucket = Bucket { folder: folder.to_owned(), ports, server: None };
        bucket.back().await;
        bucket
    }

    /// The URL of a store in the bucket.
    pub(crate) fn url(&self) -> String {
        format!("s3://{}/store", Self::NAME)
    }

    /// Where the bucket is and what opens it, for the environment of a program.
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.ports[3].0)),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", Self::KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET.into()),
        ]
    }

    /// Ends the server: the bucket cannot be reached any more.
    pub(crate) fn away(&mut self) {
        let Some(Process(child)) = &mut self.server else { return };
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap();
        self.server = None;
    }

    /// Starts the server on what it had, and waits until the bucket answers.
    pub(crate) async fn back(&mut self) {
        let [master, volume, filer, s3] = self.ports;
        let text = |path: &str| self.folder.join(path).to_string_lossy().into_owned();
        let mut arguments = vec![
            format!("-logdir={}", self.folder.display()),
            "server".into(),
            format!("-dir={}", text("data")),
            "-ip=127.0.0.1".into(),
            "-master.volumeSizeLimitMB=64".into(),
            "-volume.max=8".into(),
            "-filer".into(),
            "-s3".into(),
            format!("-s3.config={}", text("s3.json")),
        ];
        for (part, (http, grpc)) in [("master", master), ("volume", volume), ("filer", filer), ("s3", s3)] {
            arguments.extend([format!("-{part}.port={http}"), format!("-{part}.port.grpc={grpc}")]);
        }
        let weed = venv().join("bin/weed");
        self.server = Some(spawn(&weed.to_string_lossy(), &arguments, &self.folder.join("log")));
        let client = reqwest::Client::new();
        let (bucket, door) = (format!("http://127.0.0.1:{}/buckets/{}/", filer.0, Self::NAME), s3.0);
        let probe = format!("http://127.0.0.1:{}/probe", filer.0);
        eventually("the bucket answers", PATIENCE, async || {
            // A folder of the filer is a bucket; making it again is refused, and as good.
            let made = client.post(&bucket).send().await.ok()?.status();
            let there = made.is_success() || made == reqwest::StatusCode::CONFLICT;
            // The volumes come later than the names: a file that goes in and comes out tells.
            let put = client.put(&probe).body("probe").send().await.ok()?.status().is_success();
            let got = client.get(&probe).send().await.ok()?.text().await.ok()? == "probe";
            // Without a signature S3 answers that it will not.
            let asked = client.get(format!("http://127.0.0.1:{door}/{}", Self::NAME)).send().await.ok()?.status();
            (there && put && got && asked == reqwest::StatusCode::FORBIDDEN).then_some(())
        })
        .await;
    }
}

/// Runs a script of `tests/integration/python`; it must end well. Returns its standard output.
pub(crate) fn python(script: &str, arguments: &[&str]) -> String {
    let script =
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("tests/integration/python").join(script);
    let mut command = Command::new(venv().join("bin/python"));
    let output = command.arg(&script).args(arguments).output().unwrap_or_else(|e| panic!("{e}: run make setup"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{} {arguments:?}\n{out}{err}", script.display());
    out.into_owned()
}

/// One of our test programs, which cargo builds beside this binary when it runs the tests of the whole workspace.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_fleetscope")).with_file_name(name);
    assert!(path.exists(), "{} is missing: run cargo test --workspace", path.display());
    path
}
