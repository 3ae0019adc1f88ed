//! Which rows of which blocks a query has to read, told by log, footers and page indexes.

use std::sync::Arc;

use datafusion::common::Result;
use futures::{StreamExt, TryStreamExt, stream};
use model::Resource;
use parquet::file::metadata::ParquetMetaData;
use storage::block::Block;
use storage::block::filters::{self, FilterKind, Filters};
use storage::snapshot::HeadColumns;

use super::conditions::Conditions;
use super::pieces::nanos;
use super::view::View;
use crate::error::external;
use crate::scan::inputs::SelectedBlock;
use crate::scan::pages::{self, PageBounds, Rows};
use crate::source::Source;

/// Blocks whose filters are read at the same time.
const FILTERS_AT_ONCE: usize = 16;
/// Those of all blocks that may have rows that fulfil the conditions, each with those that may.
///
/// # Errors
/// Those of reading a footer.
pub(crate) async fn blocks(
    source: &Source,
    view: &View,
    all: Vec<Arc<Block>>,
    conditions: &Conditions,
) -> Result<Vec<SelectedBlock>> {
    let overlapping = all.into_iter().filter(|block| overlaps(block.min_time_ms, block.max_time_ms, conditions));
    let found = source.with_footers(view.table, overlapping).await.map_err(external)?;
    let select = |(block, footer): (Arc<Block>, Arc<ParquetMetaData>)| async move {
        let mut rows = rows(&footer, view, conditions);
        if let Some(traces) = &conditions.traces {
            let hashes: Vec<u64> = traces.iter().map(|trace| filters::hash(trace)).collect();
            let has_any = |filters: &Filters, stretch| hashes.iter().any(|hash| filters.may_have(stretch, *hash));
            rows = filtered(source, view, (&block, &footer), rows, FilterKind::Traces, has_any).await?;
        }
        if !conditions.words.is_empty() {
            let hashes: Vec<u64> = conditions.words.iter().map(|word| filters::hash(word)).collect();
            let has_all = |filters: &Filters, stretch| hashes.iter().all(|hash| filters.may_have(stretch, *hash));
            rows = filtered(source, view, (&block, &footer), rows, FilterKind::Words, has_all).await?;
        }
        Ok((rows.selected() > 0).then_some(SelectedBlock { block, footer, rows }))
    };
    let selected = stream::iter(found.into_iter().map(select)).buffered(FILTERS_AT_ONCE);
    selected.try_filter_map(|block| async move { Ok(block) }).try_collect().await
}

/// The rows of those stretches of a block whose filters may have what is wanted.
async fn filtered(
    source: &Source,
    view: &View,
    (block, footer): (&Arc<Block>, &Arc<ParquetMetaData>),
    rows: Rows,
    kind: FilterKind,
    is_wanted: impl Fn(&Filters, usize) -> bool,
) -> Result<Rows> {
    if rows.selected() == 0 {
        return Ok(rows);
    }
    let found = source.filters(view.table, block, footer, kind).await.map_err(external)?;
    let Some(filters) = found.as_ref() else { return Ok(rows) };
    let (size, mut before) = (filters.stretch_rows(), 0);
    let mut wanted = Rows { groups: Vec::new(), group_rows: rows.group_rows.clone() };
    for count in &rows.group_rows {
        // Filters count the rows of the file, groups their own.
        let (first, last) = (before / size, (before + count).div_ceil(size));
        let stretches = (first..last).filter(|stretch| is_wanted(filters, *stretch));
        let ranges = stretches
            .map(|stretch| (stretch * size).saturating_sub(before)..((stretch + 1) * size - before).min(*count));
        wanted.groups.push(ranges.collect());
        before += count;
    }
    Ok(rows.intersection(&wanted))
}

/// Whether rows between two times, in milliseconds, may fulfil the conditions.
pub(crate) fn overlaps(min_ms: i64, max_ms: i64, conditions: &Conditions) -> bool {
    let (min, max) = nanos(min_ms, max_ms);
    min <= *conditions.time.end() && max >= *conditions.time.start()
}

/// Whether rows of the head may fulfil the conditions.
pub(crate) fn head_may_have(rows: &HeadColumns, conditions: &Conditions) -> bool {
    let (min_ms, max_ms) = rows.time_ms();
    let is_wanted = |resource: &Resource| {
        conditions.texts.iter().all(|(column, values)| match *column {
            "cluster" => values.contains(&*resource.cluster),
            "service" => values.contains(&*resource.service),
            "namespace" => values.contains(&*resource.namespace),
            "pod" => values.contains(&*resource.pod),
            "container" => values.contains(&*resource.container),
            "node" => values.contains(&*resource.node),
            _ => true,
        })
    };
    overlaps(min_ms, max_ms, conditions) && rows.resources().iter().any(|resource| is_wanted(resource))
}

fn rows(footer: &ParquetMetaData, view: &View, conditions: &Conditions) -> Rows {
    let mut rows = Rows::all(footer);
    let time = (view.table.time().0, conditions.time.clone());
    for (column, range) in conditions.longs.iter().chain([&time]) {
        let touches =
            |bounds: PageBounds<'_>| bounds.long.is_none_or(|(min, max)| min <= *range.end() && max >= *range.start());
        rows = rows.intersection(&pages::of_column(footer, column, touches));
    }
    for (column, values) in &conditions.texts {
        let touches = |bounds: PageBounds<'_>| {
            let is_within = |(min, max): (&[u8], &[u8])| {
                values.iter().any(|value| min <= value.as_bytes() && value.as_bytes() <= max)
            };
            bounds.text.is_none_or(is_within)
        };
        rows = rows.intersection(&pages::of_column(footer, column, touches));
    }
    rows
}
