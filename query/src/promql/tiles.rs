//! Time tiles: an expression whose operators would gather more than the memory of the query is evaluated for some of its steps
//! at a time.
//!
//! A value at a step depends on no other step, but for the choice among replicas, so the answer is the same. What windows reach back for is read again for each
//! tile, and labels take their room in each, so there are no more tiles than are needed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};
use futures::TryStreamExt;
use promql::presence::Presence;

use super::batch::StepBatch;
use super::cells::Cells;
use super::node::{Node, properties};
use super::scan::SeriesScanExec;
use super::steps::Steps;

/// What is gathered may take this part of the memory of a query: operators hold what they make of it beside it.
const PART_OF_MEMORY: u64 = 4;
/// What a series takes beside its values.
const SERIES_BYTES: u64 = 256;
/// Tiles at most: each plans and reads for itself.
const MAX_TILES: u64 = 64;

/// Into which steps a question is to be divided, of which this is the whole plan; one tile of all if they are not to be.
pub(super) fn tiles(plan: &Arc<dyn ExecutionPlan>, steps: Steps, memory_bytes: u64) -> Vec<Steps> {
    let room = memory_bytes / PART_OF_MEMORY;
    let (series, count) = (gathered(plan, false), steps.count as u64);
    // The room for labels is taken whatever the tile is.
    let values = room.saturating_sub(series * SERIES_BYTES).max(1);
    let wanted = (series * count * size_of::<f64>() as u64).div_ceil(values).clamp(1, MAX_TILES);
    let length = (count.div_ceil(wanted)).max(1) as usize;
    let tile = |first: usize| Steps {
        start_ms: steps.time_ms(first),
        count: length.min(steps.count - first),
        step_ms: steps.step_ms,
    };
    (0..steps.count).step_by(length).map(tile).collect()
}

/// The series of the scans whose rows are gathered by a node above them, each as often as it is gathered.
fn gathered(plan: &Arc<dyn ExecutionPlan>, is_gathered: bool) -> u64 {
    if let Some(scan) = plan.downcast_ref::<SeriesScanExec>() {
        return if is_gathered { scan.series() as u64 } else { 0 };
    }
    let is_gathered = match plan.downcast_ref::<Node>() {
        Some(node) if node.folds() => false,
        Some(node) => is_gathered || node.gathers(),
        None => is_gathered,
    };
    plan.children().into_iter().map(|child| gathered(child, is_gathered)).sum()
}

/// Runs one tile behind the other and gives their values at the steps of the whole.
#[derive(Debug)]
pub(super) struct TilesExec {
    /// The first step of each tile, and its plan.
    tiles: Vec<(usize, Arc<dyn ExecutionPlan>)>,
    steps: usize,
    properties: Arc<PlanProperties>,
}

impl TilesExec {
    /// Tiles that lie behind each other, of so many steps together; each with its own number of steps.
    pub(super) fn plan(tiles: Vec<(Steps, Arc<dyn ExecutionPlan>)>, steps: usize) -> Arc<dyn ExecutionPlan> {
        let mut first = 0;
        let one = |(of_tile, plan): (Steps, Arc<dyn ExecutionPlan>)| {
            let plan: Arc<dyn ExecutionPlan> = match plan.output_partitioning().partition_count() {
                1 => plan,
                _ => Arc::new(CoalescePartitionsExec::new(plan)),
            };
            let tile = (first, plan);
            first += of_tile.count;
            tile
        };
        let tiles = tiles.into_iter().map(one).collect();
        Arc::new(TilesExec { tiles, steps, properties: properties(StepBatch::schema(steps), 1) })
    }
}

impl DisplayAs for TilesExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TilesExec: tiles={}, steps={}", self.tiles.len(), self.steps)
    }
}

impl ExecutionPlan for TilesExec {
    fn name(&self) -> &str {
        "TilesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.tiles.iter().map(|(_, plan)| plan).collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; self.tiles.len()])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.tiles.len()]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.tiles.len() {
            return internal_err!("TilesExec has {} tiles, not {}", self.tiles.len(), children.len());
        }
        let tiles = self.tiles.iter().map(|(first, _)| *first).zip(children).collect();
        Ok(Arc::new(TilesExec { tiles, steps: self.steps, properties: Arc::clone(&self.properties) }))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let run = Run { left: self.tiles.iter().cloned().collect(), current: None, steps: self.steps, context };
        let batches = futures::stream::try_unfold(run, async |mut run| Ok(run.next().await?.map(|batch| (batch, run))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), Box::pin(batches))))
    }
}

struct Run {
    left: VecDeque<(usize, Arc<dyn ExecutionPlan>)>,
    /// The first step of the tile that runs, and what it gives.
    current: Option<(usize, SendableRecordBatchStream)>,
    steps: usize,
    context: Arc<TaskContext>,
}

impl Run {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((first, batches)) = &mut self.current
                && let Some(batch) = batches.try_next().await?
            {
                return widened(&StepBatch::from_record_batch(&batch)?, *first, self.steps)
                    .into_record_batch()
                    .map(Some);
            }
            // What it held is given back before the next one begins.
            self.current = None;
            let Some((first, plan)) = self.left.pop_front() else { return Ok(None) };
            self.current = Some((first, plan.execute(0, Arc::clone(&self.context))?));
        }
    }
}

/// The same series with their values at the steps of the whole.
fn widened(tile: &StepBatch, first: usize, steps: usize) -> StepBatch {
    let (mut whole, mut values) = (StepBatch::new(steps), vec![0.0; steps]);
    for row in tile.rows() {
        values[first..first + tile.steps].copy_from_slice(row.values);
        let mut present = Presence::none(steps);
        row.present.iter().for_each(|step| present.insert(first + step));
        let histograms: Cells = row.histograms.iter().map(|(step, one)| (first + step, one.clone())).collect();
        whole.push_all(row.labels.clone(), row.drops_name, &values, present, histograms);
    }
    whole
}

#[cfg(test)]
mod tests;
