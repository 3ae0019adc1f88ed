//! The contenders as processes: ours, Debian's Prometheus, Debian's VictoriaMetrics.

use std::path::{Path, PathBuf};

use crate::Fault;
use crate::process::{Process, free_port};

/// Settings of our store under which nothing is cut before it ends.
const UNCUT: &str = "cut_every: 24h, memory_bytes: 8GB, journal_bytes: 16GB";

/// Our binary on the store `folder/store`; `yaml` is added to its configuration. It makes no cut before it ends.
pub(crate) async fn fleetscope(folder: &Path, yaml: &str) -> Result<Process, Fault> {
    fleetscope_with(folder, UNCUT, yaml).await
}

/// As [`fleetscope`], with settings of the store.
pub(crate) async fn fleetscope_with(folder: &Path, storage: &str, yaml: &str) -> Result<Process, Fault> {
    let mut process = start(configure_with(folder, storage, yaml)?, folder, "off")?;
    process.answers("/readyz").await?;
    Ok(process)
}

/// As [`fleetscope`], with the place where it listens for OTLP over gRPC.
pub(crate) async fn fleetscope_with_grpc(folder: &Path) -> Result<(Process, String), Fault> {
    let listen = format!("127.0.0.1:{}", free_port()?);
    let mut process = start(configure(folder, "")?, folder, &listen)?;
    process.answers("/readyz").await?;
    Ok((process, format!("http://{listen}")))
}

/// As [`fleetscope`], not yet ready.
pub(crate) fn fleetscope_starting(folder: &Path, yaml: &str) -> Result<Process, Fault> {
    start(configure(folder, yaml)?, folder, "off")
}

fn start(config: PathBuf, folder: &Path, grpc: &str) -> Result<Process, Fault> {
    let port = free_port()?;
    let arguments = [
        "serve".to_owned(),
        format!("--otlp-grpc-listen={grpc}"),
        "--otlp-http-listen=off".to_owned(),
        format!("--listen=127.0.0.1:{port}"),
        format!("--config={}", config.display()),
    ];
    Process::start(env!("CARGO_BIN_EXE_fleetscope"), &arguments, port, folder.join("fleetscope.log"))
}

/// Writes our configuration into the folder, `yaml` in it.
pub(crate) fn configure(folder: &Path, yaml: &str) -> Result<PathBuf, Fault> {
    configure_with(folder, UNCUT, yaml)
}

fn configure_with(folder: &Path, storage: &str, yaml: &str) -> Result<PathBuf, Fault> {
    let (config, store) = (folder.join("fleetscope.yaml"), folder.join("store"));
    std::fs::write(&config, format!("storage: {{url: {}, {storage}}}\n{yaml}", store.display()))?;
    Ok(config)
}

/// The entry of a cluster in our configuration; its token is put into a file.
pub(crate) fn cluster(folder: &Path, name: &str, limits: &str) -> Result<String, Fault> {
    let file = folder.join(format!("{name}.token"));
    std::fs::write(&file, token(name))?;
    Ok(format!("  - {{name: {name}, limits: {limits}, tokens: [{{file: {}}}]}}\n", file.display()))
}

/// What a cluster of [`cluster`] says who it is with.
pub(crate) fn token(name: &str) -> String {
    format!("the-token-of-the-{name}-cluster")
}

/// Prometheus with its data in `folder/tsdb`, taking remote writes; `yaml` is its configuration.
pub(crate) async fn prometheus(folder: &Path, yaml: &str) -> Result<Process, Fault> {
    let mut process = prometheus_starting(folder, &folder.join("tsdb"), yaml)?;
    process.answers("/-/ready").await?;
    Ok(process)
}

/// As [`prometheus`], with its data anywhere, not yet ready.
pub(crate) fn prometheus_starting(folder: &Path, data: &Path, yaml: &str) -> Result<Process, Fault> {
    prometheus_with(folder, data, yaml, &[])
}

/// As [`prometheus_starting`], with further flags.
pub(crate) fn prometheus_with(folder: &Path, data: &Path, yaml: &str, further: &[&str]) -> Result<Process, Fault> {
    let (config, port) = (folder.join("prometheus.yml"), free_port()?);
    std::fs::write(&config, yaml)?;
    let mut arguments = vec![
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--web.enable-remote-write-receiver".to_owned(),
        "--web.enable-admin-api".to_owned(),
    ];
    arguments.extend(further.iter().map(|flag| (*flag).to_owned()));
    Process::start("prometheus", &arguments, port, folder.join("prometheus.log"))
}

/// VictoriaMetrics with its data in `folder/victoria`.
pub(crate) async fn victoria_metrics(folder: &Path) -> Result<Process, Fault> {
    victoria_metrics_with(folder, &[]).await
}

/// As [`victoria_metrics`], scraping what `yaml` says.
pub(crate) async fn victoria_metrics_scraping(folder: &Path, yaml: &str) -> Result<Process, Fault> {
    let config = folder.join("victoria.yml");
    std::fs::write(&config, yaml)?;
    victoria_metrics_with(folder, &[&format!("-promscrape.config={}", config.display())]).await
}

/// As [`victoria_metrics`], with further flags.
pub(crate) async fn victoria_metrics_with(folder: &Path, further: &[&str]) -> Result<Process, Fault> {
    let port = free_port()?;
    let mut arguments = vec![
        format!("-storageDataPath={}", folder.join("victoria").display()),
        format!("-httpListenAddr=127.0.0.1:{port}"),
        // Months.
        "-retentionPeriod=2".to_owned(),
        // The default of 30 labels is enough; its own metrics would add to what is measured.
        "-selfScrapeInterval=0".to_owned(),
    ];
    arguments.extend(further.iter().map(|flag| (*flag).to_owned()));
    let mut process = Process::start("victoria-metrics", &arguments, port, folder.join("victoria.log"))?;
    process.answers("/health").await?;
    Ok(process)
}
