use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{StatusCode, Uri};
use bytes::Bytes;
use clap::Parser;
use model::worker::Worker;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::cli::{Cli, Command};

fn demo(arguments: &[&str]) -> Demo {
    let cli = Cli::parse_from(["fleetscope", "demo"].iter().chain(arguments));
    let Command::Demo(demo) = cli.command else { panic!("{cli:?}") };
    demo
}

#[tokio::test]
async fn half_of_the_fleet_is_federated_and_half_is_scraped() {
    let demo = demo(&[]);
    let fleet = simulated(&demo, 0).unwrap();
    let clock = Arc::new(model::time::ManualClock::new(0));
    let exporters = Exporters::start(fleet.clone(), clock).await.unwrap();
    let folder = TempDir::new().unwrap();
    let config = configuration(&demo, &fleet.read(), &exporters, &folder);
    config.collector.validate().unwrap();
    let federated = config.collector.federate_configs.iter().map(|source| &source.cluster);
    let scraped = config.collector.scrape_configs.iter().map(|job| &job.cluster);
    let mut asked: Vec<&String> = federated.chain(scraped).collect();
    asked.sort();
    let mut known: Vec<&String> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    known.sort();
    assert_eq!((asked.len(), asked), (4, known));
    exporters.stop().await;
}

#[test]
fn only_clusters_of_the_fleet_can_be_silenced() {
    let error = simulated(&demo(&["--silence", "atlantis"]), 0).unwrap_err();
    assert!(error.to_string().contains("atlantis"), "{error}");
    let fleet = simulated(&demo(&["--silence", "berlin"]), 5_000).unwrap();
    assert!(fleet.read().cluster("berlin").unwrap().is_silent(5_000));
}

#[tokio::test]
async fn pages_have_exemplars_for_whoever_reads_openmetrics() {
    let demo = demo(&[]);
    let noon_ms = 1_767_268_800_000;
    let fleet = simulated(&demo, 0).unwrap();
    let exporters = Exporters::start(fleet.clone(), Arc::new(model::time::ManualClock::new(noon_ms))).await.unwrap();
    let targets = fleet.read().cluster("berlin").unwrap().targets(noon_ms);
    let target = targets.into_iter().find(|target| target.name.starts_with("application/shop-api")).unwrap();
    let url = format!("{}/metrics/{}", exporters.url("berlin"), target.name);
    let client = reqwest::Client::new();
    let older = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(older.contains("http_requests_total{") && !older.contains("trace_id"), "{older}");
    let request =
        client.get(&url).header("accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.4");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let newer = answer.text().await.unwrap();
    assert!(newer.contains("# {trace_id=") && newer.ends_with("# EOF\n"), "{newer}");
    exporters.stop().await;
}

/// A server that is not ready at first, and sends on whatever it is given then.
async fn receiver() -> (SocketAddr, mpsc::UnboundedReceiver<(String, Bytes)>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicUsize::new(0));
    let take = async move |uri: Uri, body: Bytes| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        sender.send((uri.path().to_owned(), body)).unwrap();
        StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async move |_| axum::serve(listener, axum::Router::new().fallback(take)).await.unwrap();
    // Ends with the test's runtime.
    drop(Worker::task("receiver", serve));
    (address, receiver)
}

#[tokio::test]
async fn the_last_hour_is_sent_in_order_and_what_was_not_taken_is_sent_again() {
    let noon_ms = 1_767_268_800_000;
    let fleet = simulated(&demo(&[]), 0).unwrap();
    let clock = Arc::new(model::time::ManualClock::new(noon_ms));
    let emitter = Emitter::new(fleet.clone(), clock).unwrap();
    let (address, mut receiver) = receiver().await;
    let expected: Vec<(String, Bytes)> = (0..3)
        .flat_map(|minute| {
            let from_ms = noon_ms - 3_600_000 + minute * 60_000;
            fleet.read().traffic().between(from_ms, from_ms + 60_000).unwrap()
        })
        .flat_map(|telemetry| telemetry.requests())
        .map(|(path, body)| (path.to_owned(), body.into()))
        .collect();
    let taken = async {
        let mut taken = Vec::new();
        while taken.len() < expected.len() {
            taken.push(receiver.recv().await.unwrap());
        }
        taken
    };
    let taken = tokio::select! {
        taken = taken => taken,
        ended = emitter.run(address) => panic!("{ended:?}"),
    };
    assert!(taken == expected, "what was taken is not what was emitted");
}
