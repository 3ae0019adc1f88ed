//! Every page and every federated answer is one that a server takes.

use std::collections::{HashMap, HashSet};

use decode::{Limits, text};

use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, fleet, heard, of_text};

/// Instants at night, at noon, while something is silent, and at odd milliseconds.
const TIMES_MS: [i64; 4] = [NOON_MS - 9 * HOUR_MS, NOON_MS, NOON_MS + 7 * MINUTE_MS + 13, NOON_MS + 8 * HOUR_MS - 1];

#[test]
fn every_page_decodes_and_has_no_series_twice() {
    let mut pages = 0;
    for cluster in fleet().clusters() {
        for time_ms in TIMES_MS {
            for target in cluster.targets(time_ms).iter().filter(|target| target.is_up) {
                let page = cluster.page(&target.name, time_ms).unwrap();
                let lines = page.lines().filter(|line| !line.starts_with('#')).count();
                let series = of_text(&page);
                assert_eq!(series.len(), lines, "{} of {}", target.name, cluster.name());
                assert!(series.values().all(|rows| rows[0].value.is_finite()));
                pages += 1;
            }
        }
    }
    assert!(pages > 4 * 4 * 30, "{pages}");
}

#[test]
fn a_page_has_each_family_in_one_piece_and_says_what_it_is() {
    let berlin = &fleet().clusters()[0];
    for target in berlin.targets(NOON_MS) {
        let page = berlin.page(&target.name, NOON_MS).unwrap();
        let mut seen = HashSet::new();
        let mut family = "";
        for line in page.lines() {
            if let Some(comment) = line.strip_prefix("# TYPE ") {
                family = comment.split(' ').next().unwrap();
                assert!(seen.insert(family), "{family} comes twice in {}", target.name);
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                let suffix = name.strip_prefix(family);
                assert!(matches!(suffix, Some("" | "_bucket" | "_sum" | "_count")), "{name} is not of {family}");
            }
        }
        let metadata = text::decode(&page.clone().into(), 0, &Limits::default()).unwrap().metadata;
        assert!(metadata.iter().all(|family| !family.help.is_empty()));
        assert_eq!(metadata.len(), seen.len());
    }
}

#[test]
fn targets_have_names_and_labels_of_their_own() {
    for cluster in fleet().clusters() {
        for time_ms in TIMES_MS {
            let targets = cluster.targets(time_ms);
            let names: HashSet<&str> = targets.iter().map(|target| target.name.as_str()).collect();
            let labels: HashSet<String> = targets.iter().map(|target| format!("{:?}", target.labels)).collect();
            assert_eq!((names.len(), labels.len()), (targets.len(), targets.len()));
        }
    }
}

#[test]
fn a_target_that_is_not_there_or_does_not_answer_is_named() {
    let fleet = fleet();
    let error = fleet.clusters()[0].page("node-exporter/mars", NOON_MS).unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::NotFound);
    assert_eq!(error.message(), format!("cluster berlin has no target \"node-exporter/mars\" at {NOON_MS} ms"));
    // Somewhere in a day a program is in a crash loop.
    let down = (0..24 * 60).map(|minute| NOON_MS + minute * MINUTE_MS).find_map(|time_ms| {
        let cluster = &fleet.clusters()[0];
        cluster.targets(time_ms).into_iter().find(|target| !target.is_up).map(|target| (cluster, target, time_ms))
    });
    let (cluster, target, time_ms) = down.unwrap();
    assert!(target.name.starts_with("application/payments-worker-"), "{}", target.name);
    assert_eq!(cluster.page(&target.name, time_ms).unwrap_err().kind(), model::ErrorKind::Unavailable);
}

#[test]
fn a_federated_answer_has_the_newest_sample_of_every_target() {
    for cluster in heard().clusters() {
        for time_ms in TIMES_MS {
            let answer = cluster.federate(time_ms);
            let lines = answer.lines().filter(|line| !line.starts_with('#')).count();
            let series = of_text(&answer);
            assert_eq!(series.len(), lines);
            let mut up = HashMap::new();
            for (key, rows) in &series {
                assert_eq!(rows.len(), 1);
                assert!((time_ms - 15_000..=time_ms).contains(&rows[0].time_ms), "{key:?}");
                let target = (key.labels.get("job").unwrap(), key.labels.get("instance").unwrap());
                if &*key.name == "up" {
                    // The kubelet is asked at two paths.
                    *up.entry(target).or_insert(0) += 1;
                }
            }
            assert!(series.keys().all(|key| {
                up.contains_key(&(key.labels.get("job").unwrap(), key.labels.get("instance").unwrap()))
            }));
            assert_eq!(up.values().sum::<usize>(), cluster_targets(cluster, time_ms), "{}", cluster.name());
        }
    }
}

/// How many targets there were when each was asked last; pods may have come since.
fn cluster_targets(cluster: &fleet::Cluster, time_ms: i64) -> usize {
    let (before, now) = (cluster.targets(time_ms - 15_000).len(), cluster.targets(time_ms).len());
    assert_eq!(before, now, "choose an instant at which no pod comes or goes");
    now
}

#[test]
fn a_federated_answer_is_ordered_as_prometheus_orders_it() {
    let answer = fleet().clusters()[0].federate(NOON_MS);
    let names: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(names.iter().all(|line| line.ends_with(" untyped")));
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
    for line in answer.lines().filter(|line| !line.starts_with('#')) {
        let labels = line.split_once('{').map_or("", |(_, rest)| rest);
        let own: Vec<&str> = labels.split("=\"").filter_map(|part| part.rsplit([',', '{']).next()).collect();
        let own = &own[..own.len() - 1];
        assert!(own.windows(2).all(|pair| pair[0] < pair[1]), "{line}");
        assert!(!labels.contains("=\"\""), "{line}");
    }
}

#[test]
fn a_cluster_has_two_to_three_thousand_series_whatever_the_hour() {
    let (mut least, mut most) = (usize::MAX, 0);
    for cluster in fleet().clusters() {
        for half_hour in 0..48 {
            let answer = cluster.federate(NOON_MS + half_hour * 30 * MINUTE_MS);
            let series = answer.lines().filter(|line| !line.starts_with('#')).count();
            (least, most) = (least.min(series), most.max(series));
        }
    }
    assert!(least >= 2_000 && most <= 3_000, "{least} to {most}");
}
