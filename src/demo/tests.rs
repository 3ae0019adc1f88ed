use clap::Parser;

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
