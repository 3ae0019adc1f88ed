//! Writing blocks of `starts`: since when a series counts, one row for each day and each time that it began anew.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use model::{Error, SeriesKey};

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::File;
use crate::block::meta::BlockMeta;

/// Writes one block of `starts`.
pub struct StartsWriter<W: Write + Send> {
    file: File<W, StartColumns>,
    last: Option<(SeriesKey, i64, i64)>,
}

impl<W: Write + Send> StartsWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(StartsWriter { file: File::new(sink)?, last: None })
    }

    /// Writes one row: the series began at `start_ms`, as the sample of `time_ms` told.
    ///
    /// # Errors
    /// `Internal` if name, cluster, series_id and time are below those of the row before, `Unavailable` if the sink fails.
    pub fn push(&mut self, key: &SeriesKey, series_id: i64, time_ms: i64, start_ms: i64) -> Result<(), Error> {
        if let Some((last, last_id, last_ms)) = &self.last
            && SeriesKey::table_order_by_id((last, *last_id), (key, series_id)).then(last_ms.cmp(&time_ms)).is_gt()
        {
            return Err(Error::internal(format!(
                "the start of series {} with id {series_id} at {time_ms} ms is below the row before it",
                key.name
            )));
        }
        self.last = Some((key.clone(), series_id, time_ms));
        self.file.columns.push(key, series_id, time_ms, start_ms);
        self.file.meta.add(1, [&key.name, &key.cluster], time_ms, time_ms);
        self.file.write_if_full()
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(self) -> Result<BlockMeta, Error> {
        self.file.finish()
    }
}

/// The columns of `starts`.
#[derive(Default)]
pub(crate) struct StartColumns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    start_times_ms: Vec<i64>,
}

impl StartColumns {
    /// Adds a row.
    pub(crate) fn push(&mut self, key: &SeriesKey, series_id: i64, time_ms: i64, start_ms: i64) {
        self.names.push(&key.name, 1);
        self.clusters.push(&key.cluster, 1);
        self.series_ids.push(series_id);
        self.times_ms.push(time_ms);
        self.start_times_ms.push(start_ms);
    }
}

impl Columns for StartColumns {
    const TABLE: Table = Table::Starts;

    fn rows(&self) -> usize {
        self.times_ms.len()
    }

    fn text_bytes(&self) -> usize {
        0
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        [&mut self.names, &mut self.clusters]
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        Ok(vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.series_ids))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.times_ms))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.start_times_ms))),
        ])
    }
}
