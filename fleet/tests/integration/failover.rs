//! A cluster goes: its load goes to the others, and comes back.

use fleet::{Cluster, Fleet, Settings};

use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, Row, SEED, Series, fleet, heard, of_batches, rise};

/// Requests a second of a service in the whole fleet.
fn all(fleet: &Fleet, service: &str, time_ms: i64) -> f64 {
    fleet.clusters().iter().map(|cluster| cluster.requests_per_second(service, time_ms).unwrap()).sum()
}

/// Berlin silenced at noon, and revived an hour later.
fn failed_over() -> Fleet {
    let mut fleet = Fleet::new(SEED, &Settings { silences: false, ..Settings::default() }).unwrap();
    fleet.silence("berlin", NOON_MS).unwrap();
    fleet.revive("berlin", NOON_MS + HOUR_MS).unwrap();
    fleet
}

fn series(cluster: &Cluster, from_ms: i64, to_ms: i64) -> Series {
    of_batches(cluster.batches(from_ms, to_ms, 15_000).unwrap())
}

/// What all series of a name and of labels have risen by.
fn risen(series: &Series, name: &str, labels: &[(&str, &str)]) -> f64 {
    let is_meant = |key: &&model::SeriesKey| {
        &*key.name == name && labels.iter().all(|(label, value)| key.labels.get(label) == Some(value))
    };
    series.keys().filter(is_meant).map(|key| rise(&series[key])).sum()
}

#[test]
fn a_passive_cluster_serves_next_to_nothing() {
    let shop: Vec<f64> =
        heard().clusters().iter().map(|cluster| cluster.requests_per_second("shop", NOON_MS).unwrap()).collect();
    let roles: Vec<&str> = heard().clusters().iter().map(|cluster| cluster.attributes().role.as_str()).collect();
    assert_eq!(roles, ["active", "passive", "passive", "active"]);
    assert!(shop[1] < 0.03 * shop[0] && shop[2] < 0.03 * shop[3], "{shop:?}");
    assert_eq!(heard().clusters()[1].attributes().services["payments"], "active");
    let payments = |cluster: usize| heard().clusters()[cluster].requests_per_second("payments", NOON_MS).unwrap();
    assert!(payments(0) < 0.03 * payments(1));
}

#[test]
fn no_request_is_lost_when_a_cluster_goes_and_when_it_comes_back() {
    let (usual, failed) = (heard(), failed_over());
    for seconds in (-60..4_000).step_by(5) {
        let time_ms = NOON_MS + seconds * 1000;
        for service in ["shop", "payments", "search"] {
            let (expected, got) = (all(usual, service, time_ms), all(&failed, service, time_ms));
            // A rate is a number of millionths in each cell and cluster.
            assert!((expected - got).abs() < 1e-5, "{service} after {seconds} s: {got}, not {expected}");
        }
    }
}

#[test]
fn no_request_is_lost_in_the_silences_that_come_by_themselves() {
    for minute in 0..24 * 60 {
        let time_ms = NOON_MS + minute * MINUTE_MS + 7_000;
        let (expected, got) = (all(heard(), "search", time_ms), all(fleet(), "search", time_ms));
        assert!((expected - got).abs() < 1e-5, "in minute {minute}: {got}, not {expected}");
    }
}

#[test]
fn load_is_with_the_others_within_a_minute_and_back_within_one() {
    let failed = failed_over();
    let of = |cluster: usize, seconds: i64| {
        failed.clusters()[cluster].requests_per_second("shop", NOON_MS + seconds * 1000).unwrap()
    };
    assert!(of(0, -1) > 300.0);
    assert_eq!(of(0, 60), 0.0);
    assert!(of(1, 60) > 0.45 * of(0, -1) && of(3, 60) > of(3, -1) + 0.2 * of(0, -1));
    assert!(of(0, 3_660) > 300.0 && of(1, 3_660) < 0.03 * of(0, 3_660));
}

#[test]
fn nothing_before_the_change_is_changed() {
    let (usual, failed) = (heard(), failed_over());
    for (before, after) in usual.clusters().iter().zip(failed.clusters()) {
        assert_eq!(
            series(before, NOON_MS - 10 * MINUTE_MS, NOON_MS - 15_000),
            series(after, NOON_MS - 10 * MINUTE_MS, NOON_MS - 15_000)
        );
        for time_ms in [NOON_MS - 5 * HOUR_MS, NOON_MS - 1] {
            assert_eq!(before.federate(time_ms), after.federate(time_ms));
        }
    }
}

#[test]
fn what_is_counted_follows_what_is_served() {
    let (usual, failed) = (heard(), failed_over());
    let (from_ms, to_ms) = (NOON_MS + 2 * MINUTE_MS, NOON_MS + 22 * MINUTE_MS);
    let counted = |fleet: &Fleet, cluster: usize| {
        let series = series(&fleet.clusters()[cluster], from_ms, to_ms);
        let shop = [("namespace", "shop"), ("service", "shop-api")];
        let bytes: f64 = risen(&series, "node_network_transmit_bytes_total", &[("device", "eth0")]);
        let cores = risen(&series, "container_cpu_usage_seconds_total", &[("namespace", "shop")]);
        (risen(&series, "http_requests_total", &shop), cores, bytes)
    };
    let heard: Vec<_> = (1..4).map(|cluster| (counted(usual, cluster), counted(&failed, cluster))).collect();
    // Frankfurt takes half of what Berlin served, London a quarter of it more than its own.
    for (before, after) in &heard {
        assert!(after.0 > 1.15 * before.0 && after.1 > 1.1 * before.1 && after.2 > 1.02 * before.2, "{heard:?}");
    }
    // What the three counted more is what Berlin would have: each pod's counter is up to 12 s late.
    let more: f64 = heard.iter().map(|(before, after)| after.0 - before.0).sum();
    let berlin = counted(usual, 0).0;
    assert!((more / berlin - 1.0).abs() < 0.02, "{more} is not {berlin}");
}

#[test]
fn answers_take_longer_until_the_autoscalers_have_noticed() {
    let (usual, failed) = (heard(), failed_over());
    let slow = |fleet: &Fleet, cluster: usize, seconds: i64| {
        let from_ms = NOON_MS + seconds * 1000;
        let series = series(&fleet.clusters()[cluster], from_ms, from_ms + 75_000);
        let shop = [("namespace", "shop"), ("service", "shop-api")];
        let all = risen(&series, "http_request_duration_seconds_count", &shop);
        1.0 - risen(&series, "http_request_duration_seconds_bucket", &[shop[0], shop[1], ("le", "0.25")]) / all
    };
    let (frankfurt, london) = (slow(&failed, 1, 30), slow(&failed, 3, 30));
    assert!(frankfurt > 4.0 * slow(usual, 1, 30), "{frankfurt} and {}", slow(usual, 1, 30));
    assert!(london > 2.0 * slow(usual, 3, 30), "{london} and {}", slow(usual, 3, 30));
    assert!(slow(&failed, 1, 300) < 0.5 * frankfurt, "{}", slow(&failed, 1, 300));
}

#[test]
fn pods_come_for_the_load_and_go_after_it() {
    let failed = failed_over();
    let frankfurt = &failed.clusters()[1];
    let pods = |seconds: i64| {
        let targets = frankfurt.targets(NOON_MS + seconds * 1000);
        targets.iter().filter(|target| target.name.starts_with("application/shop-api-")).count()
    };
    assert_eq!(pods(0), 2);
    assert!(pods(300) > 2, "{}", pods(300));
    assert_eq!(pods(3_600 + 300), 2);
}

#[test]
fn a_silenced_cluster_is_silent_until_it_is_revived() {
    let failed = failed_over();
    let berlin = &failed.clusters()[0];
    let silent = |ms: i64| berlin.is_silent(NOON_MS + ms);
    assert_eq!((silent(-1), silent(0), silent(HOUR_MS - 1), silent(HOUR_MS)), (false, true, true, false));
    let times = |from_ms: i64, to_ms: i64| -> Vec<i64> {
        let series = series(berlin, NOON_MS + from_ms, NOON_MS + to_ms);
        series.into_values().flatten().map(|row: Row| row.time_ms - NOON_MS).collect()
    };
    assert!(times(0, HOUR_MS - 15_000).is_empty());
    assert!(times(-MINUTE_MS, MINUTE_MS).iter().all(|ms| *ms < 0));
    assert!(!times(HOUR_MS, HOUR_MS + MINUTE_MS).is_empty());
}

#[test]
fn a_change_that_makes_no_sense_is_refused() {
    let mut fleet = Fleet::new(1, &Settings { clusters: 2, namespaces: 1, ..Settings::default() }).unwrap();
    let error = fleet.silence("paris", NOON_MS).unwrap_err();
    assert_eq!(error.message(), "there is no cluster \"paris\" in the fleet");
    fleet.silence("berlin", NOON_MS).unwrap();
    assert_eq!(fleet.revive("berlin", NOON_MS - 1).unwrap_err().kind(), model::ErrorKind::Invalid);
    let error = Fleet::new(1, &Settings { nodes: 1, ..Settings::default() }).unwrap_err();
    assert_eq!(error.message(), "nodes of a fleet must be 2 to 1000, not 1");
    let error = fleet.clusters()[0].batches(0, 1, 0).unwrap_err();
    assert_eq!(error.message(), "a step of 0 ms leads nowhere: it must be positive");
}
