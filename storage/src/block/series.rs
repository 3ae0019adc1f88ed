//! Writing blocks of `series`: one row per series and day, with the series index embedded before the footer.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder};
use model::batch::Kind;
use model::{Error, ErrorKind, SeriesKey};

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::File;
use crate::block::labels::LabelsColumn;
use crate::block::meta::{BlockMeta, Order};
use crate::index::{self, IndexBuilder};

/// The footer's key under which the place of the series index stands, as `offset,length,version` in decimal.
pub const INDEX_KEY: &str = "fleetscope.series_index";

/// Writes one block of `series`.
pub struct SeriesWriter<W: Write + Send> {
    file: File<W, SeriesColumns>,
    order: Order,
    index: IndexBuilder,
}

impl<W: Write + Send> SeriesWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(SeriesWriter { file: File::new(sink)?, order: Order::default(), index: IndexBuilder::default() })
    }

    /// Writes a series.
    ///
    /// # Errors
    /// `Internal` if it is not above the one before, `TooLarge` past 2^30 series, `Unavailable` if the sink fails.
    pub fn push(&mut self, key: &SeriesKey, series_id: i64, kind: Kind, first_time_ms: i64) -> Result<(), Error> {
        self.order.next(key, series_id)?;
        if self.file.meta.rows >= u64::from(index::MAX_ROWS) {
            return Err(Error::new(ErrorKind::TooLarge, "a block of series cannot hold more than 2^30 rows"));
        }
        self.index.push(key);
        self.file.columns.push(key, series_id, kind, first_time_ms);
        self.file.meta.add(1, [&key.name, &key.cluster], first_time_ms, first_time_ms);
        self.file.write_if_full()
    }

    /// Writes what is left, the index and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails, `TooLarge` if the index does not fit 4 GiB.
    pub fn finish(mut self) -> Result<BlockMeta, Error> {
        let index = self.index.encode()?;
        self.file.embed(INDEX_KEY, index::VERSION, &index)?;
        self.file.finish()
    }
}

/// The columns of `series`.
#[derive(Default)]
pub(crate) struct SeriesColumns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    labels: LabelsColumn,
    kinds: StringBuilder,
    first_times_ms: Vec<i64>,
}

impl SeriesColumns {
    /// Adds a row.
    pub(crate) fn push(&mut self, key: &SeriesKey, series_id: i64, kind: Kind, first_time_ms: i64) {
        self.names.push(&key.name, 1);
        self.clusters.push(&key.cluster, 1);
        self.series_ids.push(series_id);
        self.labels.push(key.labels.iter());
        self.kinds.append_value(kind.as_str());
        self.first_times_ms.push(first_time_ms);
    }
}

impl Columns for SeriesColumns {
    const TABLE: Table = Table::Series;

    fn rows(&self) -> usize {
        self.series_ids.len()
    }

    fn text_bytes(&self) -> usize {
        self.labels.text_bytes()
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        [&mut self.names, &mut self.clusters]
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        Ok(vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.series_ids))),
            self.labels.take()?,
            Arc::new(self.kinds.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut self.first_times_ms))),
        ])
    }
}
