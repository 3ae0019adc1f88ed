//! `fleetscope demo`: a simulated fleet, and the real server over it, for whoever has nothing installed.
//!
//! Owns: which parts run and in which order: the exporters of the fleet, its past, the server, what sends it traces and logs,
//! the first questions.
//! Does not own: what the fleet exposes (`fleet`), what the server does (`app`).

mod emitter;
mod exporters;
mod history;
mod tour;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use collector::config::{FederateConfig, HttpSdConfig, ScrapeConfig};
use fleet::Fleet;
use model::Error;
use parking_lot::RwLock;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::app::{self, Address, Events, Options, Parts};
use crate::cli::Demo;
use crate::config::{Config, Door, Log, OtlpListen, Telemetry};
use crate::telemetry;

use self::emitter::Emitter;
use self::exporters::Exporters;

/// How often pages are fetched: often enough to watch.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(5);
/// How often the clusters' own Prometheus servers take samples, and so how often they are asked.
const FEDERATE_INTERVAL: Duration = Duration::from_secs(15);
/// A minute of silence is to be seen.
const SILENT_AFTER: Duration = Duration::from_secs(40);

/// Runs the demo until it is told to stop.
///
/// # Errors
/// `Invalid` for a cluster that the fleet does not have, and what [`app::run`] gives.
pub async fn run(demo: Demo, parts: Parts) -> Result<(), Error> {
    let log = Log { level: demo.log.clone(), ..Log::default() };
    telemetry::start(&log, &Telemetry::default())?;
    let now_ms = parts.clock.now_ms();
    let fleet = simulated(&demo, now_ms)?;
    let exporters = Exporters::start(fleet.clone(), parts.clock.clone()).await?;
    let folder = TempDir::new().map_err(|e| Error::internal("no folder for the demo's store").with_source(e))?;
    let config = configuration(&demo, &fleet.read(), &exporters, &folder);
    let emitter = Emitter::new(fleet.clone(), parts.clock.clone())?;
    let clusters = fleet.read().clusters().to_vec();
    let past = history::play(&config, &parts, &clusters, demo.history, now_ms).await?;
    println!("demo: {past}");

    let events = Events::default();
    let signals = app::listen_to_signals(events.sender())
        .map_err(|e| Error::internal("cannot listen to signals").with_source(e))?;
    let (announced, addresses) = oneshot::channel::<Vec<Address>>();
    let beside = async {
        if let Ok(addresses) = addresses.await {
            let tour = tour::give(address(&addresses, "")?, exporters.address(), clusters.len());
            let (sent, ()) = tokio::join!(emitter.run(address(&addresses, app::OTLP_HTTP)?), tour);
            sent?;
        }
        std::future::pending().await
    };
    let announce = |addresses: &[Address]| {
        // Whoever waits for them ends only with the demo.
        let _ = announced.send(addresses.to_vec());
    };
    let served = tokio::select! {
        served = app::run(config, Options::default(), parts, events, announce) => served,
        broken = beside => broken,
    };
    signals.stop().await;
    exporters.stop().await;
    served
}

/// Where the server listens for something.
fn address(addresses: &[Address], what: &str) -> Result<SocketAddr, Error> {
    let found = addresses.iter().find(|address| address.what == what);
    found
        .map(|address| address.socket)
        .ok_or_else(|| Error::internal(format!("the server has no address for {what:?}")))
}

fn simulated(demo: &Demo, now_ms: i64) -> Result<Arc<RwLock<Fleet>>, Error> {
    let mut fleet = Fleet::new(demo.seed, &fleet::Settings::default())?;
    for cluster in &demo.silence {
        fleet.silence(cluster, now_ms)?;
    }
    Ok(Arc::new(RwLock::new(fleet)))
}

/// The server's configuration: every other cluster is federated, the targets of the rest are scraped.
fn configuration(demo: &Demo, fleet: &Fleet, exporters: &Exporters, folder: &TempDir) -> Config {
    let otlp_listen = OtlpListen { http: Door::at((Ipv4Addr::LOCALHOST, 0).into()), ..OtlpListen::off() };
    let mut config = Config { listen: demo.listen, otlp_listen, ..Config::default() };
    config.storage.url = demo.store.clone().unwrap_or_else(|| folder.path().join("store").display().to_string());
    config.storage.cut_every = Duration::from_secs(60);
    config.query.silent_after = SILENT_AFTER;
    for (index, cluster) in fleet.clusters().iter().enumerate() {
        let (name, url) = (cluster.name(), exporters.url(cluster.name()));
        config.clusters.push(cluster.attributes().clone());
        if index % 2 == 0 {
            let source = FederateConfig { scrape_interval: FEDERATE_INTERVAL, ..FederateConfig::new(name, url) };
            config.collector.federate_configs.push(source);
        } else {
            let list = HttpSdConfig::new(format!("{url}/targets"), FEDERATE_INTERVAL);
            let job = ScrapeConfig {
                scrape_interval: SCRAPE_INTERVAL,
                http_sd_configs: vec![list],
                ..ScrapeConfig::new("fleet", name)
            };
            config.collector.scrape_configs.push(job);
        }
    }
    config
}

#[cfg(test)]
mod tests;
