//! Real pages of a node exporter and of a Prometheus that scrapes both: recorded once, half a second apart, then kept.

use std::path::Path;
use std::time::Duration;

use crate::process::{Process, free_port};
use crate::{Bench, Fault, peers};

/// How many pages there are of each.
pub(crate) const SCRAPES: usize = 520;

/// The pages of both programs, in the order of time.
#[derive(Debug)]
pub(crate) struct Scrapes {
    pub(crate) node: Vec<String>,
    pub(crate) prometheus: Vec<String>,
}

impl Scrapes {
    /// Reads the pages, which are recorded first if they are not there: that takes five minutes.
    pub(crate) async fn load(bench: &Bench) -> Result<Self, Fault> {
        let folder = bench.folder.join("scrapes");
        let last = folder.join(format!("prometheus-{:03}.txt", SCRAPES - 1));
        if !last.exists() {
            record(bench, &folder).await?;
        }
        Ok(Scrapes { node: pages(&folder, "node")?, prometheus: pages(&folder, "prometheus")? })
    }
}

fn pages(folder: &Path, program: &str) -> Result<Vec<String>, Fault> {
    (0..SCRAPES).map(|n| Ok(std::fs::read_to_string(folder.join(format!("{program}-{n:03}.txt")))?)).collect()
}

async fn record(bench: &Bench, folder: &Path) -> Result<(), Fault> {
    println!("recording {SCRAPES} pages of a node exporter and of a Prometheus, half a second apart");
    let scratch = bench.fresh("recording")?;
    std::fs::create_dir_all(folder)?;
    let port = free_port()?;
    let arguments = [format!("--web.listen-address=127.0.0.1:{port}")];
    let mut node = Process::start("prometheus-node-exporter", &arguments, port, scratch.join("node.log"))?;
    node.answers("/metrics").await?;
    let yaml = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: node, static_configs: [{{targets: \
         ['127.0.0.1:{port}']}}]}}]\n"
    );
    let prometheus = peers::prometheus(&scratch, &yaml).await?;
    for number in 0..SCRAPES {
        for (program, process) in [("node", &node), ("prometheus", &prometheus)] {
            let page = reqwest::get(format!("{}/metrics", process.url)).await?.error_for_status()?.text().await?;
            std::fs::write(folder.join(format!("{program}-{number:03}.txt")), page)?;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
