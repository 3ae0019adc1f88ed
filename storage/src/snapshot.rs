//! What one query sees of a store.
//!
//! Owns: putting blocks, frozen rows and head together so that each acknowledged row is seen exactly once.
//! Does not own: how rows are scanned and joined (`query`).

mod labels;
mod order;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use model::batch::Kind;
use model::time::Date;
use model::{Error, NativeHistogram};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;

use crate::block::Block;
pub use crate::block::columnar::head::HeadColumns;
use crate::block::columns::read_batches;
use crate::block::exemplars::ExemplarColumns;
use crate::block::filters::{FilterKind, Filters};
use crate::block::histograms::HistogramColumns;
use crate::block::metadata::MetadataColumns;
use crate::block::page::{PageRows, SamplePage};
use crate::block::series::SeriesColumns;
use crate::block::starts::StartColumns;
use crate::days::{DayKey, Days};
use crate::head::PackedRun;
pub use crate::head::{HeadBatches, HeadRows};
use crate::index::SeriesBlock;
use crate::matcher::Selection;
use crate::series::SeriesInfo;
use crate::store::Inner;
use crate::tables::Table;
use crate::view::View;

/// Indexes that are read at the same time.
const BLOCKS_AT_ONCE: usize = 16;

/// The series a selection comes to, ordered as the tables are: by name, cluster, series_id; no key twice.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The series.
    pub series: Vec<Arc<SeriesInfo>>,
}

/// What one query sees: live blocks, frozen rows not in them, the head. Cheap to clone.
///
/// The blocks are those of one instant. The head is read anew at each call, so a row that is acknowledged between two
/// calls may be in the second alone. No row is ever missed or seen twice by a call, whatever is cut meanwhile.
#[derive(Debug, Clone)]
pub struct Snapshot {
    inner: Arc<Inner>,
    view: Arc<View>,
}

impl Snapshot {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let view = inner.view.read().clone();
        Snapshot { inner, view }
    }

    /// The series that fulfil all matchers and may have a sample in the range, from index and head alone.
    ///
    /// # Errors
    /// `Unavailable` if a block of `series` cannot be read, `Corrupt` if one is damaged.
    pub async fn resolve(&self, selection: &Selection) -> Result<Resolved, Error> {
        let time_ms = clamp(&selection.time_ms);
        // The head first: rows that a cut moves while we look are then in both rather than in none.
        let of_head = self.inner.head.select(&selection.matchers, &time_ms, self.view.cut);
        let mut found: Vec<_> = of_head.iter().map(|(series, first_ms)| Arc::new(series.info(*first_ms))).collect();
        let dates = Date::of_ms(*time_ms.start())..=Date::of_ms(*time_ms.end());
        let mut blocks = pin!(self.series_blocks(dates));
        while let Some(series) = blocks.try_next().await? {
            // Whatever their first_time_ms: rows that came late may be older, on the same day.
            found.append(&mut series.shared(&series.select(&selection.matchers))?);
        }
        order::sort(&mut found);
        let mut series: Vec<Arc<SeriesInfo>> = Vec::with_capacity(found.len());
        for info in found {
            match series.last_mut().filter(|known| known.id == info.id && known.key == info.key) {
                Some(known) => *known = both(known, &info),
                None => series.push(info),
            }
        }
        Ok(Resolved { series })
    }

    /// The indexes of some days, a few of them read ahead.
    fn series_blocks(&self, dates: RangeInclusive<Date>) -> impl Stream<Item = Result<Arc<SeriesBlock>, Error>> {
        // A range that ends before it begins has none.
        let dates = Some(dates).filter(|dates| !dates.is_empty());
        let blocks = dates.map(|dates| self.view.of(Table::Series).dates(dates).cloned().collect::<Vec<_>>());
        let read = move |block: Arc<Block>| async move { self.inner.block_cache.series_block(&block).await };
        stream::iter(blocks.unwrap_or_default()).map(read).buffered(BLOCKS_AT_ONCE)
    }

    /// The live blocks of a table, ordered by date and window.
    pub fn blocks(&self, table: Table) -> Vec<Arc<Block>> {
        let mut blocks: Vec<Arc<Block>> = self.view.of(table).iter().cloned().collect();
        blocks.sort_by_key(|block| (block.date, block.window_ms, block.gen_max));
        blocks
    }

    /// The series of a selection that have rows not in a block, from the head alone.
    pub fn head_series(&self, selection: &Selection) -> Resolved {
        let found = self.inner.head.select(&selection.matchers, &clamp(&selection.time_ms), self.view.cut);
        let mut series: Vec<_> = found.iter().map(|(series, time_ms)| Arc::new(series.info(*time_ms))).collect();
        series.sort_unstable_by(|a, b| a.table_order(b));
        Resolved { series }
    }

    /// The samples not in a block of the resolved series within the range of time, packed. `reserve` is asked for the
    /// bytes of what is taken, a little at a time.
    ///
    /// # Errors
    /// What `reserve` returns.
    pub fn head_samples(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: RangeInclusive<i64>,
        reserve: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<Vec<HeadRows>, Error> {
        self.inner.head.samples(series, &time_ms, self.view.cut, reserve)
    }

    /// The native histograms not in a block of the resolved series within the range of time: of each series that has some
    /// its place among the resolved ones, and its histograms with their times in milliseconds, ascending.
    pub fn head_histograms(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: RangeInclusive<i64>,
    ) -> Vec<(usize, Vec<(i64, NativeHistogram)>)> {
        self.inner.head.histograms_of(series, &time_ms, self.view.cut)
    }

    /// All rows not in a block of a table other than `samples`, in its read schema.
    ///
    /// # Errors
    /// `Unavailable` or `Corrupt` if a block of `series`, which tells what rows a day has already, cannot be read.
    pub async fn head_rows(&self, table: Table) -> Result<Vec<RecordBatch>, Error> {
        let extras = || self.inner.head.extras(self.view.cut);
        match table {
            Table::Samples => Ok(Vec::new()),
            Table::Series => {
                let mut columns = SeriesColumns::default();
                for row in self.series_without_row().await? {
                    columns.push(&row.key, row.id, row.kind, row.first_time_ms);
                }
                read_batches(columns)
            }
            Table::Histograms => {
                let mut columns = HistogramColumns::default();
                let mut histograms = Vec::new();
                for (series, run) in self.inner.head.histograms(self.view.cut) {
                    run.read(&mut histograms);
                    for (time_ms, histogram) in &histograms {
                        columns.push(&series.key, series.id, *time_ms, histogram);
                    }
                }
                read_batches(columns)
            }
            Table::Starts => {
                let mut columns = StartColumns::default();
                for row in extras().iter().flat_map(|extras| &extras.starts) {
                    columns.push(&row.series.key, row.series.id, row.time_ms, row.start_ms);
                }
                read_batches(columns)
            }
            Table::Exemplars => {
                let mut columns = ExemplarColumns::default();
                for row in extras().iter().flat_map(|extras| &extras.exemplars) {
                    columns.push(&row.series.key, row.series.id, row.time_ms, row.value, &row.labels);
                }
                read_batches(columns)
            }
            Table::Metadata => {
                let mut columns = MetadataColumns::default();
                for row in extras().iter().flat_map(|extras| &extras.metadata) {
                    columns.push(&Arc::from(row.family.name.as_str()), &row.cluster, &row.family, row.time_ms);
                }
                read_batches(columns)
            }
            Table::Logs | Table::Spans => {
                let all: Vec<usize> = (0..table.schema().fields().len()).collect();
                self.head_columns(table).iter().map(|chunk| chunk.read(&all, 0..chunk.rows())).collect()
            }
        }
    }

    /// The rows not in a block of `logs` or `spans`; none of another table.
    pub fn head_columns(&self, table: Table) -> Vec<HeadColumns> {
        match table {
            Table::Logs => self.inner.head.logs(self.view.cut).into_iter().map(HeadColumns::from).collect(),
            Table::Spans => self.inner.head.spans(self.view.cut).into_iter().map(HeadColumns::from).collect(),
            _ => Vec::new(),
        }
    }

    /// The rows that the next cut will add to `series`: of each series in the head, for each day that has none yet.
    async fn series_without_row(&self) -> Result<Vec<SeriesInfo>, Error> {
        let mut by_date: BTreeMap<Date, Vec<SeriesInfo>> = BTreeMap::new();
        for (series, days) in self.inner.head.days(self.view.cut) {
            for (date, first_time_ms) in days {
                by_date.entry(date).or_default().push(series.info(first_time_ms));
            }
        }
        let mut found = Vec::new();
        for (date, series) in by_date {
            let mut known = Days::default();
            self.inner.load_day(&self.view, date, &mut known).await?;
            found.extend(series.into_iter().filter(|info| !known.contains(date, DayKey::of(&info.key, info.id))));
        }
        found.sort_by(SeriesInfo::table_order);
        Ok(found)
    }

    /// The time of the newest sample of each cluster, in milliseconds: of the head, and of what live blocks tell.
    pub fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        self.inner.head.last_samples()
    }

    /// Where the blocks of a table are: the store, and the table's folder in it.
    pub fn object_store(&self, table: Table) -> (Arc<dyn ObjectStore>, Path) {
        (self.inner.object_store.clone(), Path::from(table.name()))
    }

    /// Footer and page index of a block, from the cache if it was read before.
    ///
    /// # Errors
    /// `Unavailable` if the block cannot be read, `Corrupt` if it is not Parquet.
    pub async fn footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        self.inner.block_cache.footer(table, block).await
    }

    /// The filters of a block of `logs` or `spans`, if it has any; `footer` is its footer.
    ///
    /// # Errors
    /// `Unavailable` if they cannot be read, `Corrupt` if they are damaged.
    pub async fn filters(
        &self,
        table: Table,
        block: &Block,
        footer: &ParquetMetaData,
        kind: FilterKind,
    ) -> Result<Arc<Option<Filters>>, Error> {
        self.inner.block_cache.filters(table, block, footer, kind).await
    }

    /// Pages of a block of `samples`, which are given in their order; those from the cache that were read before.
    ///
    /// # Errors
    /// `Unavailable` if the block cannot be read, `Corrupt` if it is damaged.
    pub async fn sample_pages(
        &self,
        block: &Arc<Block>,
        footer: &Arc<ParquetMetaData>,
        pages: &[PageRows],
    ) -> Result<Vec<Arc<SamplePage>>, Error> {
        self.inner.block_cache.sample_pages(block, footer, pages).await
    }
}

/// What is known of a series in two places, of which the first one counts more.
fn both(known: &Arc<SeriesInfo>, other: &Arc<SeriesInfo>) -> Arc<SeriesInfo> {
    let kind = if known.kind == Kind::Unknown { other.kind } else { known.kind };
    let first_time_ms = known.first_time_ms.min(other.first_time_ms);
    for one in [known, other] {
        if (one.kind, one.first_time_ms) == (kind, first_time_ms) {
            return one.clone();
        }
    }
    Arc::new(SeriesInfo { kind, first_time_ms, ..SeriesInfo::clone(known) })
}

fn clamp(time_ms: &RangeInclusive<i64>) -> RangeInclusive<i64> {
    (*time_ms.start()).max(model::time::MIN_TIME_MS)..=(*time_ms.end()).min(model::time::MAX_TIME_MS)
}

#[cfg(test)]
mod tests;
