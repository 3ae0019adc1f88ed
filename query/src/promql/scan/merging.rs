//! Series of replicas: what each part has made of its replicas becomes one series.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use promql::presence::Presence;

use super::super::batch::StepBatch;
use super::super::cells::Cells;
use super::super::labels::LabelSet;
use super::super::ranges::{Bounds, RangeBatch};
use super::super::replicas::{Meeting, Piece, Replica, Replicas, choose};
use super::super::steps::Samples;
use super::Part;

/// The replicas of a scan, and where the parts meet.
#[derive(Debug)]
pub(super) struct Merging<T> {
    replicas: Replicas,
    meeting: Meeting<T>,
}

impl<T: Piece> Merging<T> {
    /// `None` if no cluster has replicas.
    pub(super) fn of(replicas: &Replicas, parts: &[Part]) -> Option<Arc<Self>> {
        if replicas.labels.is_empty() {
            return None;
        }
        let series = parts.iter().flat_map(|part| part.selected.series());
        let common = series.filter_map(|info| replicas.labels.split(&LabelSet::of(&info.key)));
        let meeting = Meeting::new(common.map(|(common, _)| common), parts.len().max(1));
        Some(Arc::new(Merging { replicas: replicas.clone(), meeting }))
    }

    /// See [`ReplicaLabels::split`](super::super::replicas::ReplicaLabels::split).
    pub(super) fn split(&self, labels: &LabelSet) -> Option<(LabelSet, String)> {
        self.replicas.labels.split(labels)
    }

    /// See [`Meeting::bring`].
    ///
    /// # Errors
    /// Those of [`Meeting::bring`].
    pub(super) fn bring(&self, labels: &LabelSet, piece: T, context: &TaskContext) -> Result<Option<Vec<T>>> {
        self.meeting.bring(labels, piece, context)
    }

    /// The next series of which pieces never came, for a part whose own series have all been brought; `left` is `None` before
    /// the first call.
    pub(super) fn next_left(&self, left: &mut Option<Vec<(LabelSet, Vec<T>)>>) -> Option<(LabelSet, Vec<T>)> {
        left.get_or_insert_with(|| self.meeting.leave()).pop()
    }
}

impl Merging<Replica> {
    /// Adds the series that replicas make together.
    pub(super) fn merge(&self, labels: LabelSet, mut all: Vec<Replica>, drops_name: bool, into: &mut StepBatch) {
        // They come in any order.
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let chosen = choose(&all, into.steps);
        self.replicas.taken.add(&labels, chosen.iter().flatten().map(|number| &all[*number].name));
        let (mut values, mut present) = (vec![0.0; into.steps], Presence::none(into.steps));
        let mut histograms = Cells::new();
        for (step, number) in chosen.into_iter().enumerate() {
            let Some(replica) = number.map(|number| &all[number]) else { continue };
            if replica.present.has(step) {
                values[step] = replica.values[step];
                present.insert(step);
            } else if let Ok(cell) = replica.histograms.binary_search_by_key(&step, |(at, _)| *at) {
                histograms.push(replica.histograms[cell].clone());
            }
        }
        into.push_all(labels, drops_name, &values, present, histograms);
    }
}

/// The samples that a replica has in a range.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) name: String,
    pub(super) samples: Samples,
}

impl Piece for Range {
    fn memory_bytes(&self) -> usize {
        self.samples.memory_bytes()
    }
}

impl Merging<Range> {
    /// Adds the range of the replica that has the most samples.
    ///
    /// # Errors
    /// Those of [`RangeBatch::push`].
    pub(super) fn merge(
        &self,
        labels: LabelSet,
        mut all: Vec<Range>,
        bounds: &Bounds,
        into: &mut RangeBatch,
    ) -> Result<()> {
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let Some(best) = all.iter().min_by_key(|range| std::cmp::Reverse(range.samples.len())) else { return Ok(()) };
        self.replicas.taken.add(&labels, [&best.name].into_iter());
        into.push(labels, &best.samples, bounds)
    }
}
