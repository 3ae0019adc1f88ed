//! The peers: Prometheus, the node exporter, Python with its readers of Delta tables, and our own test programs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(program: &str, arguments: &[String], log: &Path) -> Process {
    let log = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    Process(command.spawn().unwrap_or_else(|e| panic!("{program}: {e}: run make setup")))
}

/// A Prometheus server that scrapes a node exporter and itself every second.
#[derive(Debug)]
pub(crate) struct Prometheus {
    pub(crate) url: String,
    _server: Process,
    _node: Process,
}

impl Prometheus {
    /// Starts both below `folder` and waits until the server answers.
    pub(crate) async fn start(folder: &Path) -> Self {
        let (node, server) = (free_port(), free_port());
        std::fs::create_dir_all(folder).unwrap();
        let config = folder.join("prometheus.yml");
        let yaml = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: node, static_configs: [{{targets: \
             ['127.0.0.1:{node}']}}]}}\n  - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{server}']}}]}}\n"
        );
        std::fs::write(&config, yaml).unwrap();
        let exporter = ["--web.listen-address".to_owned(), format!("127.0.0.1:{node}")];
        let node = spawn("prometheus-node-exporter", &exporter, &folder.join("node.log"));
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
            format!("--web.listen-address=127.0.0.1:{server}"),
        ];
        let prometheus = Prometheus {
            url: format!("http://127.0.0.1:{server}"),
            _server: spawn("prometheus", &arguments, &folder.join("log")),
            _node: node,
        };
        let ready = format!("{}/-/ready", prometheus.url);
        eventually("prometheus is ready", PATIENCE, async || {
            reqwest::get(&ready).await.ok().filter(|a| a.status().is_success())
        })
        .await;
        prometheus
    }
}

/// Runs a script of `tests/integration/python`; it must end well. Returns its standard output.
pub(crate) fn python(script: &str, arguments: &[&str]) -> String {
    let venv = std::env::var("FLEETSCOPE_VENV")
        .map(PathBuf::from)
        .unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/fleetscope/venv"));
    let script =
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("tests/integration/python").join(script);
    let mut command = Command::new(venv.join("bin/python"));
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
