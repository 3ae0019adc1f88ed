//! The plan node that gives ranges of samples as they are.

use std::fmt;
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

use super::super::batch::FULL_BYTES;
use super::super::labels::LabelSet;
use super::super::limits::Touched;
use super::super::node::properties;
use super::super::ranges::{Bounds, RangeBatch};
use super::Part;
use super::gather::Gather;
use super::merging::{self, Merging};

/// Puts the samples of each series together and gives those of a range.
#[derive(Debug)]
pub(in super::super) struct RangesExec {
    parts: Arc<[Part]>,
    /// Where replicas become one series, if there are any.
    merging: Option<Arc<Merging<merging::Range>>>,
    bounds: Bounds,
    touched: Arc<Touched>,
    properties: Arc<PlanProperties>,
}

impl RangesExec {
    pub(super) fn new(
        parts: Vec<Part>,
        merging: Option<Arc<Merging<merging::Range>>>,
        bounds: Bounds,
        touched: Arc<Touched>,
    ) -> Self {
        let properties = properties(RangeBatch::schema(), parts.len().max(1));
        RangesExec { parts: parts.into(), merging, bounds, touched, properties }
    }
}

impl DisplayAs for RangesExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series: usize = self.parts.iter().map(|part| part.selected.series().len()).sum();
        write!(f, "RangesExec: series={series}, {} ms until {} ms", self.bounds.range_ms, self.bounds.end_ms)
    }
}

impl ExecutionPlan for RangesExec {
    fn name(&self) -> &str {
        "RangesExec"
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
        if children.is_empty() { Ok(self) } else { internal_err!("RangesExec has no input") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let reservation = MemoryConsumer::new("ranges of samples").register(context.memory_pool());
        let parts = Arc::clone(&self.parts);
        let gather = Gather::start(parts, partition, Arc::clone(&self.touched), Arc::clone(&context));
        let (merging, bounds) = (self.merging.clone(), self.bounds);
        let range = Range { gather, merging, left: None, context, bounds, reservation };
        let batches =
            futures::stream::try_unfold(range, async |mut range| Ok(range.next().await?.map(|batch| (batch, range))));
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema(), Box::pin(batches)))))
    }
}

struct Range {
    gather: Gather,
    merging: Option<Arc<Merging<merging::Range>>>,
    /// What was left to be merged, once all series of the part have been read.
    left: Option<Vec<(LabelSet, Vec<merging::Range>)>>,
    context: Arc<TaskContext>,
    bounds: Bounds,
    reservation: MemoryReservation,
}

impl Range {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut batch = RangeBatch::default();
        while batch.memory_bytes() < FULL_BYTES {
            let next = if self.left.is_some() { None } else { self.gather.next().await? };
            let Some(labels) = next else {
                let Some(merging) = &self.merging else { break };
                let Some((labels, ranges)) = merging.next_left(&mut self.left) else { break };
                merging.merge(labels, ranges, &self.bounds, &mut batch)?;
                continue;
            };
            self.gather.samples.drop_markers();
            match self.merging.as_ref().and_then(|merging| Some((merging, merging.split(&labels)?))) {
                None => batch.push(labels, &self.gather.samples, &self.bounds)?,
                Some((merging, (common, name))) => {
                    let range = merging::Range { name, samples: self.gather.samples.clone() };
                    if let Some(all) = merging.bring(&common, range, &self.context)? {
                        merging.merge(common, all, &self.bounds, &mut batch)?;
                    }
                }
            }
            self.reservation.try_resize(self.gather.samples.memory_bytes() + batch.memory_bytes())?;
        }
        if batch.is_empty() { Ok(None) } else { batch.finish().map(Some) }
    }
}
