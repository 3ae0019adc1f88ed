//! Serves what the simulated fleet exposes: each cluster's targets, their list, and the `/federate` of its Prometheus.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fleet::{Cluster, Fleet};
use model::worker::Worker;
use model::{Clock, Error, ErrorKind};
use parking_lot::RwLock;
use serde::Serialize;
use tokio::net::TcpListener;

/// The media type of the text exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The media type of OpenMetrics, and what those ask for who read it.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OPENMETRICS_NAME: &str = "application/openmetrics-text";

/// The running exporters.
#[derive(Debug)]
pub(super) struct Exporters {
    address: SocketAddr,
    worker: Worker,
}

#[derive(Clone)]
struct Shared {
    fleet: Arc<RwLock<Fleet>>,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
}

impl Exporters {
    /// Begins to serve on a free port of this machine.
    ///
    /// # Errors
    /// `Unavailable` if there is none.
    pub(super) async fn start(fleet: Arc<RwLock<Fleet>>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let unavailable = |e| Error::new(ErrorKind::Unavailable, "no port for the simulated fleet").with_source(e);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        let router = Router::new()
            .route("/{cluster}/federate", get(federate))
            .route("/{cluster}/targets", get(targets))
            .route("/{cluster}/metrics/{*target}", get(page))
            .route("/{cluster}/silence", post(silence))
            .route("/{cluster}/revive", post(revive))
            .with_state(Shared { fleet, clock, address });
        let worker = Worker::task("simulated fleet", move |stop| async move {
            let served =
                axum::serve(listener, router).with_graceful_shutdown(async move { stop.stopped().await }).await;
            if let Err(error) = served {
                tracing::error!(%error, "the simulated fleet is not served any more");
            }
        });
        Ok(Exporters { address, worker })
    }

    /// Where they listen.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the Prometheus of a cluster is.
    pub(super) fn url(&self, cluster: &str) -> String {
        format!("http://{}/{cluster}", self.address)
    }

    /// Ends the serving.
    pub(super) async fn stop(self) {
        self.worker.stop().await;
    }
}

impl Shared {
    /// What `made` makes of a cluster that answers, away from the runtime: a cluster has thousands of series.
    async fn of<T: Send + 'static>(
        &self,
        cluster: &str,
        made: impl FnOnce(&Cluster, i64) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        let now_ms = self.clock.now_ms();
        let found = self.fleet.read().cluster(cluster).cloned();
        let cluster = found.ok_or_else(|| refused(&no_cluster(cluster)))?;
        if cluster.is_silent(now_ms) {
            let what = format!("the cluster {} is silent", cluster.name());
            return Err(refused(&Error::new(ErrorKind::Unavailable, what)));
        }
        let made = tokio::task::spawn_blocking(move || made(&cluster, now_ms)).await;
        let made = made.unwrap_or_else(|e| Err(Error::internal("the simulation broke off").with_source(e)));
        made.map_err(|error| refused(&error))
    }

    fn change(&self, change: impl FnOnce(&mut Fleet, i64) -> Result<(), Error>) -> Response {
        match change(&mut self.fleet.write(), self.clock.now_ms()) {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => refused(&error),
        }
    }
}

async fn federate(State(shared): State<Shared>, Path(cluster): Path<String>) -> Result<Response, Response> {
    let text = shared.of(&cluster, |cluster, now_ms| Ok(cluster.federate(now_ms))).await?;
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response())
}

/// A page, with exemplars for whoever reads OpenMetrics: the older format has none.
async fn page(
    State(shared): State<Shared>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (cluster, target) = path;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains(OPENMETRICS_NAME)) {
        let text = shared.of(&cluster, move |cluster, now_ms| cluster.openmetrics(&target, now_ms)).await?;
        return Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response());
    }
    let text = shared.of(&cluster, move |cluster, now_ms| cluster.page(&target, now_ms)).await?;
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response())
}

/// A group of HTTP service discovery.
#[derive(Debug, Serialize)]
struct Group {
    targets: [String; 1],
    labels: BTreeMap<String, String>,
}

async fn targets(State(shared): State<Shared>, Path(name): Path<String>) -> Result<Json<Vec<Group>>, Response> {
    let address = shared.address.to_string();
    let groups = shared.of(&name, move |cluster, now_ms| {
        let group = |target: fleet::Target| {
            let path = format!("/{}/metrics/{}", cluster.name(), target.name);
            let labels = target.labels.into_iter().chain([("__metrics_path__".to_owned(), path)]).collect();
            Group { targets: [address.clone()], labels }
        };
        Ok(cluster.targets(now_ms).into_iter().map(group).collect())
    });
    Ok(Json(groups.await?))
}

async fn silence(State(shared): State<Shared>, Path(cluster): Path<String>) -> Response {
    shared.change(|fleet, now_ms| fleet.silence(&cluster, now_ms))
}

async fn revive(State(shared): State<Shared>, Path(cluster): Path<String>) -> Response {
    shared.change(|fleet, now_ms| fleet.revive(&cluster, now_ms))
}

fn no_cluster(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no cluster {name:?} in the fleet"))
}

fn refused(error: &Error) -> Response {
    let status = match error.kind() {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n")).into_response()
}
