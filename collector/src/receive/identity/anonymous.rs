//! Rows of a push without a token that say they are of a cluster that has some.

use std::collections::HashSet;
use std::sync::Arc;

use model::Batch;
use model::labels::{CLUSTER_LABEL, LabelsBuilder};

/// Parts a batch: rows that keep their own `cluster` label, and rows whose label names a guarded cluster. These are stamped
/// with no cluster, which moves the label to `exported_cluster`.
///
/// It reads the labels of every series, which the store does only for those it does not know: a push with a token is cheaper.
pub(super) fn split(mut batch: Batch, guarded: &HashSet<String>) -> Vec<Batch> {
    let is_claimed: Vec<bool> = claims(&batch, guarded).collect();
    if !is_claimed.contains(&true) {
        return vec![batch];
    }
    let mut claimed = part(batch.clone(), |series| is_claimed.get(series) == Some(&true)).stamped(Arc::from(""));
    // What is said of families is said once.
    claimed.metadata.clear();
    batch = part(batch, |series| is_claimed.get(series) != Some(&true));
    vec![batch, claimed]
}

/// Whether a row says that it is of a guarded cluster.
pub(super) fn claims_any(batch: &Batch, guarded: &HashSet<String>) -> bool {
    !guarded.is_empty() && claims(batch, guarded).any(|is_claimed| is_claimed)
}

/// Of each series, whether its label names a guarded cluster.
fn claims(batch: &Batch, guarded: &HashSet<String>) -> impl Iterator<Item = bool> {
    let mut labels = LabelsBuilder::default();
    (0..batch.series.len()).map(move |index| {
        // What cannot be read is refused by the store, which says why.
        batch.read_labels(index, &mut labels).is_ok()
            && labels.pairs().any(|(name, value)| name == CLUSTER_LABEL && guarded.contains(value))
    })
}

/// Some of the series, with their rows: the store would make an entry of each series that is in a batch.
fn part(mut batch: Batch, is_kept: impl Fn(usize) -> bool) -> Batch {
    let mut kept = 0u32;
    let places: Vec<Option<u32>> = (0..batch.series.len())
        .map(|series| {
            let place = is_kept(series).then_some(kept);
            kept += u32::from(place.is_some());
            place
        })
        .collect();
    // A row of no series at all is a fault that the store tells of.
    let place = |series: &mut u32| match places.get(*series as usize) {
        Some(place) => place.map(|place| *series = place).is_some(),
        None => is_kept(*series as usize),
    };
    batch.samples.retain_mut(|row| place(&mut row.series));
    batch.histograms.retain_mut(|row| place(&mut row.series));
    batch.starts.retain_mut(|row| place(&mut row.series));
    batch.exemplars.retain_mut(|row| place(&mut row.series));
    let mut index = 0;
    batch.series.retain(|_| {
        index += 1;
        places[index - 1].is_some()
    });
    batch
}
