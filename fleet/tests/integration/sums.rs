//! The nodes do what their containers do.

use model::SeriesKey;

use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, Series, heard, of_batches, rise};

/// Cores that a node's kernel and kubelet use for each processor, besides the containers.
const NODE_IDLE_CORES: f64 = 0.05;
const WINDOW_MS: i64 = 20 * MINUTE_MS;

fn sum(series: &Series, is_meant: impl Fn(&SeriesKey) -> bool, of: impl Fn(&SeriesKey) -> f64) -> f64 {
    series.keys().filter(|key| is_meant(key)).map(of).sum()
}

/// Cores of all nodes and of all containers over a window, besides the processors there are.
fn cores(cluster: &fleet::Cluster, from_ms: i64) -> (f64, f64, f64) {
    let series = of_batches(cluster.batches(from_ms, from_ms + WINDOW_MS, 15_000).unwrap());
    let seconds = (WINDOW_MS - 15_000) as f64 / 1000.0;
    let is_mode =
        |key: &SeriesKey, mode: &str| &*key.name == "node_cpu_seconds_total" && key.labels.get("mode") == Some(mode);
    let is_busy =
        |key: &SeriesKey| &*key.name == "node_cpu_seconds_total" && !is_mode(key, "idle") && !is_mode(key, "iowait");
    let nodes = sum(&series, is_busy, |key| rise(&series[key])) / seconds;
    let cpus = sum(&series, |key| is_mode(key, "idle"), |_| 1.0);
    // A container that began in the window began with nothing.
    let used = |key: &SeriesKey| {
        let first = series[key][0];
        let is_new = first.time_ms > from_ms + 15_000;
        rise(&series[key]) + if is_new { first.value } else { 0.0 }
    };
    let containers = sum(&series, |key| &*key.name == "container_cpu_usage_seconds_total", used) / seconds;
    (nodes, containers, cpus)
}

#[test]
fn the_cores_of_all_nodes_are_those_of_all_containers_and_of_the_nodes_themselves() {
    for cluster in heard().clusters() {
        for hour in [0, 5, 11, 17] {
            let (nodes, containers, cpus) = cores(cluster, NOON_MS + hour * HOUR_MS);
            let expected = containers + NODE_IDLE_CORES * cpus;
            // Counters of containers are up to 12 s late, and what a pod did in its last scrape is not seen.
            assert!((nodes / expected - 1.0).abs() < 0.02, "{} at {hour}: {nodes}, not {expected}", cluster.name());
            assert!(containers > 0.3, "{containers}");
        }
    }
}

#[test]
fn every_processor_spends_every_second_in_one_mode() {
    let series = of_batches(heard().clusters()[0].batches(NOON_MS, NOON_MS + WINDOW_MS, 15_000).unwrap());
    let seconds = (WINDOW_MS - 15_000) as f64 / 1000.0;
    let of_cpu =
        |key: &SeriesKey| (key.labels.get("instance").unwrap().to_owned(), key.labels.get("cpu").unwrap().to_owned());
    let mut cpus = std::collections::HashMap::new();
    for key in series.keys().filter(|key| &*key.name == "node_cpu_seconds_total") {
        *cpus.entry(of_cpu(key)).or_insert(0.0) += rise(&series[key]);
    }
    assert_eq!(cpus.len(), 6 * 4);
    // Each of eight modes is rounded down to hundredths at both ends.
    assert!(cpus.values().all(|spent| (spent - seconds).abs() < 0.09), "{cpus:?}");
}

#[test]
fn memory_of_a_node_is_what_its_containers_hold_and_something_of_its_own() {
    let series = of_batches(heard().clusters()[0].batches(NOON_MS, NOON_MS + 1, 15_000).unwrap());
    let value = |key: &SeriesKey| series[key][0].value;
    let named = |name: &'static str| move |key: &SeriesKey| &*key.name == name;
    let held = sum(&series, named("container_memory_working_set_bytes"), value);
    let total = sum(&series, named("node_memory_MemTotal_bytes"), value);
    let available = sum(&series, named("node_memory_MemAvailable_bytes"), value);
    let own = (total - available - held) / total;
    assert!((0.04..0.12).contains(&own), "{own}");
}
