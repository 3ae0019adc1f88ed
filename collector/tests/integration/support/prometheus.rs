//! A real Prometheus.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::PATIENCE;

/// A server of its own, stopped when dropped.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    child: Child,
    config: PathBuf,
    _data: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts it, with the configuration for its address, and waits until it is ready.
    pub(crate) async fn start(config: impl FnOnce(SocketAddr) -> String) -> Self {
        Self::start_with(&[], config).await
    }

    /// The same with further arguments.
    pub(crate) async fn start_with(arguments: &[&str], config: impl FnOnce(SocketAddr) -> String) -> Self {
        let data = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = data.path().join("prometheus.yml");
        std::fs::write(&file, config(address)).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--web.enable-lifecycle")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed");
        let mut prometheus = Prometheus { child, url: format!("http://{address}"), config: file, _data: data };
        let ready = async {
            while !prometheus.is_ready().await {
                if let Some(status) = prometheus.child.try_wait().unwrap() {
                    panic!("prometheus does not take its configuration: {status}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("prometheus is ready");
        prometheus
    }

    /// A configuration with which it scrapes itself every second, and further lines.
    pub(crate) fn of_itself(address: SocketAddr, further: &str) -> String {
        format!(
            "global: {{scrape_interval: 1s, external_labels: {{cluster: inner}}}}\n\
             scrape_configs: [{{job_name: self, static_configs: [{{targets: ['{address}']}}]}}]\n{further}\n"
        )
    }

    /// Goes over to another configuration, unless that is refused: then the error is what it says, and nothing has changed.
    pub(crate) async fn reload(&self, config: &str) -> Result<(), String> {
        std::fs::write(&self.config, config).unwrap();
        let response = reqwest::Client::new().post(format!("{}/-/reload", self.url)).send().await.unwrap();
        let is_taken = response.status().is_success();
        let message = response.text().await.unwrap();
        if is_taken { Ok(()) } else { Err(message) }
    }

    async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/-/ready", self.url)).await.is_ok_and(|response| response.status().is_success())
    }

    pub(crate) async fn get(&self, path: &str) -> Option<String> {
        reqwest::get(format!("{}{path}", self.url)).await.ok()?.text().await.ok()
    }

    /// What is under `data` in an answer of its API.
    pub(crate) async fn data(&self, path: &str) -> serde_json::Value {
        let text = self.get(path).await.expect("an answer");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["data"].clone()
    }
}
