//! Every family is a real one, with its real type and labels: names.txt has them from the systems' own sources.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::SeriesKey;
use model::batch::Kind;

use crate::reading::{HOUR_MS, NOON_MS, fleet, of_text};

/// A family as its system has it.
struct Real {
    kind: Kind,
    /// Names of labels, and whether each may be empty.
    labels: BTreeMap<&'static str, bool>,
}

/// By system and name, with a blank between.
fn real() -> HashMap<String, Real> {
    let lines = include_str!("names.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let families = lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == words[2]).unwrap();
        let labels = words.get(3).map_or("", |labels| labels).split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| (label.trim_end_matches('?'), label.ends_with('?'))).collect();
        ([words[0], words[1]].join(" "), Real { kind, labels })
    });
    let families: Vec<_> = families.collect();
    let count = families.len();
    let all: HashMap<_, _> = families.into_iter().collect();
    assert_eq!(all.len(), count, "a family is listed twice");
    all
}

/// The family that a series is of.
fn family(key: &SeriesKey, kind: Kind) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    let of_histogram = parts.iter().find_map(|part| key.name.strip_suffix(part)).filter(|_| kind == Kind::Histogram);
    of_histogram.unwrap_or(&key.name)
}

#[test]
fn every_family_is_real_and_every_listed_one_is_exposed() {
    let real = real();
    let mut seen = BTreeSet::new();
    for cluster in fleet().clusters() {
        for time_ms in (0..24).step_by(3).map(|hour| NOON_MS + hour * HOUR_MS + 3_000) {
            for target in cluster.targets(time_ms).iter().filter(|target| target.is_up) {
                let system = target.name.split('/').next().unwrap();
                for (key, rows) in of_text(&cluster.page(&target.name, time_ms).unwrap()) {
                    let name = family(&key, rows[0].kind);
                    let listed = [system, name].join(" ");
                    let of = real.get(&listed).unwrap_or_else(|| panic!("nothing real is called {listed}"));
                    assert_eq!(of.kind, rows[0].kind, "{name}");
                    let mut labels: BTreeSet<&str> = key.labels.iter().map(|(label, _)| label).collect();
                    assert_eq!(labels.remove("le"), key.name.ends_with("_bucket"), "{name}");
                    assert!(labels.iter().all(|label| of.labels.contains_key(label)), "{name} has {labels:?}");
                    let lacks = |(label, may_be_empty): (&&str, &bool)| !may_be_empty && !labels.contains(*label);
                    assert!(!of.labels.iter().any(lacks), "{name} lacks some of its labels: {labels:?}");
                    seen.insert(listed);
                }
            }
        }
    }
    let missing: Vec<_> = real.keys().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "listed, but nobody has them: {missing:?}");
}
