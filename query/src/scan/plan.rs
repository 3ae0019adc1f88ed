//! Plans a scan of series: index first, then blocks by time, pages by key, rows by membership.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use futures::{StreamExt, TryStreamExt};
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use parquet::file::metadata::ParquetMetaData;
use storage::block::Block;
use storage::matcher::Condition;
use storage::snapshot::HeadRows;
use storage::{Matcher, Selection, Table};

use super::columns::{Assembler, LabelColumns, Output};
use super::exec::SeriesColumnsExec;
use super::index::{Key, SeriesIndex};
use super::inputs::{FlatRows, Piece};
use super::overlap::{self, Span};
use super::pages::{self, Rows};
use crate::error::external;
use crate::source::Source;

/// How many footers are fetched at the same time.
const FOOTERS_AT_ONCE: usize = 16;

/// One block with the rows of it that may be wanted.
#[derive(Debug, Clone)]
pub(crate) struct SelectedBlock {
    /// The block.
    pub(crate) block: Arc<Block>,
    /// Its footer and page index.
    pub(crate) footer: Arc<ParquetMetaData>,
    /// The rows worth reading.
    pub(crate) rows: Rows,
}

/// Plans the scan of a selection with the given columns.
///
/// # Errors
/// Those of the snapshot, carried through DataFusion.
pub(crate) async fn plan(
    source: &Source,
    selection: &Selection,
    outputs: Vec<(Output, FieldRef)>,
    partitions: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (outputs, fields): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
    let resolved = source.resolve(selection).await.map_err(external)?;
    let key = deciding_key(&selection.matchers);
    let index = Arc::new(SeriesIndex::new(resolved.series.clone(), key));
    let labels = Arc::new(LabelColumns::new(Arc::clone(&index), &outputs));
    let assembler = Assembler::new(outputs, fields, labels);
    if index.series().is_empty() || selection.time_ms.is_empty() {
        return Ok(Arc::new(EmptyExec::new(Arc::clone(assembler.schema()))));
    }
    let all_blocks = source.blocks(Table::Samples);
    let considered = all_blocks.len();
    let blocks = select_blocks(source, all_blocks, &index, &selection.time_ms).await?;
    let heads: Vec<HeadRows> = source
        .head_samples(&resolved, selection.time_ms.clone())
        .into_iter()
        .filter(|head| head.batches.iter().any(|batch| batch.num_rows() > 0))
        .collect();
    let summary = summary(selection, &index, considered, &blocks, &heads);
    let columns = flat_columns(assembler.outputs(), &blocks, &heads);
    let (store, folder) = source.object_store(Table::Samples);
    let flat =
        FlatRows { index, time_ms: selection.time_ms.clone(), columns, store, folder, partitions: partitions.max(1) };
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
fn deciding_key(matchers: &[Matcher]) -> Key {
    if matchers.is_empty() {
        Key::Everything
    } else if matchers.iter().all(|m| m.label == NAME_LABEL || m.label == CLUSTER_LABEL) {
        Key::NameCluster
    } else {
        Key::Series
    }
}

async fn select_blocks(
    source: &Source,
    blocks: Vec<Arc<Block>>,
    index: &SeriesIndex,
    time_ms: &RangeInclusive<i64>,
) -> Result<Vec<SelectedBlock>> {
    let overlapping =
        blocks.into_iter().filter(|b| b.min_time_ms <= *time_ms.end() && b.max_time_ms >= *time_ms.start());
    let mut selected: Vec<SelectedBlock> = futures::stream::iter(overlapping)
        .map(|block| async move {
            let footer = source.footer(Table::Samples, &block).await.map_err(external)?;
            let rows = pages::select(&footer, index, time_ms);
            Ok::<_, DataFusionError>(SelectedBlock { block, footer, rows })
        })
        .buffered(FOOTERS_AT_ONCE)
        .try_collect()
        .await?;
    selected.retain(|block| block.rows.selected() > 0);
    Ok(selected)
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

/// Whether a block may hold a row with neither mantissa nor value, told by the counts of nulls in its footer.
fn may_have_markers(footer: &ParquetMetaData) -> bool {
    footer.row_groups().iter().any(|group| {
        let nulls = |name: &str| {
            let column = group.columns().iter().find(|c| c.column_path().string() == name)?;
            column.statistics()?.null_count_opt()
        };
        match nulls("mantissa").zip(nulls("value")) {
            Some((mantissa, value)) => mantissa + value != group.num_rows() as u64,
            None => true,
        }
    })
}

/// What EXPLAIN shows of the selection.
fn summary(
    selection: &Selection,
    index: &SeriesIndex,
    considered: usize,
    blocks: &[SelectedBlock],
    heads: &[HeadRows],
) -> String {
    let matchers: Vec<String> = selection.matchers.iter().map(describe).collect();
    let rows: usize = blocks.iter().map(|b| b.rows.selected()).sum();
    let total: usize = blocks.iter().map(|b| b.rows.total()).sum();
    let groups: usize = blocks.iter().map(|b| b.rows.groups_read()).sum();
    let all_groups: usize = blocks.iter().map(|b| b.rows.group_rows.len()).sum();
    let head_rows: usize = heads.iter().flat_map(|h| &h.batches).map(|b| b.num_rows()).sum();
    let time = &selection.time_ms;
    format!(
        "matchers=[{}], time_ms={}..={}, series={}, blocks={}/{considered}, row_groups={groups}/{all_groups}, \
         rows={rows}/{total}, head_rows={head_rows}",
        matchers.join(", "),
        time.start(),
        time.end(),
        index.series().len(),
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
