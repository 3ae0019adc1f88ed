//! The plan node that gives samples as they are kept, series by series in order of their labels.
//!
//! The tables have another order, so the series are sorted first, of which no sample is read for that. Then they are read
//! in groups, as many at a time as fit into a few megabytes.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use model::SeriesKey;
use storage::{Resolved, Selection, SeriesInfo};

use super::super::batch::FULL_BYTES;
use super::super::cells;
use super::super::labels::LabelSet;
use super::super::node::properties;
use super::super::ranges::{Bounds, RangeBatch};
use super::super::steps::Samples;
use super::gather::Gather;
use super::synthetic::{Synthetic, synthetic_series};
use super::{Ground, Part};
use crate::error::external;
use crate::scan::selected::{Key, SelectedSeries};

/// What the samples of a group should come to.
const GROUP_BYTES: usize = 16 << 20;
/// Series of the first group, of which nobody knows yet how many samples they have.
const FIRST_GROUP: usize = 64;
/// Series of a group at most, and by how many times a group may have more of them than the one before.
const MAX_GROUP: usize = 10_000;
const MAX_GROWTH: usize = 4;

/// A series to read.
#[derive(Debug)]
struct Wanted {
    labels: LabelSet,
    /// What the tables have of it; `None` for one that is in no table.
    stored: Option<Arc<SeriesInfo>>,
}

/// Puts the samples of each series together and gives them with their staleness markers.
#[derive(Debug)]
pub(in super::super) struct RawExec {
    ground: Ground,
    time_ms: RangeInclusive<i64>,
    series: Arc<[Wanted]>,
    is_about_labels: bool,
    /// The memory of the labels.
    _held: MemoryReservation,
    properties: Arc<PlanProperties>,
}

impl RawExec {
    /// Finds the series of a selection, whose samples are read unless only their labels are wanted.
    ///
    /// # Errors
    /// Those of the snapshot, and `TooLarge` or `Busy` if their labels take too much memory.
    pub(in super::super) async fn plan(
        ground: Ground,
        selection: &Selection,
        is_about_labels: bool,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let held = MemoryConsumer::new("labels of series").register(&ground.memory);
        let Resolved { series } = ground.source.resolve(selection).await.map_err(external)?;
        let stored = series.into_iter().map(|info| Wanted { labels: LabelSet::of(&info.key), stored: Some(info) });
        let synthetic = synthetic_series(&ground.clusters, &selection.matchers).into_iter();
        let mut series = Vec::new();
        for wanted in stored.chain(synthetic.map(|labels| Wanted { labels, stored: None })) {
            held.try_grow(size_of::<Wanted>() + wanted.labels.as_bytes().len())?;
            series.push(wanted);
        }
        series.sort_by(|a, b| a.labels.iter().cmp(b.labels.iter()));
        let (time_ms, properties) = (selection.time_ms.clone(), properties(RangeBatch::schema(), 1));
        Ok(Arc::new(RawExec { ground, time_ms, series: series.into(), is_about_labels, _held: held, properties }))
    }
}

impl DisplayAs for RawExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start_ms, end_ms) = (self.time_ms.start(), self.time_ms.end());
        write!(f, "RawExec: series={}, {start_ms} ms to {end_ms} ms", self.series.len())
    }
}

impl ExecutionPlan for RawExec {
    fn name(&self) -> &str {
        "RawExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("RawExec has no input") }
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let reservation = MemoryConsumer::new("samples of a group of series").register(context.memory_pool());
        let (start_ms, end_ms) = (*self.time_ms.start(), *self.time_ms.end());
        let raw = Raw {
            ground: self.ground.clone(),
            time_ms: self.time_ms.clone(),
            bounds: Bounds::including(start_ms, end_ms),
            series: Arc::clone(&self.series),
            is_about_labels: self.is_about_labels,
            next: 0..FIRST_GROUP,
            read: VecDeque::new(),
            reservation,
            context,
        };
        let batches = futures::stream::try_unfold(raw, async |mut raw| Ok(raw.next().await?.map(|batch| (batch, raw))));
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema(), Box::pin(batches)))))
    }
}

/// Reads group by group.
struct Raw {
    ground: Ground,
    time_ms: RangeInclusive<i64>,
    bounds: Bounds,
    series: Arc<[Wanted]>,
    is_about_labels: bool,
    /// The series of the next group; it may reach beyond the last one.
    next: Range<usize>,
    /// What was read of the last group and was not given yet.
    read: VecDeque<(LabelSet, Samples)>,
    reservation: MemoryReservation,
    context: Arc<TaskContext>,
}

impl Raw {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut batch = RangeBatch::default();
        while batch.memory_bytes() < FULL_BYTES {
            if self.is_about_labels {
                let Some(wanted) = self.series.get(self.next.start) else { break };
                self.next.start += 1;
                batch.push_labels(wanted.labels.clone());
                continue;
            }
            match self.read.pop_front() {
                Some((labels, samples)) => batch.push(labels, &samples, &self.bounds)?,
                // A full batch is given before the next group is read: both need memory.
                None if self.next.start >= self.series.len() || !batch.is_empty() => break,
                None => self.read_group().await?,
            }
        }
        if batch.is_empty() { Ok(None) } else { batch.finish().map(Some) }
    }

    async fn read_group(&mut self) -> Result<()> {
        let group = &self.series[self.next.start..self.next.end.min(self.series.len())];
        let mut stored: Vec<Arc<SeriesInfo>> = group.iter().filter_map(|wanted| wanted.stored.clone()).collect();
        stored.sort_by(|a, b| SeriesKey::table_order_by_id((&a.key, a.id), (&b.key, b.id)));
        let selected = Arc::new(SelectedSeries::new(stored, Key::Series));
        let others = group.iter().filter(|wanted| wanted.stored.is_none()).map(|wanted| wanted.labels.clone());
        let synthetic = Synthetic::with_labels(others.collect(), &self.time_ms);
        let part = Part::of(&self.ground, selected, &self.time_ms, false).await?;
        let parts: Arc<[Part]> = [part, Part::of_synthetic(&self.ground, synthetic, self.time_ms.clone())].into();
        self.reservation.free();
        for partition in 0..parts.len() {
            let (touched, context) = (Arc::clone(&self.ground.touched), Arc::clone(&self.context));
            let mut gather = Gather::start(Arc::clone(&parts), partition, touched, context);
            while let Some(labels) = gather.next().await? {
                let samples = std::mem::take(&mut gather.samples);
                self.reservation.try_grow(bytes(&samples))?;
                self.read.push_back((labels, samples));
            }
        }
        self.read.make_contiguous().sort_by(|a, b| a.0.iter().cmp(b.0.iter()));
        let size = next_size(group.len(), self.reservation.size());
        self.next = self.next.end..self.next.end.saturating_add(size);
        Ok(())
    }
}

/// Bytes of memory that the samples of a series take.
fn bytes(samples: &Samples) -> usize {
    samples.memory_bytes() + cells::bytes(&samples.histograms)
}

/// How many series the next group has, by how many the last one had and what its samples took.
fn next_size(series: usize, bytes: usize) -> usize {
    let fitting = GROUP_BYTES.saturating_mul(series) / bytes.max(1);
    fitting.clamp(1, (series * MAX_GROWTH).clamp(1, MAX_GROUP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_as_large_as_their_samples_allow() {
        assert_eq!(next_size(64, 0), 256);
        assert_eq!(next_size(64, 1 << 20), 256);
        assert_eq!(next_size(64, 32 << 20), 32);
        assert_eq!(next_size(1, 100 << 20), 1);
        assert_eq!(next_size(9_000, 1), MAX_GROUP);
    }
}
