//! Plans a scan of series: index first, then blocks by time, pages by key, rows by membership.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use parquet::file::metadata::ParquetMetaData;
use storage::block::{Block, samples};
use storage::matcher::Condition;
use storage::snapshot::HeadRows;
use storage::{Matcher, Selection, Table};

use super::columns::{Assembler, LabelColumns, Output};
use super::exec::SeriesColumnsExec;
use super::head;
use super::inputs::{FlatRows, Piece, SelectedBlock};
use super::overlap::{self, Span};
use super::pages;
use super::selected::{Key, SelectedSeries};
use crate::error::external;
use crate::source::Source;

/// Plans the scan of a selection with the given columns. What the plan holds is counted by `memory`.
///
/// # Errors
/// Those of the snapshot, carried through DataFusion, and `TooLarge` or `Busy` if the memory does not suffice.
pub(crate) async fn plan(
    source: &Source,
    selection: &Selection,
    outputs: Vec<(Output, FieldRef)>,
    partitions: usize,
    memory: &Arc<dyn MemoryPool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (outputs, fields): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
    let resolved = source.resolve(selection).await.map_err(external)?;
    let key = deciding_key(&selection.matchers);
    let selected = Arc::new(SelectedSeries::new(resolved.series.clone(), key));
    let labels = Arc::new(LabelColumns::new(Arc::clone(&selected), &outputs));
    let assembler = Assembler::new(outputs, fields, labels);
    if selected.series().is_empty() || selection.time_ms.is_empty() {
        return Ok(Arc::new(EmptyExec::new(Arc::clone(assembler.schema()))));
    }
    let all_blocks = source.blocks(Table::Samples);
    let considered = all_blocks.len();
    let blocks = select_blocks(source, all_blocks, &selected, &selection.time_ms).await?;
    let (heads, held) = head::take(source, &resolved.series, selection.time_ms.clone(), memory)?;
    let summary = summary(selection, &selected, considered, &blocks, &heads);
    let columns = flat_columns(assembler.outputs(), &blocks, &heads);
    let (store, folder) = source.object_store(Table::Samples);
    let (time_ms, partitions) = (selection.time_ms.clone(), partitions.max(1));
    let flat = FlatRows { selected, time_ms, columns, store, folder, partitions, held };
    let inputs = inputs(&flat, blocks, heads)?;
    let input: Arc<dyn ExecutionPlan> = match <[_; 1]>::try_from(inputs) {
        Ok([one]) => one,
        Err(none) if none.is_empty() => return Ok(Arc::new(EmptyExec::new(Arc::clone(assembler.schema())))),
        Err(several) => UnionExec::try_new(several)?,
    };
    Ok(Arc::new(SeriesColumnsExec::new(input, assembler, summary.into())))
}

/// Plain scans of what shares no sample with anything else, merges of the rest.
fn inputs(flat: &FlatRows, blocks: Vec<SelectedBlock>, heads: Vec<HeadRows>) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
    let pieces: Vec<Piece> = blocks.into_iter().map(Piece::Block).chain(heads.into_iter().map(Piece::Head)).collect();
    let spans: Vec<Span> = pieces.iter().map(Piece::span).collect();
    let mut pieces: Vec<Option<Piece>> = pieces.into_iter().map(Some).collect();
    let mut take = |at: usize| pieces.get_mut(at).and_then(Option::take);
    let (mut alone, mut inputs) = (Vec::new(), Vec::new());
    for group in overlap::groups(&spans) {
        let group: Vec<Piece> = group.into_iter().filter_map(&mut take).collect();
        match <[_; 1]>::try_from(group) {
            Ok([piece]) => alone.push(piece),
            Err(several) => inputs.push(flat.merged(several)?),
        }
    }
    let (mut whole, mut cut, mut heads) = (Vec::new(), Vec::new(), Vec::new());
    for piece in alone {
        match piece {
            Piece::Block(block) if flat.covers(&block.block) => whole.push(block),
            Piece::Block(block) => cut.push(block),
            Piece::Head(head) => heads.push(head),
        }
    }
    // Blocks that lie wholly within the range need no filter on time, so their times are not even decoded.
    if !whole.is_empty() {
        inputs.push(flat.blocks(whole, false)?);
    }
    if !cut.is_empty() {
        inputs.push(flat.blocks(cut, true)?);
    }
    if !heads.is_empty() {
        inputs.push(flat.heads(heads)?);
    }
    Ok(inputs)
}

/// Which columns decide about a row: the labels only if they were asked for.
pub(crate) fn deciding_key(matchers: &[Matcher]) -> Key {
    if matchers.is_empty() {
        Key::Everything
    } else if matchers.iter().all(|m| m.label == NAME_LABEL || m.label == CLUSTER_LABEL) {
        Key::NameCluster
    } else {
        Key::Series
    }
}

/// The blocks that overlap a range of time, with the rows of them that may be of the series.
///
/// # Errors
/// Those of reading a footer.
pub(crate) async fn select_blocks(
    source: &Source,
    blocks: Vec<Arc<Block>>,
    series: &SelectedSeries,
    time_ms: &RangeInclusive<i64>,
) -> Result<Vec<SelectedBlock>> {
    let overlapping =
        blocks.into_iter().filter(|b| b.min_time_ms <= *time_ms.end() && b.max_time_ms >= *time_ms.start());
    let found = source.with_footers(Table::Samples, overlapping).await.map_err(external)?;
    let select = |(block, footer): (Arc<Block>, Arc<ParquetMetaData>)| {
        let rows = pages::select(&footer, series, time_ms);
        (rows.selected() > 0).then_some(SelectedBlock { block, footer, rows })
    };
    Ok(found.into_iter().filter_map(select).collect())
}

/// The columns to decode: those the outputs are made of, and those that tell a staleness marker unless there is none.
fn flat_columns(outputs: &[Output], blocks: &[SelectedBlock], heads: &[HeadRows]) -> Vec<&'static str> {
    let mut columns: BTreeSet<&'static str> = outputs.iter().flat_map(|output| output.inputs()).copied().collect();
    let has_markers = !heads.is_empty() || blocks.iter().any(|block| may_have_markers(&block.footer));
    if has_markers {
        columns.extend(["mantissa", "value"]);
    }
    columns.into_iter().collect()
}

/// Whether a block may hold a staleness marker.
fn may_have_markers(footer: &ParquetMetaData) -> bool {
    samples::markers(footer) != Some(0)
}

/// What EXPLAIN shows of the selection.
fn summary(
    selection: &Selection,
    selected: &SelectedSeries,
    considered: usize,
    blocks: &[SelectedBlock],
    heads: &[HeadRows],
) -> String {
    let matchers: Vec<String> = selection.matchers.iter().map(describe).collect();
    let rows: usize = blocks.iter().map(|b| b.rows.selected()).sum();
    let total: usize = blocks.iter().map(|b| b.rows.total()).sum();
    let groups: usize = blocks.iter().map(|b| b.rows.groups_read()).sum();
    let all_groups: usize = blocks.iter().map(|b| b.rows.group_rows.len()).sum();
    let head_rows: usize = heads.iter().map(HeadRows::rows_at_most).sum();
    let time = &selection.time_ms;
    format!(
        "matchers=[{}], time_ms={}..={}, series={}, blocks={}/{considered}, row_groups={groups}/{all_groups}, \
         rows={rows}/{total}, head_rows<={head_rows}",
        matchers.join(", "),
        time.start(),
        time.end(),
        selected.series().len(),
        blocks.len(),
    )
}

fn describe(matcher: &Matcher) -> String {
    let label = &matcher.label;
    match &matcher.condition {
        Condition::In(values) if values.len() > 8 => format!("{label} in ({} values)", values.len()),
        Condition::In(values) => format!("{label} in {values:?}"),
        Condition::NotIn(values) if values.len() > 8 => format!("{label} not in ({} values)", values.len()),
        Condition::NotIn(values) => format!("{label} not in {values:?}"),
        Condition::Matches(regex) => format!("{label} =~ {:?}", regex.as_str()),
        Condition::MatchesNot(regex) => format!("{label} !~ {:?}", regex.as_str()),
    }
}
