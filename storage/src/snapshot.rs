//! What one query sees of a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use model::batch::Kind;
use model::{Error, SeriesKey};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;

use crate::block::Block;
use crate::{Selection, Table};

/// A series as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesInfo {
    /// Name, cluster and labels.
    pub key: SeriesKey,
    /// xxh3-64 of the labels.
    pub id: i64,
    /// What it measures.
    pub kind: Kind,
    /// When it was first seen on the earliest day of the selection, in milliseconds.
    pub first_time_ms: i64,
}

/// The series a selection comes to, ordered as the tables are: by name, cluster, series_id; no key twice.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The series.
    pub series: Vec<Arc<SeriesInfo>>,
}

/// Rows that are not in a block yet: sorted by name, cluster, series_id, time_ms, in the schema of their table.
#[derive(Debug, Clone)]
pub struct HeadRows {
    /// The rows. No key comes twice within one `HeadRows`.
    pub batches: Vec<RecordBatch>,
    /// Where the rows stand against blocks and each other: the higher rank wins; all above any block's `gen_max`.
    pub rank: i64,
    /// Smallest and largest `time_ms` among the rows.
    pub min_time_ms: i64,
    /// See `min_time_ms`.
    pub max_time_ms: i64,
}

/// What one query sees: live blocks, frozen rows not in them, the head. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {}

impl Snapshot {
    /// The series that fulfil all matchers and may have a sample in the range, from index and head alone.
    ///
    /// # Errors
    /// `Unavailable` if a block of `series` cannot be read, `Corrupt` if one is damaged.
    pub async fn resolve(&self, _selection: &Selection) -> Result<Resolved, Error> {
        Ok(Resolved::default())
    }

    /// The live blocks of a table, ordered by date and window.
    pub fn blocks(&self, _table: Table) -> Vec<Arc<Block>> {
        Vec::new()
    }

    /// The samples not in a block of the resolved series within the range of time.
    pub fn head_samples(&self, _resolved: &Resolved, _time_ms: std::ops::RangeInclusive<i64>) -> Vec<HeadRows> {
        Vec::new()
    }

    /// All rows not in a block of a table other than `samples`.
    pub fn head_rows(&self, _table: Table) -> Vec<RecordBatch> {
        Vec::new()
    }

    /// The time of the newest sample of each cluster, in milliseconds.
    pub fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        BTreeMap::new()
    }

    /// Where the blocks of a table are: the store, and the table's folder in it.
    pub fn object_store(&self, _table: Table) -> (Arc<dyn ObjectStore>, Path) {
        (Arc::new(object_store::memory::InMemory::new()), Path::default())
    }

    /// Footer and page index of a block, from the cache if it was read before.
    ///
    /// # Errors
    /// `Unavailable` if the block cannot be read, `Corrupt` if it is not Parquet.
    pub async fn footer(&self, _table: Table, _block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        Err(Error::internal("not yet"))
    }
}
