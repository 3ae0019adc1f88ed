//! Rows of the head as a query takes them: packed as they lie there, unpacked batch by batch while they are asked for.
//!
//! Owns: the runs that a query has taken, and the Arrow columns made of them.
//! Does not own: which runs a snapshot sees (`read`), whose memory the batches are (`query`).

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int8Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use model::Error;
use model::batch::STALE_NAN_BITS;

use super::run::Run;
use super::runs::PackedRun;
use crate::block::columns::Texts;
use crate::codec::TimeValue;
use crate::series::SeriesInfo;

/// What a row takes while its batch is made, all columns and the room that growing vectors leave included.
const ROW_BYTES: usize = 96;
/// What a sample takes while its run is unpacked and sorted.
const UNPACKED_BYTES: usize = size_of::<TimeValue>() * 3 / 2;

/// Rows that are not in a block yet, packed: taking them copies little, and [`HeadRows::batches`] unpacks them one batch
/// at a time. Cheap to clone.
///
/// They are those of one rank, sorted by name, cluster, series_id, time_ms. No key comes twice within one `HeadRows`.
#[derive(Debug, Clone)]
pub struct HeadRows {
    /// Where the rows stand against blocks and each other: the higher rank wins; all above any block's `gen_max`.
    pub rank: i64,
    /// No row is earlier, in milliseconds.
    pub min_time_ms: i64,
    /// No row is later, in milliseconds.
    pub max_time_ms: i64,
    runs: Arc<[SeriesRun]>,
}

/// The rows of one series.
#[derive(Debug, Clone)]
pub(super) struct SeriesRun {
    series: Arc<SeriesInfo>,
    run: Run,
}

impl SeriesRun {
    /// A run that is to be kept for a query: its open tail is packed as well.
    pub(super) fn new(series: Arc<SeriesInfo>, run: Run) -> Self {
        SeriesRun { series, run: run.sealed() }
    }

    /// Bytes that the head does not share with it.
    pub(super) fn own_bytes(&self) -> usize {
        size_of::<Self>() + self.run.own_bytes()
    }
}

impl HeadRows {
    /// The rows of these runs within a range of time; `None` if there is no run. The runs are in the order of the tables.
    pub(super) fn new(rank: i64, runs: Vec<SeriesRun>, time_ms: &RangeInclusive<i64>) -> Option<Self> {
        let ranges = || runs.iter().filter_map(|run| run.run.range());
        let min_time_ms = ranges().map(|(min, _)| min).min()?.max(*time_ms.start());
        let max_time_ms = ranges().map(|(_, max)| max).max()?.min(*time_ms.end());
        Some(HeadRows { rank, min_time_ms, max_time_ms, runs: runs.into() })
    }

    /// Packs samples that are in no head, for tests of who reads them: series in the order of the tables, of each the
    /// times in milliseconds and the bits of the values; of equal times the last counts.
    #[doc(hidden)]
    pub fn pack(rank: i64, series: impl IntoIterator<Item = (Arc<SeriesInfo>, Vec<(i64, u64)>)>) -> Option<Self> {
        let runs = series.into_iter().map(|(series, samples)| SeriesRun::new(series, Run::of(&samples)));
        Self::new(rank, runs.collect(), &(i64::MIN..=i64::MAX))
    }

    /// Bytes that the head does not share with it.
    pub fn own_bytes(&self) -> usize {
        self.runs.iter().map(SeriesRun::own_bytes).sum()
    }

    /// The series that have rows, in the order of the tables; the number of each is that of its run.
    pub fn series(&self) -> impl ExactSizeIterator<Item = &Arc<SeriesInfo>> {
        self.runs.iter().map(|run| &run.series)
    }

    /// Puts the samples of a run within the range of time into `samples`: milliseconds and the bits of the value, ascending.
    ///
    /// # Panics
    /// If there is no run with this number.
    pub fn read(&self, run: usize, samples: &mut Vec<(i64, u64)>) {
        self.runs[run].run.read(samples);
        let wanted = self.min_time_ms..=self.max_time_ms;
        samples.retain(|(time_ms, _)| wanted.contains(time_ms));
    }

    /// How many rows there are at most: a time that was written twice is one row, and of a run that reaches beyond the
    /// range of time only a part is wanted.
    pub fn rows_at_most(&self) -> usize {
        self.runs.iter().map(|run| run.run.len()).sum()
    }

    /// Bytes that making batches of so many rows takes at a time: a run unpacked and a batch; an estimate from above.
    pub fn working_bytes(&self, batch_rows: usize) -> usize {
        let longest = self.runs.iter().map(|run| run.run.len()).max().unwrap_or(0);
        longest * UNPACKED_BYTES + batch_rows * ROW_BYTES
    }

    /// Unpacks the rows, `batch_rows` at a time. `columns` are columns of `samples`, text as views.
    pub fn batches(&self, columns: SchemaRef, batch_rows: usize) -> HeadBatches {
        HeadBatches { rows: self.clone(), columns, batch_rows, next: 0, samples: Vec::new(), taken: 0 }
    }
}

/// Unpacks [`HeadRows`]. A batch may be empty though it is not the last: one that looks long for rows within the range
/// of time lets others work in between.
#[derive(Debug)]
pub struct HeadBatches {
    rows: HeadRows,
    columns: SchemaRef,
    batch_rows: usize,
    /// The first run that was not unpacked.
    next: usize,
    /// What the run before that holds, and how many of these are in a batch already.
    samples: Vec<TimeValue>,
    taken: usize,
}

impl HeadBatches {
    /// Unpacks the next run and returns how many samples that took; 0 if there is no run left.
    fn unpack(&mut self) -> usize {
        self.samples.clear();
        self.taken = 0;
        let Some(found) = self.rows.runs.get(self.next) else { return 0 };
        self.rows.read(self.next, &mut self.samples);
        self.next += 1;
        found.run.len()
    }
}

impl Iterator for HeadBatches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut columns = Columns::default();
        let mut unpacked = 0;
        let is_at_end = loop {
            if columns.rows() >= self.batch_rows {
                break false;
            }
            if self.taken == self.samples.len() {
                if unpacked >= self.batch_rows {
                    break false;
                }
                match self.unpack() {
                    0 => break true,
                    samples => unpacked += samples,
                }
            }
            let end = self.samples.len().min(self.taken + self.batch_rows - columns.rows());
            // At least one run was unpacked, so there is one before the next.
            columns.push(&self.rows.runs[self.next - 1].series, &self.samples[self.taken..end]);
            self.taken = end;
        };
        (columns.rows() > 0 || !is_at_end).then(|| columns.finish(&self.columns))
    }
}

/// Rows of a batch, column by column.
#[derive(Default)]
struct Columns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    values: Float64Builder,
}

impl Columns {
    fn rows(&self) -> usize {
        self.series_ids.len()
    }

    fn push(&mut self, series: &SeriesInfo, samples: &[TimeValue]) {
        self.names.push(&series.key.name, samples.len());
        self.clusters.push(&series.key.cluster, samples.len());
        self.series_ids.resize(self.series_ids.len() + samples.len(), series.id);
        self.times_ms.extend(samples.iter().map(|(time_ms, _)| time_ms));
        for (_, bits) in samples {
            self.values.append_option((*bits != STALE_NAN_BITS).then(|| f64::from_bits(*bits)));
        }
    }

    /// The wanted columns. The text of a name is there once, however many rows have it.
    fn finish(mut self, columns: &SchemaRef) -> Result<RecordBatch, Error> {
        let rows = self.rows();
        let unfit = |e| Error::internal("rows of the head do not fit the columns of samples").with_source(e);
        let made = columns.fields().iter().map(|field| {
            Ok::<ArrayRef, Error>(match field.name().as_str() {
                "name" => cast(&self.names.take()?, &DataType::Utf8View).map_err(unfit)?,
                "cluster" => cast(&self.clusters.take()?, &DataType::Utf8View).map_err(unfit)?,
                "series_id" => Arc::new(Int64Array::from(std::mem::take(&mut self.series_ids))),
                "time_ms" => Arc::new(Int64Array::from(std::mem::take(&mut self.times_ms))),
                "mantissa" => Arc::new(Int64Array::new_null(rows)),
                "scale" => Arc::new(Int8Array::new_null(rows)),
                "value" => Arc::new(self.values.finish()),
                other => return Err(Error::internal(format!("samples has no column {other:?}"))),
            })
        });
        let made = made.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(columns.clone(), made, &options).map_err(unfit)
    }
}

#[cfg(test)]
mod tests;
