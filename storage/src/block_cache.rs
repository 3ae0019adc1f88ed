//! What was read of blocks and is kept: the index and columns of `series` blocks, the footers of the others, pages of `samples`,
//! the filters of `logs` and `spans`.
//!
//! Owns: four caches with one budget of bytes.
//! Does not own: which blocks are live (`view`), where the store keeps them (`place`).

mod cache;

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use model::time::DAY_MS;
use model::{Error, ErrorKind};
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::block::Block;
use crate::block::filters::{self, FilterKind, Filters};
use crate::block::page::{self, PageRows, SamplePage};
use crate::index::SeriesBlock;
use crate::tables::Table;
use crate::view::View;
use cache::Cache;

/// Blocks that are read at the same time before they are asked for.
const WARM_AT_ONCE: usize = 4;

/// Reads blocks of a store and keeps what was read.
#[derive(Debug)]
pub(crate) struct BlockCache {
    object_store: Arc<dyn ObjectStore>,
    series: Mutex<Cache<String, Once<SeriesBlock>>>,
    footers: Mutex<Cache<(Table, String), Once<ParquetMetaData>>>,
    pages: Mutex<Cache<PageKey, Arc<SamplePage>>>,
    filters: Mutex<Cache<FiltersKey, Once<Option<Filters>>>>,
}

/// What is read once, however many ask for it at the same time.
type Once<T> = Arc<OnceCell<Arc<T>>>;

/// The block's path, and what the filters are of.
type FiltersKey = (String, FilterKind);

/// The block's path, the row group, and the first row of that group.
type PageKey = (String, usize, usize);

impl BlockCache {
    /// Caches of what is in `object_store` that keep about `bytes` together.
    pub(crate) fn new(object_store: Arc<dyn ObjectStore>, bytes: u64) -> Self {
        let sixteenths = |parts: u64| usize::try_from(bytes / 16 * parts).unwrap_or(usize::MAX);
        BlockCache {
            object_store,
            series: Mutex::new(Cache::new(sixteenths(4))),
            footers: Mutex::new(Cache::new(sixteenths(3))),
            pages: Mutex::new(Cache::new(sixteenths(7))),
            filters: Mutex::new(Cache::new(sixteenths(2))),
        }
    }

    /// Index and columns of a block of `series`.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read, `Corrupt` if it is damaged.
    pub(crate) async fn series_block(&self, block: &Block) -> Result<Arc<SeriesBlock>, Error> {
        let cell = self.series.lock().get_or_default(&block.path);
        let series = cell.get_or_try_init(|| self.read_series(block)).await?.clone();
        // It keeps what it is asked for, so it grows.
        self.series.lock().weigh(&block.path, series.memory_bytes() as usize);
        Ok(series)
    }

    async fn read_series(&self, block: &Block) -> Result<Arc<SeriesBlock>, Error> {
        let bytes = self.fetch(Table::Series, block, None).await?;
        let opened = tokio::task::spawn_blocking(move || SeriesBlock::open(bytes))
            .await
            .map_err(|e| Error::internal("reading a block of series panicked").with_source(e))?;
        Ok(Arc::new(opened.map_err(|e| e.context(format!("block {} of series", block.path)))?))
    }

    /// Footer and page index of a block.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read, `Corrupt` if it is not Parquet.
    pub(crate) async fn footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        let key = (table, block.path.clone());
        let cell = self.footers.lock().get_or_default(&key);
        if let Some(found) = cell.get() {
            return Ok(found.clone());
        }
        let footer = cell.get_or_try_init(|| self.read_footer(table, block)).await?.clone();
        self.footers.lock().weigh(&key, footer.memory_size());
        Ok(footer)
    }

    async fn read_footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
        // Most footers with their page index are smaller than this; a larger one says how much it needs.
        let mut take = block.size_bytes.min(64 * 1024);
        loop {
            let tail = self.fetch(table, block, Some(take)).await?;
            match reader.try_parse_sized(&tail, block.size_bytes) {
                Ok(()) => break,
                Err(parquet::errors::ParquetError::NeedMoreData(needed)) if (needed as u64) > take => {
                    take = (needed as u64).min(block.size_bytes);
                }
                Err(error) => return Err(not_parquet(table, block, error)),
            }
        }
        Ok(Arc::new(reader.finish().map_err(|error| not_parquet(table, block, error))?))
    }

    /// The filters of a block, if it has any; `footer` is its footer.
    ///
    /// # Errors
    /// `Unavailable` if they cannot be read, `Corrupt` if they are damaged.
    pub(crate) async fn filters(
        &self,
        table: Table,
        block: &Block,
        footer: &ParquetMetaData,
        kind: FilterKind,
    ) -> Result<Arc<Option<Filters>>, Error> {
        let key = (block.path.clone(), kind);
        let cell = self.filters.lock().get_or_default(&key);
        if let Some(found) = cell.get() {
            return Ok(found.clone());
        }
        let read = || async {
            let Some(range) = filters::range(footer, kind, block.size_bytes)? else { return Ok(Arc::new(None)) };
            let read = self.object_store.get_range(&table.location(&block.path), range).await;
            let bytes = read.map_err(|error| unreadable(table, block, error))?;
            Ok(Arc::new(Some(Filters::decode(bytes)?)))
        };
        let read =
            async { read().await.map_err(|e: Error| e.context(format!("block {} of {}", block.path, table.name()))) };
        let filters = cell.get_or_try_init(|| read).await?.clone();
        self.filters.lock().weigh(&key, filters.as_ref().as_ref().map_or(0, Filters::memory_bytes));
        Ok(filters)
    }

    /// Reads indexes and footers of the newest day, the newest first, until a half of their room is taken: so that who asks
    /// first after a restart does not wait for all of them.
    pub(crate) async fn warm(&self, view: &View) {
        let mut blocks: Vec<(Table, &Arc<Block>)> = Vec::new();
        for table in [Table::Series, Table::Samples] {
            blocks.extend(view.of(table).iter().map(|block| (table, block)));
        }
        let newest_ms = blocks.iter().map(|(_, block)| block.max_time_ms).max().unwrap_or(i64::MIN);
        blocks.retain(|(_, block)| block.max_time_ms > newest_ms.saturating_sub(DAY_MS));
        blocks.sort_by_key(|(_, block)| std::cmp::Reverse(block.max_time_ms));
        let read = |(table, block): (Table, &Arc<Block>)| {
            let block = block.clone();
            async move {
                let read = match table {
                    Table::Series if self.series.lock().is_half_full() => return,
                    Table::Series => self.series_block(&block).await.map(drop),
                    _ if self.footers.lock().is_half_full() => return,
                    _ => self.footer(table, &block).await.map(drop),
                };
                if let Err(error) = read {
                    tracing::debug!(%error, "a block was not read before it is asked for");
                }
            }
        };
        futures::stream::iter(blocks.into_iter().map(read)).buffer_unordered(WARM_AT_ONCE).collect::<()>().await;
    }

    /// Pages of a block of `samples`, which are given in their order.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read, `Corrupt` if it is damaged.
    pub(crate) async fn sample_pages(
        &self,
        block: &Arc<Block>,
        footer: &Arc<ParquetMetaData>,
        wanted: &[PageRows],
    ) -> Result<Vec<Arc<SamplePage>>, Error> {
        let key = |page: &PageRows| (block.path.clone(), page.group, page.rows.start);
        let mut found: Vec<Option<Arc<SamplePage>>> = {
            let pages = self.pages.lock();
            wanted.iter().map(|page| pages.get(&key(page))).collect()
        };
        let is_missing = |(page, found): (&PageRows, &Option<_>)| found.is_none().then(|| page.clone());
        let missing: Vec<PageRows> = wanted.iter().zip(&found).filter_map(is_missing).collect();
        if !missing.is_empty() {
            // A task of its own, so that all cores take part when several are read.
            let (store, block, footer) = (self.object_store.clone(), block.clone(), footer.clone());
            let mut task = JoinSet::new();
            task.spawn(async move { page::read(&*store, &block, &footer, &missing).await });
            let read = task.join_next().await.ok_or_else(|| Error::internal("a task was lost"))?;
            let read = read.map_err(|e| Error::internal("reading a block of samples panicked").with_source(e))?;
            let mut read = read?.into_iter();
            let mut pages = self.pages.lock();
            for (found, wanted) in found.iter_mut().zip(wanted).filter(|(found, _)| found.is_none()) {
                *found = read.next().map(Arc::new);
                if let Some(page) = found {
                    pages.insert(key(wanted), page.clone(), page.memory_bytes());
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Forgets what was read of blocks that are live no more.
    pub(crate) fn forget_dead(&self, view: &View) {
        let paths = |table| view.of(table).iter().map(|block| block.path.clone()).collect::<HashSet<_>>();
        let mut with_filters = HashSet::new();
        let series = paths(Table::Series);
        self.series.lock().retain(|path| series.contains(path));
        for table in Table::ALL {
            let live = paths(table);
            if table == Table::Samples {
                self.pages.lock().retain(|(path, ..)| live.contains(path));
            }
            with_filters.extend(live.iter().filter(|_| matches!(table, Table::Logs | Table::Spans)).cloned());
            self.footers.lock().retain(|(of, path)| *of != table || live.contains(path));
        }
        self.filters.lock().retain(|(path, _)| with_filters.contains(path));
    }

    /// All bytes of a block, or its last ones.
    async fn fetch(&self, table: Table, block: &Block, last: Option<u64>) -> Result<bytes::Bytes, Error> {
        let range = block.size_bytes - last.unwrap_or(block.size_bytes)..block.size_bytes;
        let read = self.object_store.get_range(&table.location(&block.path), range).await;
        read.map_err(|error| unreadable(table, block, error))
    }
}

fn unreadable(table: Table, block: &Block, error: object_store::Error) -> Error {
    let (kind, what) = match error {
        object_store::Error::NotFound { .. } => (ErrorKind::Corrupt, "is missing"),
        _ => (ErrorKind::Unavailable, "cannot be read"),
    };
    Error::new(kind, format!("block {} of {} {what}", block.path, table.name())).with_source(error)
}

fn not_parquet(table: Table, block: &Block, error: parquet::errors::ParquetError) -> Error {
    let message = format!("block {} of {} is not readable Parquet", block.path, table.name());
    Error::new(ErrorKind::Corrupt, message).with_source(error)
}

#[cfg(test)]
mod tests;
