//! The server: build, run, drain.
//!
//! Owns: the order in which the parts start and stop, readiness, reloading.
//! Does not own: what any part does.
//!
//! Up: listener (health answers at once) → store (replay) → collectors → routes. Down: no new connection, no new fetch
//! from a source, requests in flight answered, head cut to blocks, journal closed.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collector::{Collectors, Keyring};
use model::files::{Disk, FilesRef};
use model::worker::Worker;
use model::{Clock, Cluster, Error, ErrorKind, Sources, SystemClock};
use parking_lot::RwLock;
use query::Engine;
use storage::Store;
use storage::store::OnDamage;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::server::tls::Tls;
use crate::server::{self, BodyTimeout, Limits, Listener};
use crate::telemetry::Requests;

mod exposure;
mod guard;
mod health;
mod metrics;
mod routes;
mod signals;

use exposure::Exposure;
pub use health::Health;
pub use signals::{Event, Events, listen_to_signals};

/// What is at the address of the port for OTLP over HTTP.
pub const OTLP_HTTP: &str = "OTLP over HTTP";

/// What the server stands on; tests put other parts in.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The file layer of the store.
    pub files: FilesRef,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for Parts {
    fn default() -> Self {
        Parts { files: Arc::new(Disk), clock: Arc::new(SystemClock) }
    }
}

/// How the server is started, beyond its configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Go on with a journal that is damaged before its tail, without the damaged part.
    pub set_aside_damaged: bool,
    /// Listen on an address that other machines reach although not everybody has to prove who he is.
    pub insecure_listen: bool,
}

/// An address that the server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Where it is.
    pub socket: SocketAddr,
    /// What is there, but for the one of `listen`.
    pub what: &'static str,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        let what = if self.what.is_empty() { String::new() } else { format!(" ({})", self.what) };
        write!(f, "{scheme}://{}{what}", self.socket)
    }
}

/// Runs the server until it is told to stop. `announce` is given its addresses as soon as they are bound, that of `listen`
/// first.
///
/// # Errors
/// `Invalid` for settings that cannot be used, `Corrupt` for a damaged store, `Unavailable` if an address is taken or
/// the store cannot be reached, and at the end if the head could not be cut (its rows stay in the journal).
pub async fn run(
    config: Config,
    options: Options,
    parts: Parts,
    mut events: Events,
    announce: impl FnOnce(&[Address]),
) -> Result<(), Error> {
    let access = Access::new(&config, &options)?;
    let health = Health::default();
    let requests = Requests::default();
    let front = routes::Front::new(health.clone(), events.sender(), requests.clone(), access.readers.clone());
    let mut listeners = vec![bind("listen", "--listen", config.listen, front.router()).await?];
    let doors = [
        ("OTLP over gRPC", "otlp_listen.grpc", "--otlp-grpc-listen", config.otlp_listen.grpc, front.otlp_grpc()),
        (OTLP_HTTP, "otlp_listen.http", "--otlp-http-listen", config.otlp_listen.http, front.otlp_http()),
    ];
    for (what, key, flag, door, router) in doors {
        if let Some(address) = door.address() {
            listeners.push(Listener { what, ..bind(key, flag, address, router).await? });
        }
    }
    announce(&addresses(&listeners, access.tls.is_some())?);
    let body_timeout = BodyTimeout::new(longest_body(&config.collector));
    let limits = Limits { body_timeout: body_timeout.clone(), ..Limits::default() };
    let tls = access.tls.clone();
    let server = Worker::task("http", move |stop| server::run(listeners, tls, limits, stop));

    let built = tokio::select! {
        built = App::build(config, access, &options, &parts) => built,
        () = stop_event(&mut events.receiver) => Err(Error::new(ErrorKind::Cancelled, "stopped while starting")),
    };
    let mut app = match built {
        Ok(app) => app,
        Err(error) => {
            server.stop().await;
            return if error.kind() == ErrorKind::Cancelled { Ok(()) } else { Err(error) };
        }
    };
    front.open(&app.collectors, query::routes(app.engine.clone()), app.metrics(requests));
    health.ready();
    tracing::info!("ready");

    while let Some(event) = events.receiver.recv().await {
        match event {
            Event::Stop => break,
            Event::Reload(answer) => {
                let result = app.reload().await;
                body_timeout.set(longest_body(&app.config.collector));
                if let Err(error) = &result {
                    tracing::error!(%error, "reload refused, the old configuration stays in force");
                }
                if let Some(answer) = answer {
                    // The client may have hung up.
                    let _ = answer.send(result);
                }
            }
        }
    }
    health.stopping();
    tracing::info!("stopping");
    app.drain(server).await
}

/// Who may do what, and the files that say so.
struct Access {
    exposure: Exposure,
    readers: Keyring,
    tls: Option<Tls>,
    watches: Vec<Worker>,
}

impl Access {
    /// Reads the files of tokens and certificate, and begins to look for changes of them.
    fn new(config: &Config, options: &Options) -> Result<Self, Error> {
        let addresses: Vec<_> = [config.listen].into_iter().chain(config.otlp_listen.addresses()).collect();
        let exposure = Exposure::new(&addresses, config.tls_server_config.is_some(), options.insecure_listen);
        exposure.check(config)?;
        let tls = config.tls_server_config.as_ref().map(Tls::new).transpose()?;
        let readers = Keyring::new(config.readers.holders());
        let watches = tls.iter().map(Tls::watch).chain([readers.watch("reader tokens")]).collect();
        Ok(Access { exposure, readers, tls, watches })
    }

    /// Goes over to the readers of another configuration, and looks at the files.
    async fn reload(&self, config: &Config) -> Result<(), Error> {
        let (ring, readers) = (self.readers.clone(), config.readers.clone());
        let reading = tokio::task::spawn_blocking(move || ring.replace(readers.holders()));
        reading.await.map_err(|e| Error::internal("reading the files of tokens broke off").with_source(e))?;
        if let Some(tls) = &self.tls {
            tls.look().await;
        }
        Ok(())
    }
}

/// Everything that runs.
struct App {
    config: Config,
    access: Access,
    /// What the engine reads of the clusters; a reload replaces it.
    clusters: Arc<RwLock<Vec<Cluster>>>,
    store: Store,
    collectors: Collectors,
    engine: Engine,
}

impl App {
    async fn build(config: Config, access: Access, options: &Options, parts: &Parts) -> Result<Self, Error> {
        let begin_ms = parts.clock.now_ms();
        let store_parts = storage::store::Parts { files: parts.files.clone(), clock: parts.clock.clone() };
        let on_damage = if options.set_aside_damaged { OnDamage::SetAside } else { OnDamage::Stop };
        let store = Store::open_with(config.storage.clone(), store_parts, on_damage).await?;
        tracing::info!(url = %config.storage.url, milliseconds = parts.clock.now_ms() - begin_ms, "store open");
        let sources = Sources::default();
        let clusters = Arc::new(RwLock::new(config.clusters.clone()));
        let engine_parts = query::Parts {
            store: store.clone(),
            clusters: clusters.clone(),
            sources: sources.clone(),
            clock: parts.clock.clone(),
        };
        let engine = Engine::new(config.query.clone(), engine_parts)
            .map_err(|e| Error::new(e.kind(), e.to_string()).context("query"))?;
        let collector_parts = collector::Parts {
            ingest: Arc::new(store.clone()),
            recall: Arc::new(engine.clone()),
            sources,
            clock: parts.clock.clone(),
        };
        let collectors = Collectors::start(&config.collector, collector_parts)?;
        Ok(App { config, access, clusters, store, collectors, engine })
    }

    /// What renders the metrics of all parts.
    fn metrics(&self, requests: Requests) -> metrics::Metrics {
        let (collectors, store, engine) = (self.collectors.metrics(), self.store.clone(), self.engine.clone());
        let (readers, tls) = (self.access.readers.clone(), self.access.tls.clone());
        metrics::Metrics { requests, collectors, store, engine, readers, tls }
    }

    /// Reads the configuration again and goes over to it; returns what was read.
    ///
    /// # Errors
    /// `Invalid` with the place of the mistake; then nothing has changed.
    async fn reload(&mut self) -> Result<String, Error> {
        let Some(path) = self.config.path.clone() else {
            return Err(Error::invalid(
                "the server was started without a configuration file, there is nothing to read",
            ));
        };
        let new = load(path).await?;
        self.access.exposure.check(&new)?;
        self.collectors.reload(&new.collector).await?;
        self.access.reload(&new).await?;
        for key in new.needs_restart(&self.config) {
            tracing::warn!(key, "this setting has changed and takes effect at the next start");
        }
        let summary = new.summary();
        tracing::info!(summary, "configuration reloaded");
        self.clusters.write().clone_from(&new.clusters);
        self.config.clusters = new.clusters;
        self.config.collector = new.collector;
        self.config.readers = new.readers;
        Ok(summary)
    }

    /// Sources first, so that nothing new comes in; the server before the store, so that whoever is being answered
    /// still has one.
    async fn drain(self, server: Worker) -> Result<(), Error> {
        let App { store, collectors, engine, access, .. } = self;
        drop(engine);
        futures::future::join_all(access.watches.into_iter().map(Worker::stop)).await;
        tokio::join!(server.stop(), collectors.stop());
        store.close().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// How long the server waits for a body: longer than any route does, so that the route's own word comes first.
fn longest_body(config: &collector::Config) -> Duration {
    let receivers = [config.remote_write.body_timeout, config.log_push.body_timeout, config.otlp.body_timeout];
    let body = receivers.into_iter().max().unwrap_or_default();
    let route = body.saturating_add(Duration::from_secs(1));
    Limits::default().body_timeout.get().max(route)
}

/// Reads a configuration away from the runtime: the file may be on a disk that hangs.
async fn load(path: PathBuf) -> Result<Config, Error> {
    let read = tokio::task::spawn_blocking(move || Config::load(Some(&path))).await;
    let config = read.map_err(|e| Error::internal("reading the configuration failed").with_source(e))?;
    config.map_err(|mistake| Error::invalid(mistake.to_string()))
}

/// Binds the address that a key of the configuration names.
async fn bind(key: &str, flag: &str, address: SocketAddr, router: axum::Router) -> Result<Listener, Error> {
    let socket = TcpListener::bind(address).await.map_err(|e| unavailable(key, flag, address, e))?;
    Ok(Listener { socket, what: "", router })
}

fn addresses(listeners: &[Listener], is_tls: bool) -> Result<Vec<Address>, Error> {
    let address = |listener: &Listener| {
        let socket = listener.socket.local_addr();
        socket.map_err(|e| Error::internal("a socket has no address").with_source(e))
    };
    listeners.iter().map(|listener| Ok(Address { socket: address(listener)?, what: listener.what, is_tls })).collect()
}

fn unavailable(key: &str, flag: &str, address: SocketAddr, error: std::io::Error) -> Error {
    let text = format!("cannot listen on {address}, see {key} or {flag}");
    Error::new(ErrorKind::Unavailable, text).with_source(error)
}

/// Returns at the first request to stop. There is nothing to reload yet: the file is read when the store is open.
async fn stop_event(events: &mut mpsc::Receiver<Event>) {
    loop {
        match events.recv().await {
            Some(Event::Stop) | None => return,
            Some(Event::Reload(answer)) => {
                let starting = Error::new(ErrorKind::Unavailable, "the server is starting");
                if let Some(answer) = answer {
                    let _ = answer.send(Err(starting));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_waits_longer_for_a_body_than_any_route() {
        let mut config = collector::Config::default();
        assert_eq!(longest_body(&config), Duration::from_secs(60));
        config.remote_write.body_timeout = Duration::from_secs(600);
        assert!(longest_body(&config) > config.remote_write.body_timeout);
        config.remote_write.body_timeout = Duration::MAX;
        assert_eq!(longest_body(&config), Duration::MAX);
        let mut config = collector::Config::default();
        config.log_push.body_timeout = Duration::from_secs(600);
        assert!(longest_body(&config) > config.log_push.body_timeout);
    }
}
