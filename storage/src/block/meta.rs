//! What a writer knows of a block once it is written.

use std::sync::Arc;

use model::{Error, SeriesKey};

use super::LastSamples;

/// What is known of a block that was just written; what the Delta log will say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockMeta {
    /// Number of rows.
    pub rows: u64,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Smallest and largest time and keys; `None` if there is no row.
    pub bounds: Option<Bounds>,
    /// The newest sample, log row or span of each cluster; empty for other tables than those of these.
    pub last_samples: LastSamples,
}

/// The smallest and the largest of the time and of each key column of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The earliest [time](crate::Table::time), in milliseconds, rounded down.
    pub min_time_ms: i64,
    /// The latest, in milliseconds, rounded down.
    pub max_time_ms: i64,
    /// The smallest and the largest of each of the [keys](crate::Table::keys).
    pub keys: [(Arc<str>, Arc<str>); 2],
}

impl BlockMeta {
    /// Takes a run of rows into account: those with one pair of keys, between two times.
    pub(crate) fn add(&mut self, rows: u64, keys: [&Arc<str>; 2], min_time_ms: i64, max_time_ms: i64) {
        self.rows += rows;
        let Some(bounds) = &mut self.bounds else {
            self.bounds = Some(Bounds { min_time_ms, max_time_ms, keys: keys.map(|key| (key.clone(), key.clone())) });
            return;
        };
        bounds.min_time_ms = bounds.min_time_ms.min(min_time_ms);
        bounds.max_time_ms = bounds.max_time_ms.max(max_time_ms);
        bounds.keys.iter_mut().zip(keys).for_each(|((min, max), key)| widen(min, max, key));
    }
}

fn widen(min: &mut Arc<str>, max: &mut Arc<str>, value: &Arc<str>) {
    // Rows come in order, so this one is mostly that of the row before.
    if Arc::ptr_eq(value, max) {
        return;
    }
    if value < min {
        *min = value.clone();
    }
    if value > max {
        *max = value.clone();
    }
}

/// Checks that series come in the order of the tables, each once.
#[derive(Debug, Default)]
pub(crate) struct Order {
    last: Option<(SeriesKey, i64)>,
}

impl Order {
    /// Takes the next series.
    ///
    /// # Errors
    /// `Internal` if it is not above the one before.
    pub(crate) fn next(&mut self, key: &SeriesKey, series_id: i64) -> Result<(), Error> {
        if let Some((last, last_id)) = &self.last
            && SeriesKey::table_order_by_id((last, *last_id), (key, series_id)).is_ge()
        {
            return Err(Error::internal(format!(
                "series {} of cluster {:?} with id {series_id} is not above the series before it in the block, {} of {:?} with id {last_id}",
                key.name, key.cluster, last.name, last.cluster
            )));
        }
        self.last = Some((key.clone(), series_id));
        Ok(())
    }
}
