//! Series scans: from a selection to the values of each of its series at each step.
//!
//! Owns: how the series are shared among threads, putting the rows of a series together from blocks and head, the count of
//! samples that were read.
//! Does not own: which blocks, pages and rows those are (`crate::scan`), what is made of the samples (`evaluate`).

mod blocks;
mod cursor;
mod exec;
mod gather;
mod histograms;
mod input;
mod merging;
mod ranges;
mod raw;
mod starts;
mod synthetic;

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::ExecutionPlan;
use model::Cluster;
use storage::{Resolved, Selection};

pub(super) use exec::SeriesScanExec;
use input::Inputs;
use merging::Merging;
pub(super) use ranges::RangesExec;
pub(super) use raw::RawExec;
use synthetic::Synthetic;
pub(crate) use synthetic::synthetic_series;

use super::evaluate::Evaluate;
use super::limits::Touched;
use super::missing::Reach;
use super::ranges::Bounds;
use super::replicas::Replicas;
use super::scalars::ScalarArg;
use super::steps::Looks;
use crate::error::external;
use crate::scan::plan::deciding_key;
use crate::scan::selected::{Key, SelectedSeries};
use crate::source::Source;

/// Fewer series than this are not worth a thread of their own.
const MIN_SERIES_OF_PARTITION: usize = 64;

/// What a scan stands on.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) source: Arc<Source>,
    pub(super) memory: Arc<dyn MemoryPool>,
    /// Into how many parts the series are shared.
    pub(super) partitions: usize,
    /// The samples that the query has read.
    pub(super) touched: Arc<Touched>,
    /// The clusters of the configuration.
    pub(super) clusters: Arc<[Cluster]>,
    /// The sources that its selectors reach.
    pub(super) reach: Arc<Reach>,
    pub(super) replicas: Replicas,
}

impl Ground {
    /// One part, samples without a limit, no clusters and no replicas.
    pub(super) fn plain(source: Arc<Source>, memory: Arc<dyn MemoryPool>) -> Self {
        Ground {
            source,
            memory,
            partitions: 1,
            touched: Arc::new(Touched::new(u64::MAX)),
            clusters: [].into(),
            reach: Arc::default(),
            replicas: Replicas::default(),
        }
    }
}

/// What is made of the samples of each series.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) evaluate: Arc<dyn Evaluate>,
    /// Its scalar arguments, and the inputs that some of them are.
    pub(super) scalars: Vec<ScalarArg>,
    pub(super) inputs: Vec<Arc<dyn ExecutionPlan>>,
}

/// Some of the series, and where what is known of them is.
#[derive(Debug)]
struct Part {
    selected: Arc<SelectedSeries>,
    time_ms: RangeInclusive<i64>,
    inputs: Inputs,
    histograms: histograms::Inputs,
    /// Series that are in no table.
    synthetic: Option<Synthetic>,
    /// Since when the series count, if that is asked.
    starts: Option<starts::Inputs>,
}

/// Plans the scan of a selection.
///
/// # Errors
/// Those of the snapshot, carried through DataFusion, and `TooLarge` or `Busy` if the memory does not suffice.
pub(super) async fn plan(
    ground: &Ground,
    selection: &Selection,
    looks: Looks,
    made: Made,
) -> Result<Arc<dyn ExecutionPlan>> {
    let parts = parts(ground, selection, made.evaluate.wants_starts()).await?;
    let merging = Merging::of(&ground.replicas, &parts);
    Ok(Arc::new(SeriesScanExec::new(parts, merging, looks, made, Arc::clone(&ground.touched))))
}

/// Plans the scan of a selection whose samples are the answer.
///
/// # Errors
/// As [`plan`].
pub(super) async fn plan_ranges(
    ground: &Ground,
    selection: &Selection,
    bounds: Bounds,
) -> Result<Arc<dyn ExecutionPlan>> {
    let parts = parts(ground, selection, false).await?;
    let merging = Merging::of(&ground.replicas, &parts);
    Ok(Arc::new(RangesExec::new(parts, merging, bounds, Arc::clone(&ground.touched))))
}

async fn parts(ground: &Ground, selection: &Selection, wants_starts: bool) -> Result<Vec<Part>> {
    ground.reach.add(selection);
    let Resolved { series } = ground.source.resolve(selection).await.map_err(external)?;
    let count = series.len();
    let parts = ground.partitions.clamp(1, count.div_ceil(MIN_SERIES_OF_PARTITION).max(1));
    let mut planned = Vec::with_capacity(parts);
    for series in series.chunks(count.div_ceil(parts).max(1)) {
        // A part of what name and cluster select is told by the whole key.
        let key = if parts == 1 { deciding_key(&selection.matchers) } else { Key::Series };
        let selected = Arc::new(SelectedSeries::new(series.to_vec(), key));
        planned.push(Part::of(ground, selected, &selection.time_ms, wants_starts).await?);
    }
    let synthetic = Synthetic::select(&ground.clusters, &selection.matchers, &selection.time_ms);
    if !synthetic.is_empty() {
        planned.push(Part::of_synthetic(ground, synthetic, selection.time_ms.clone()));
    }
    Ok(planned)
}

impl Part {
    /// Plans the reading of some series.
    async fn of(
        ground: &Ground,
        selected: Arc<SelectedSeries>,
        time_ms: &RangeInclusive<i64>,
        wants_starts: bool,
    ) -> Result<Self> {
        let inputs = Inputs::find(&ground.source, &selected, time_ms, &ground.memory).await?;
        let histograms = histograms::Inputs::find(&ground.source, &selected, time_ms).await?;
        let starts = match wants_starts {
            true => Some(starts::Inputs::find(&ground.source, &selected, time_ms).await?),
            false => None,
        };
        Ok(Part { selected, time_ms: time_ms.clone(), inputs, histograms, starts, synthetic: None })
    }

    fn of_synthetic(ground: &Ground, synthetic: Synthetic, time_ms: RangeInclusive<i64>) -> Self {
        let selected = Arc::new(SelectedSeries::new(Vec::new(), Key::Series));
        let (inputs, histograms) = (Inputs::none(&ground.source), histograms::Inputs::default());
        Part { selected, time_ms, inputs, histograms, starts: None, synthetic: Some(synthetic) }
    }
}

#[cfg(test)]
mod tests;
