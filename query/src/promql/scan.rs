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
use storage::{Resolved, Selection, Table};

pub(super) use exec::SeriesScanExec;
pub(super) use histograms::bytes;
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
use crate::scan::head;
use crate::scan::inputs::{FlatRows, Piece};
use crate::scan::overlap::{self, Span};
use crate::scan::plan::{deciding_key, select_blocks};
use crate::scan::selected::{Key, SelectedSeries};
use crate::source::Source;

/// The columns of `samples` that a scan reads.
const COLUMNS: [&str; 7] = ["name", "cluster", "series_id", "time_ms", "mantissa", "scale", "value"];
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

/// Some of the series, and the plans whose rows are theirs: each in the order of the tables, no two with a sample in common,
/// the earlier first.
#[derive(Debug)]
struct Part {
    selected: Arc<SelectedSeries>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
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
        planned.push(Part::of_synthetic(synthetic));
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
        let inputs = inputs(ground, &selected, time_ms).await?;
        let histograms = histograms::Inputs::find(&ground.source, &selected, time_ms).await?;
        let starts = match wants_starts {
            true => Some(starts::Inputs::find(&ground.source, &selected, time_ms).await?),
            false => None,
        };
        Ok(Part { selected, inputs, histograms, starts, synthetic: None })
    }

    fn of_synthetic(synthetic: Synthetic) -> Self {
        let selected = Arc::new(SelectedSeries::new(Vec::new(), Key::Series));
        let (inputs, histograms) = (Vec::new(), histograms::Inputs::default());
        Part { selected, inputs, histograms, starts: None, synthetic: Some(synthetic) }
    }
}

async fn inputs(
    ground: &Ground,
    selected: &Arc<SelectedSeries>,
    time_ms: &RangeInclusive<i64>,
) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
    let source = &ground.source;
    let blocks = select_blocks(source, source.blocks(Table::Samples), selected, time_ms).await?;
    let resolved = Resolved { series: selected.series().to_vec() };
    let (heads, held) = head::take(source, &resolved, time_ms.clone(), &ground.memory)?;
    let (store, folder) = source.object_store(Table::Samples);
    let (selected, time_ms, columns) = (Arc::clone(selected), time_ms.clone(), COLUMNS.to_vec());
    let flat = FlatRows { selected, time_ms, columns, store, folder, partitions: 1, held };
    let pieces = blocks.into_iter().map(Piece::Block).chain(heads.into_iter().map(Piece::Head));
    let mut pieces: Vec<Option<Piece>> = pieces.map(Some).collect();
    let spans: Vec<Span> = pieces.iter().flatten().map(Piece::span).collect();
    let mut groups = overlap::groups(&spans);
    groups.sort_by_key(|group| group.iter().map(|at| spans[*at].min_time_ms).min());
    let mut inputs = Vec::with_capacity(groups.len());
    for group in groups {
        let group: Vec<Piece> = group.into_iter().filter_map(|at| pieces[at].take()).collect();
        inputs.push(match <[_; 1]>::try_from(group) {
            Ok([Piece::Block(block)]) => {
                let filter_time = !flat.covers(&block.block);
                flat.blocks(vec![block], filter_time)?
            }
            Ok([Piece::Head(head)]) => flat.heads(vec![head])?,
            Err(several) => flat.merged(several)?,
        });
    }
    Ok(inputs)
}
