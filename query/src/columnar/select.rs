//! Which rows of which blocks a query has to read, told by log, footers and page indexes.

use std::sync::Arc;

use datafusion::common::Result;
use model::Resource;
use parquet::file::metadata::ParquetMetaData;
use storage::block::Block;
use storage::snapshot::HeadColumns;

use super::conditions::Conditions;
use super::view::View;
use crate::error::external;
use crate::scan::inputs::SelectedBlock;
use crate::scan::pages::{self, PageBounds, Rows};
use crate::source::Source;

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;

/// The blocks that may have rows that fulfil the conditions, each with those that may.
///
/// # Errors
/// Those of reading a footer.
pub(crate) async fn blocks(source: &Source, view: &View, conditions: &Conditions) -> Result<Vec<SelectedBlock>> {
    let all = source.blocks(view.table);
    let overlapping = all.into_iter().filter(|block| overlaps(block.min_time_ms, block.max_time_ms, conditions));
    let found = source.with_footers(view.table, overlapping).await.map_err(external)?;
    let select = |(block, footer): (Arc<Block>, Arc<ParquetMetaData>)| {
        let rows = rows(&footer, view, conditions);
        (rows.selected() > 0).then_some(SelectedBlock { block, footer, rows })
    };
    Ok(found.into_iter().filter_map(select).collect())
}

/// Whether rows between two times, in milliseconds, may fulfil the conditions.
pub(crate) fn overlaps(min_ms: i64, max_ms: i64, conditions: &Conditions) -> bool {
    let (min, max) = (min_ms.saturating_mul(MS), max_ms.saturating_mul(MS).saturating_add(MS - 1));
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
