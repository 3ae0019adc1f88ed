//! Info series by what identifies them.
//!
//! Clusters may have the same jobs and instances, so a series of a cluster has the info series of that cluster; where there is
//! none, those that are of no cluster. One that is of no cluster itself, as after `sum by (instance, job)`, has those of all, as in
//! Prometheus, which knows no clusters.

use std::collections::{BTreeSet, HashMap, HashSet};

use datafusion::common::Result;
use model::Error;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use promql::labels::Labels;

use super::super::super::batch::StepBatch;
use super::super::super::labels::LabelSet;
use super::IDENTIFYING;
use crate::error::external;

/// The values of the identifying labels.
type Identity<'a> = [&'a str; IDENTIFYING.len()];
/// What the info series of a group have in common: name, identity, and the cluster unless they are those of all clusters.
type Common<'a> = (&'a str, Identity<'a>, Option<&'a str>);

/// Info series with the same name and identity are a group, in a cluster or in all: of each the one with the newest sample counts.
pub(super) struct Groups<'a> {
    info: &'a StepBatch,
    /// The info series that are looked at with their groups, in order of their labels.
    members: Vec<(usize, usize)>,
    /// The groups of each series that is joined, in order of the names.
    of_series: Vec<Vec<usize>>,
    /// The info series of each group that counts at the step that was looked at.
    newest: Vec<Option<usize>>,
}

impl<'a> Groups<'a> {
    /// Finds the groups of those series that are to be joined.
    ///
    /// # Errors
    /// `Invalid` if an info series has native histograms.
    pub(super) fn new(info: &'a StepBatch, series: &[Option<&'a LabelSet>]) -> Result<Self> {
        let wanted: Vec<Identity<'a>> = series.iter().flatten().map(|labels| identity(labels)).collect();
        let mut numbers: Vec<usize> = related(info, &wanted);
        numbers.sort_by_cached_key(|number| Labels::from(&info.labels[*number]));
        if let Some(number) = numbers.iter().find(|number| !info.histograms[**number].is_empty()) {
            let labels = Labels::from(&info.labels[*number]);
            let what = format!("this should be an info metric, with float samples: {labels}");
            return Err(external(Error::invalid(what)));
        }
        let is_of_cluster = |labels: &&LabelSet| !labels.get(CLUSTER_LABEL).is_empty();
        let (some_are, all_are) =
            (series.iter().flatten().any(is_of_cluster), series.iter().flatten().all(is_of_cluster));
        let (mut groups, mut members) = (HashMap::<Common<'a>, usize>::new(), Vec::with_capacity(numbers.len()));
        for number in numbers {
            let labels = &info.labels[number];
            let clusters = [some_are.then(|| Some(labels.get(CLUSTER_LABEL))), (!all_are).then_some(None)];
            for cluster in clusters.into_iter().flatten() {
                let next = groups.len();
                let common = (labels.get(NAME_LABEL), identity(labels), cluster);
                members.push((number, *groups.entry(common).or_insert(next)));
            }
        }
        let names: BTreeSet<&str> = groups.keys().map(|(name, ..)| *name).collect();
        let of_series = |labels: &Option<&'a LabelSet>| -> Vec<usize> {
            let Some(labels) = labels else { return Vec::new() };
            let clusters = match labels.get(CLUSTER_LABEL) {
                "" => [None, None],
                cluster => [Some(cluster), Some("")],
            };
            let group = |name: &&str| {
                let of = |cluster| groups.get(&(*name, identity(labels), cluster)).copied();
                of(clusters[0]).or_else(|| of(clusters[1]))
            };
            names.iter().filter_map(group).collect()
        };
        let of_series = series.iter().map(of_series).collect();
        Ok(Groups { info, members, of_series, newest: vec![None; groups.len()] })
    }

    /// Goes to a step.
    ///
    /// # Errors
    /// `Invalid` if two info series of a group have samples of the same time.
    pub(super) fn look(&mut self, step: usize) -> Result<()> {
        self.newest.fill(None);
        for (number, group) in self.members.iter().copied() {
            if !self.info.present[number].has(step) {
                continue;
            }
            let time = |number: usize| self.info.values[number * self.info.steps + step];
            let newest = &mut self.newest[group];
            match *newest {
                Some(other) if time(other) == time(number) => {
                    let labels = |number: usize| Labels::from(&self.info.labels[number]);
                    let time_ms = (time(number) * 1000.0).round() as i64;
                    let what = format!(
                        "found duplicate series for info metric: existing {} @ {time_ms}, new {} @ {time_ms}",
                        labels(other),
                        labels(number)
                    );
                    return Err(external(Error::invalid(what)));
                }
                Some(other) if time(other) > time(number) => {}
                _ => *newest = Some(number),
            }
        }
        Ok(())
    }

    /// The info series of a series at the step that was looked at.
    pub(super) fn newest(&self, series: usize) -> impl Iterator<Item = usize> {
        self.of_series[series].iter().filter_map(|group| self.newest[*group])
    }

    /// The labels of an info series.
    pub(super) fn labels(&self, number: usize) -> &'a LabelSet {
        &self.info.labels[number]
    }
}

fn identity(labels: &LabelSet) -> Identity<'_> {
    IDENTIFYING.map(|name| labels.get(name))
}

/// The info series that have values of identifying labels that are wanted. A label that no series has is not asked for, but if
/// none has any of them, no info series is looked at.
fn related<'a>(info: &'a StepBatch, wanted: &[Identity<'a>]) -> Vec<usize> {
    let values = |at: usize| -> HashSet<&str> {
        wanted.iter().map(|identity| identity[at]).filter(|value| !value.is_empty()).collect()
    };
    let values: [HashSet<&str>; IDENTIFYING.len()] = std::array::from_fn(values);
    if values.iter().all(HashSet::is_empty) {
        return Vec::new();
    }
    let is_related = |number: &usize| {
        let identity = identity(&info.labels[*number]);
        values.iter().zip(identity).all(|(values, value)| values.is_empty() || values.contains(value))
    };
    (0..info.len()).filter(is_related).collect()
}
