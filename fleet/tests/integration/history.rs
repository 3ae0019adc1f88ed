//! The past, played: the same samples as any other way of asking gives, and each series a sound one.

use std::collections::{BTreeMap, HashMap};

use fleet::{Cluster, Fleet, Settings};
use model::SeriesKey;
use model::batch::Kind;
use proptest::prelude::*;

use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, Row, Series, fleet, heard, of_batches, of_text};

const STEP_MS: i64 = 15_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn play(cluster: &Cluster, from_ms: i64, to_ms: i64, step_ms: i64) -> Series {
    of_batches(cluster.batches(from_ms, to_ms, step_ms).unwrap())
}

/// The samples without markers, with values as bits, so that the same means the same.
fn bits(series: &Series, keep: impl Fn(i64) -> bool) -> BTreeMap<(String, String, i64), u64> {
    let rows = series.iter().flat_map(|(key, rows)| rows.iter().map(move |row| (key, row)));
    let kept = rows.filter(|(_, row)| !row.is_marker() && keep(row.time_ms));
    kept.map(|(key, row)| ((key.name.to_string(), format!("{:?}", key.labels), row.time_ms), row.value.to_bits()))
        .collect()
}

#[test]
fn a_scrape_of_the_past_is_what_federation_gives() {
    for cluster in heard().clusters() {
        let played = play(cluster, NOON_MS, NOON_MS + 4 * STEP_MS, STEP_MS);
        for step in 0..4 {
            let start_ms = NOON_MS + step * STEP_MS;
            let federated = of_text(&cluster.federate(start_ms + STEP_MS - 1));
            let of_step = bits(&played, |time_ms| (start_ms..start_ms + STEP_MS).contains(&time_ms));
            assert_eq!(of_step, bits(&federated, |_| true), "{} in step {step}", cluster.name());
            assert!(of_step.len() > 2_000);
        }
    }
}

#[test]
fn so_it_is_in_a_small_fleet_and_in_a_large_one() {
    let small = Settings { clusters: 1, nodes: 2, namespaces: 1, deployments: 1, ..Settings::default() };
    let large = Settings {
        clusters: 5,
        nodes: 14,
        namespaces: 5,
        deployments: 3,
        replicas: 4,
        containers: 3,
        ..Settings::default()
    };
    for (settings, name, least, most) in [(small, "berlin", 1_000, 1_400), (large, "berlin-2", 9_000, 12_000)] {
        let fleet = Fleet::new(3, &Settings { silences: false, ..settings }).unwrap();
        let cluster = fleet.clusters().last().unwrap();
        assert_eq!(cluster.name(), name);
        let (federated, played) =
            (of_text(&cluster.federate(NOON_MS + STEP_MS - 1)), play(cluster, NOON_MS, NOON_MS + 1, STEP_MS));
        assert_eq!(bits(&played, |_| true), bits(&federated, |_| true));
        assert!((least..most).contains(&federated.len()), "{name}: {}", federated.len());
    }
}

#[test]
fn a_page_has_the_values_of_the_scrape_at_its_instant() {
    let berlin = &heard().clusters()[0];
    let played = play(berlin, NOON_MS, NOON_MS + STEP_MS, STEP_MS);
    let mut compared = 0;
    for target in berlin.targets(NOON_MS + STEP_MS) {
        let instance = target.labels.iter().find(|(name, _)| name == "instance").unwrap().1.as_str();
        let job = target.labels.iter().find(|(name, _)| name == "job").unwrap().1.as_str();
        let path = target.labels.iter().find(|(name, _)| name == "metrics_path").map(|(_, path)| path.as_str());
        let of_target = |key: &&SeriesKey| {
            key.labels.get("instance") == Some(instance)
                && key.labels.get("job") == Some(job)
                && key.labels.get("metrics_path") == path
                && &*key.name != "up"
                && !key.name.starts_with("scrape_")
        };
        let mut of_scrape: Vec<u64> =
            played.keys().filter(of_target).map(|key| played[key][0].value.to_bits()).collect();
        let time_ms = played.keys().find(of_target).map(|key| played[key][0].time_ms).unwrap();
        let page = of_text(&berlin.page(&target.name, time_ms).unwrap());
        let mut of_page: Vec<u64> = page.values().map(|rows| rows[0].value.to_bits()).collect();
        of_scrape.sort_unstable();
        of_page.sort_unstable();
        assert_eq!(of_scrape, of_page, "{}", target.name);
        compared += of_page.len();
    }
    assert!(compared > 2_000);
}

#[test]
fn the_same_seed_gives_the_same_fleet_and_another_seed_another() {
    let settings = Settings { clusters: 2, nodes: 3, ..Settings::default() };
    let [one, same, other] = [1, 1, 2].map(|seed| Fleet::new(seed, &settings).unwrap().clusters()[1].federate(NOON_MS));
    assert_eq!(one, same);
    assert_ne!(one, other);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn it_does_not_matter_where_a_history_begins(cluster in 0usize..4, from in 0..DAY_MS, ahead in 1..120i64, step in 1..4i64) {
        let (cluster, step_ms) = (&fleet().clusters()[cluster], step * STEP_MS);
        let (from_ms, to_ms) = (NOON_MS + from, NOON_MS + from + 130 * STEP_MS);
        let cut_ms = from_ms + ahead * STEP_MS;
        let first_ms = -(-cut_ms).div_euclid(step_ms) * step_ms;
        let stepped = play(cluster, from_ms, to_ms, step_ms);
        let direct = play(cluster, cut_ms, to_ms, step_ms);
        prop_assert_eq!(bits(&stepped, |time_ms| time_ms >= first_ms), bits(&direct, |_| true));
    }
}

/// Whether a program was started again between two scrapes, by what it says itself.
struct Starts(HashMap<(String, String, Option<String>), Vec<Row>>);

impl Starts {
    fn of(series: &Series, name: &str) -> Self {
        let named = series.iter().filter(|(key, _)| &*key.name == name);
        Starts(named.map(|(key, rows)| (Self::target(key), rows.clone())).collect())
    }

    /// An address is another pod's after a while.
    fn target(key: &SeriesKey) -> (String, String, Option<String>) {
        let label = |name: &str| key.labels.get(name).map(str::to_owned);
        (label("job").unwrap(), label("instance").unwrap(), label("pod"))
    }

    fn between(&self, key: &SeriesKey, from_ms: i64, to_ms: i64) -> bool {
        let Some(rows) = self.0.get(&Self::target(key)) else { return false };
        let at = |time_ms: i64| rows.iter().find(|row| row.time_ms == time_ms).map(|row| row.value);
        at(from_ms) != at(to_ms)
    }
}

#[test]
fn counters_fall_only_where_a_program_was_started_again() {
    let (mut falls, mut counters) = (0, 0);
    for cluster in [0, 2].map(|index| &fleet().clusters()[index]) {
        let series = play(cluster, NOON_MS, NOON_MS + DAY_MS, MINUTE_MS);
        let starts = Starts::of(&series, "process_start_time_seconds");
        for (key, rows) in &series {
            if !matches!(rows[0].kind, Kind::Counter | Kind::Histogram) {
                continue;
            }
            counters += 1;
            let values: Vec<&Row> = rows.iter().filter(|row| !row.is_marker()).collect();
            for pair in values.windows(2).filter(|pair| pair[1].value < pair[0].value) {
                falls += 1;
                let was_started = starts.between(key, pair[0].time_ms, pair[1].time_ms);
                assert!(was_started, "{} {key:?}: {:?}", cluster.name(), pair);
            }
        }
    }
    assert!(counters > 2 * 2_000 && falls > 20, "{falls} falls of {counters}");
}

#[test]
fn counters_of_nodes_fall_only_where_a_node_was_started_again() {
    let series = play(&heard().clusters()[0], NOON_MS, NOON_MS + 40 * DAY_MS, 3 * HOUR_MS);
    let starts = Starts::of(&series, "node_boot_time_seconds");
    let mut falls = 0;
    for (key, rows) in series.iter().filter(|(key, _)| key.labels.get("job") == Some("node-exporter")) {
        if rows[0].kind != Kind::Counter {
            continue;
        }
        let values: Vec<&Row> = rows.iter().filter(|row| !row.is_marker()).collect();
        for pair in values.windows(2).filter(|pair| pair[1].value < pair[0].value) {
            falls += 1;
            assert!(starts.between(key, pair[0].time_ms, pair[1].time_ms), "{key:?}: {pair:?}");
        }
    }
    // Each of six nodes is started again once or twice, and has 32 counters of processors alone.
    assert!((6 * 32..6 * 100).contains(&falls), "{falls}");
}

#[test]
fn a_series_moves_forward_in_time_and_ends_with_one_marker() {
    for cluster in [1, 3].map(|index| &fleet().clusters()[index]) {
        let series = play(cluster, NOON_MS, NOON_MS + DAY_MS, MINUTE_MS);
        let last_ms = series.values().flatten().map(|row| row.time_ms).max().unwrap();
        let (mut ended, mut silent) = (0, 0);
        for (key, rows) in &series {
            assert!(rows.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms), "{key:?}");
            assert!(!rows[0].is_marker(), "{key:?}");
            assert!(rows.windows(2).all(|pair| !(pair[0].is_marker() && pair[1].is_marker())), "{key:?}");
            // A gap is a silence, or has a marker at its start.
            for pair in rows.windows(2).filter(|pair| pair[1].time_ms - pair[0].time_ms > MINUTE_MS) {
                let is_silence = cluster.is_silent(pair[0].time_ms + MINUTE_MS);
                silent += u32::from(is_silence);
                assert!(is_silence || pair[0].is_marker(), "{key:?}: {pair:?}");
            }
            let end = rows.last().unwrap();
            ended += u32::from(end.is_marker());
            assert!(end.is_marker() || last_ms - end.time_ms < 2 * MINUTE_MS, "{key:?}: {end:?}");
        }
        assert!(ended > 1_000 && silent > 10_000, "{ended} and {silent}");
    }
}

#[test]
fn nothing_is_heard_in_a_silence() {
    for cluster in fleet().clusters() {
        let rows = play(cluster, NOON_MS, NOON_MS + 3 * HOUR_MS, STEP_MS).into_values().flatten();
        assert!(rows.into_iter().all(|row| !cluster.is_silent(row.time_ms)));
    }
}

#[test]
fn buckets_are_cumulative_and_the_last_is_the_count() {
    for cluster in fleet().clusters() {
        for hour in [0, 5, 10, 15, 20] {
            let series = of_text(&cluster.federate(NOON_MS + hour * HOUR_MS));
            let mut histograms = 0;
            for (key, rows) in series.iter().filter(|(key, _)| key.name.ends_with("_count")) {
                let family = key.name.strip_suffix("_count").unwrap();
                let of = |key: &SeriesKey| -> Vec<(String, String)> {
                    let labels = key.labels.iter().filter(|(name, _)| *name != "le");
                    labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
                };
                let bucket =
                    |other: &&SeriesKey| other.name.strip_suffix("_bucket") == Some(family) && of(other) == of(key);
                let mut buckets: Vec<(f64, f64)> = series
                    .keys()
                    .filter(bucket)
                    .map(|other| (other.labels.get("le").unwrap().parse().unwrap(), series[other][0].value))
                    .collect();
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.len() > 8 && buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{key:?}");
                assert_eq!(buckets.last().unwrap(), &(f64::INFINITY, rows[0].value), "{key:?}");
                histograms += 1;
            }
            assert!(histograms > 20, "{histograms}");
        }
    }
}

#[test]
fn labels_are_shared_from_batch_to_batch_and_hashed_once() {
    let batches: Vec<_> = heard().clusters()[0].batches(NOON_MS, NOON_MS + 2 * HOUR_MS, STEP_MS).unwrap().collect();
    assert!(batches.len() > 10);
    let shared = batches.windows(2).filter(|pair| pair[0].body.as_ptr() == pair[1].body.as_ptr()).count();
    assert!(shared > 0, "no batch shares its body");
    for batch in &batches {
        assert!(batch.samples.len() > 10 * batch.series.len(), "a series comes once in a batch");
        for series in &batch.series {
            let labels = &batch.body[series.labels.start as usize..series.labels.end as usize];
            assert_eq!(series.hash, model::Batch::hash(labels));
        }
    }
    let said: usize = batches.iter().map(|batch| batch.metadata.len()).sum();
    assert!(batches[0].metadata.len() > 100 && said < 2 * batches[0].metadata.len());
}
