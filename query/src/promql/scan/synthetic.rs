//! Series that nobody sends: `cluster_info`, with what the configuration says of each cluster.

use std::ops::RangeInclusive;

use model::Cluster;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use storage::Matcher;

use super::super::labels::LabelSet;
use super::super::steps::Samples;

/// The name of the series.
const CLUSTER_INFO: &str = "cluster_info";
/// It has a sample at each multiple of this.
const INTERVAL_MS: i64 = 60_000;

/// The synthetic series of a selection. All their values are one.
#[derive(Debug)]
pub(super) struct Synthetic {
    series: Vec<LabelSet>,
    time_ms: RangeInclusive<i64>,
}

impl Synthetic {
    /// Those that fulfil the matchers, within a range of time.
    pub(super) fn select(clusters: &[Cluster], matchers: &[Matcher], time_ms: &RangeInclusive<i64>) -> Self {
        Synthetic { series: synthetic_series(clusters, matchers), time_ms: time_ms.clone() }
    }

    /// Those with these labels.
    pub(super) fn with_labels(series: Vec<LabelSet>, time_ms: &RangeInclusive<i64>) -> Self {
        Synthetic { series, time_ms: time_ms.clone() }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// How many samples each has.
    pub(super) fn samples(&self) -> usize {
        let count = self.time_ms.end().saturating_sub(self.first_ms()).div_euclid(INTERVAL_MS) + 1;
        usize::try_from(count).unwrap_or(0)
    }

    /// The time of the first sample.
    fn first_ms(&self) -> i64 {
        let start_ms = *self.time_ms.start();
        let first_ms = start_ms.div_euclid(INTERVAL_MS) * INTERVAL_MS;
        if first_ms < start_ms { first_ms.saturating_add(INTERVAL_MS) } else { first_ms }
    }

    /// The series with a number, its samples put into `samples`; `None` behind the last one.
    pub(super) fn read(&self, number: usize, samples: &mut Samples) -> Option<LabelSet> {
        let labels = self.series.get(number)?;
        samples.clear();
        let times = (self.first_ms()..=*self.time_ms.end()).step_by(INTERVAL_MS as usize);
        samples.times_ms.extend(times);
        samples.values.resize(samples.times_ms.len(), 1.0);
        Some(labels.clone())
    }
}

/// The labels of the synthetic series that fulfil the matchers, in order. They are there at all times.
pub(crate) fn synthetic_series(clusters: &[Cluster], matchers: &[Matcher]) -> Vec<LabelSet> {
    let fulfils =
        |labels: &LabelSet| matchers.iter().all(|matcher| matcher.condition.holds(labels.get(&matcher.label)));
    let mut series: Vec<LabelSet> = clusters.iter().map(cluster_info).filter(fulfils).collect();
    series.sort();
    series
}

/// What is said of a cluster, as labels.
fn cluster_info(cluster: &Cluster) -> LabelSet {
    let labels = [
        (NAME_LABEL, CLUSTER_INFO),
        (CLUSTER_LABEL, &cluster.name),
        ("environment", &cluster.environment),
        ("provider", &cluster.provider),
        ("region", &cluster.region),
        ("residency", &cluster.residency),
        ("role", &cluster.role),
        ("zone", &cluster.zone),
    ];
    labels.into_iter().fold(LabelSet::default(), |set, (name, value)| set.with(name, value))
}

#[cfg(test)]
mod tests {
    use storage::matcher::Condition;

    use super::*;

    #[test]
    fn clusters_are_told_by_their_attributes() {
        let cluster = |name: &str, role: &str| Cluster { name: name.into(), role: role.into(), ..Cluster::default() };
        let clusters = [cluster("dublin", "passive"), cluster("berlin", "active")];
        let matcher =
            |label: &str, value: &str| Matcher { label: label.into(), condition: Condition::In(vec![value.into()]) };
        let named = matcher(NAME_LABEL, CLUSTER_INFO);
        let range = 30_000..=180_000;
        let mut samples = Samples::default();
        let all = Synthetic::select(&clusters, std::slice::from_ref(&named), &range);
        assert_eq!(all.read(0, &mut samples).unwrap().get(CLUSTER_LABEL), "berlin");
        assert_eq!(samples.times_ms, [60_000, 120_000, 180_000]);
        assert_eq!(samples.values, [1.0; 3]);
        assert_eq!((all.len(), all.samples()), (2, 3));
        assert_eq!(all.read(1, &mut samples).unwrap().iter().count(), 3);
        assert!(all.read(2, &mut samples).is_none());
        let passive = Synthetic::select(&clusters, &[named, matcher("role", "passive")], &range);
        assert_eq!(passive.read(0, &mut samples).unwrap().get(CLUSTER_LABEL), "dublin");
        assert!(passive.read(1, &mut samples).is_none());
        assert!(Synthetic::select(&clusters, &[matcher(NAME_LABEL, "up")], &range).is_empty());
    }
}
