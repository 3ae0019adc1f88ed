//! Where the samples of some series are: pages of blocks, and rows that are in no block yet.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryPool, MemoryReservation};
use parquet::file::metadata::ParquetMetaData;
use storage::Table;
use storage::block::Block;
use storage::block::page::PageRows;
use storage::snapshot::HeadRows;

use super::cursor::Cursor;
use crate::scan::selected::SelectedSeries;
use crate::scan::{head, pages, plan};
use crate::source::Source;

/// Pages of all blocks that are in memory at the same time, some 50 KB each, if one of each block is fewer.
const PAGES_AHEAD: usize = 512;
/// Pages of a block that are read at a time at most: what a file has for all of its pages is read each time.
const MAX_PAGES_AT_ONCE: usize = 8;

/// A block with the pages that may have rows of the series.
#[derive(Debug, Clone)]
pub(super) struct BlockInput {
    pub(super) block: Arc<Block>,
    pub(super) footer: Arc<ParquetMetaData>,
    pub(super) pages: Vec<PageRows>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Inputs {
    source: Arc<Source>,
    /// Those whose rows win over those of others last.
    blocks: Vec<BlockInput>,
    /// These win over all blocks; the last one over all.
    heads: Vec<HeadRows>,
    /// The memory of the head's rows.
    _held: Option<Arc<MemoryReservation>>,
}

impl Inputs {
    /// None.
    pub(super) fn none(source: &Arc<Source>) -> Self {
        Inputs { source: Arc::clone(source), blocks: Vec::new(), heads: Vec::new(), _held: None }
    }

    /// Those of the selected series in a range of time.
    ///
    /// # Errors
    /// Those of the snapshot, and `TooLarge` or `Busy` if the memory does not suffice.
    pub(super) async fn find(
        source: &Arc<Source>,
        selected: &SelectedSeries,
        time_ms: &RangeInclusive<i64>,
        memory: &Arc<dyn MemoryPool>,
    ) -> Result<Self> {
        let found = plan::select_blocks(source, source.blocks(Table::Samples), selected, time_ms).await?;
        let mut blocks: Vec<BlockInput> = found
            .into_iter()
            .map(|found| {
                let pages = pages::whole(&found.footer, &found.rows);
                BlockInput { block: found.block, footer: found.footer, pages }
            })
            .collect();
        // No two blocks of one generation have a row in common.
        blocks.sort_by_key(|input| input.block.gen_max);
        let (mut heads, held) = head::take(source, selected.series(), time_ms.clone(), memory)?;
        heads.sort_by_key(|head| head.rank);
        Ok(Inputs { source: Arc::clone(source), blocks, heads, _held: Some(held) })
    }

    /// Where the rows are.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// How many blocks and ranks of the head there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len() + self.heads.len()
    }

    /// A cursor over each. Of samples with the same time, that of the last one counts.
    pub(super) fn cursors(&self, selected: &SelectedSeries) -> Vec<Cursor> {
        let at_once = (PAGES_AHEAD / self.blocks.len().max(1)).clamp(1, MAX_PAGES_AT_ONCE);
        let blocks = self.blocks.iter().cloned().map(|input| Cursor::of_block(input, at_once));
        let heads = self.heads.iter().cloned().map(|rows| Cursor::of_head(rows, selected));
        blocks.chain(heads).collect()
    }
}
