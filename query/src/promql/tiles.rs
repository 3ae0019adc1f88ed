//! Time tiles: an expression whose operators would gather more than the memory of the query is evaluated for some of its steps
//! at a time.
//!
//! A value at a step depends on no other step, but for the choice among replicas, so the answer is the same. What windows reach back for is read again for each
//! tile, and labels take their room in each, so there are no more tiles than are needed.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use futures::stream;
use promql::presence::Presence;

use super::batch::StepBatch;
use super::cells::Cells;
use super::node::{Batches, Node, Operator};
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

/// Runs one tile behind the other, each an input, and gives their values at the steps of the whole.
#[derive(Debug)]
pub(super) struct Tiles {
    /// The number of the first step of each tile.
    firsts: Vec<usize>,
    steps: usize,
}

impl Tiles {
    /// Tiles that lie behind each other, of so many steps together; each with its own steps.
    pub(super) fn plan(tiles: Vec<(Steps, Arc<dyn ExecutionPlan>)>, steps: usize) -> Arc<dyn ExecutionPlan> {
        let (of_tiles, plans): (Vec<Steps>, Vec<_>) = tiles.into_iter().unzip();
        let begin = |first: &mut usize, tile: &Steps| Some(std::mem::replace(first, *first + tile.count));
        let firsts = of_tiles.iter().scan(0, begin).collect();
        Node::plan(Tiles { firsts, steps }, plans, steps)
    }
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tiles={}, steps={}", self.firsts.len(), self.steps)
    }
}

impl Operator for Tiles {
    fn name(&self) -> &'static str {
        "TilesExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn gathers(&self) -> bool {
        false
    }

    /// What a tile holds is given back before the next one begins.
    fn takes_turns(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        let tiles: Vec<_> = inputs.into_iter().flatten().zip(self.firsts.clone()).collect();
        let steps = self.steps;
        let whole = move |(tile, first): (Batches, usize)| tile.map(move |batch| Ok(widened(&batch?, first, steps)));
        Box::pin(stream::iter(tiles).flat_map(whole))
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
