//! Writing blocks of `series`: one row per series and day, with the series index embedded before the footer.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Int64Array, StringBuilder};
use model::batch::Kind;
use model::{Error, ErrorKind, SeriesKey};

use crate::Table;
use crate::block::file::File;
use crate::block::labels::LabelsColumn;
use crate::block::meta::{BlockMeta, Order};
use crate::block::samples::Texts;
use crate::index::{self, LivePostings};

/// The footer's key under which the place of the series index stands, as `offset,length,version` in decimal.
pub const INDEX_KEY: &str = "fleetscope.series_index";

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8 << 10;
/// Bytes of label text that are gathered before they are encoded.
const BATCH_BYTES: usize = 8 << 20;

/// Writes one block of `series`.
pub struct SeriesWriter<W: Write + Send> {
    file: File<W>,
    order: Order,
    meta: BlockMeta,
    postings: LivePostings,
    rows: Rows,
}

impl<W: Write + Send> SeriesWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(SeriesWriter {
            file: File::new(sink, Table::Series)?,
            order: Order::default(),
            meta: BlockMeta::default(),
            postings: LivePostings::default(),
            rows: Rows::default(),
        })
    }

    /// Writes a series.
    ///
    /// # Errors
    /// `Internal` if it is not above the one before, `TooLarge` past 2^30 series, `Unavailable` if the sink fails.
    pub fn push(&mut self, key: &SeriesKey, series_id: i64, kind: Kind, first_time_ms: i64) -> Result<(), Error> {
        self.order.next(key, series_id)?;
        let ordinal = self.meta.rows as u32;
        if ordinal >= index::MAX_ROWS {
            return Err(Error::new(ErrorKind::TooLarge, "a block of series cannot hold more than 2^30 rows"));
        }
        self.postings.insert(ordinal, key);
        self.rows.names.push(&key.name, 1);
        self.rows.clusters.push(&key.cluster, 1);
        self.rows.series_ids.push(series_id);
        self.rows.labels.push(key.labels.iter());
        self.rows.kinds.append_value(kind.as_str());
        self.rows.first_times_ms.push(first_time_ms);
        self.meta.add(1, &key.name, &key.cluster, first_time_ms, first_time_ms);
        if self.rows.series_ids.len() >= BATCH_ROWS || self.rows.labels.text_bytes() >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Writes what is left, the index and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails, `TooLarge` if the index does not fit 4 GiB.
    pub fn finish(mut self) -> Result<BlockMeta, Error> {
        self.write()?;
        let index = self.postings.encode(self.meta.rows as u32)?;
        self.file.embed(INDEX_KEY, index::VERSION, &index)?;
        self.file.finish(self.meta)
    }

    fn write(&mut self) -> Result<(), Error> {
        let rows = &mut self.rows;
        self.file.write(vec![
            rows.names.take()?,
            rows.clusters.take()?,
            Arc::new(Int64Array::from(std::mem::take(&mut rows.series_ids))),
            rows.labels.take()?,
            Arc::new(rows.kinds.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut rows.first_times_ms))),
        ])
    }
}

/// Rows not yet encoded, column by column.
#[derive(Default)]
struct Rows {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    labels: LabelsColumn,
    kinds: StringBuilder,
    first_times_ms: Vec<i64>,
}
