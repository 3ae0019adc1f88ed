//! A block of `series`, opened: its index, and what is needed to name the series of any row.
//!
//! The labels of a row are not kept as text. They are a few numbers, each a value of the index; the text is put together
//! when a series is first asked for. That is a quarter of the Arrow column, and opening decodes no map at all.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use model::batch::Kind;
use model::labels::{CLUSTER_LABEL, LabelsBuilder, NAME_LABEL};
use model::{Error, ErrorKind, Labels, SeriesKey};
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use roaring::RoaringBitmap;

use super::build::IndexBuilder;
use super::decode::SeriesIndex;
use super::{MAX_ROWS, VERSION};
use crate::block::file::embedded;
use crate::block::labels::ReadLabels;
use crate::block::series::INDEX_KEY;
use crate::{Matcher, SeriesInfo};

/// Bytes of memory that the series of a block take which were asked for and are kept.
const MAX_SHARED_BYTES: u64 = 64 << 20;
/// Labels of a row on average at most; beyond it the bytes are not ours.
const MAX_LABELS: usize = 1024;

/// One block of `series` in memory.
#[derive(Debug)]
pub struct SeriesBlock {
    index: SeriesIndex,
    series_ids: Vec<i64>,
    kinds: Vec<Kind>,
    first_times_ms: Vec<i64>,
    /// The number of the first value of each label of the index, all values numbered through.
    bases: Vec<u32>,
    /// For each row the end of its numbers in `values`.
    ends: Vec<u32>,
    /// The numbers of the values of each row, ascending, so that the labels come in order.
    values: Vec<u32>,
    /// Texts that many series share.
    names: Texts,
    clusters: Texts,
    shared: Mutex<Shared>,
}

/// The series that were asked for.
#[derive(Debug, Default)]
struct Shared {
    /// By row; empty until one is asked for.
    series: Vec<Option<Arc<SeriesInfo>>>,
    bytes: u64,
}

/// The values of one label as texts to share, and the number of the label.
#[derive(Debug, Default)]
struct Texts {
    label: Option<usize>,
    texts: Vec<Arc<str>>,
}

impl SeriesBlock {
    /// Opens a whole file. Without an index in it, one is made from its rows.
    ///
    /// # Errors
    /// `Corrupt` if it is no block of `series` or damaged.
    pub fn open(file: Bytes) -> Result<Self, Error> {
        // Whatever Arrow types another program may have had in mind, we read Parquet's own.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(damaged)?;
        let place = index_place(&metadata)?;
        let mut columns = Columns::default();
        columns.read(&file, metadata.clone(), place.is_none())?;
        let rows = u32::try_from(columns.series_ids.len()).unwrap_or(u32::MAX);
        if rows >= MAX_ROWS {
            return Err(corrupt("it has more rows than any block"));
        }
        let bytes = match place {
            Some((offset, length)) => {
                let end = offset.checked_add(length).filter(|end| *end <= file.len());
                file.slice(offset..end.ok_or_else(|| corrupt("its index lies beyond its end"))?)
            }
            None => Bytes::from(columns.index.encode()?),
        };
        // A copy, so that the index does not keep the whole file in memory.
        let index = SeriesIndex::decode(Bytes::copy_from_slice(&bytes), rows)?;
        Self::with_index(index, columns)
    }

    fn with_index(index: SeriesIndex, columns: Columns) -> Result<Self, Error> {
        let labels = index.labels();
        let entries: u64 = labels.iter().map(|label| label.present.len()).sum();
        if entries > columns.series_ids.len() as u64 * MAX_LABELS as u64 {
            return Err(corrupt("its series have more labels than any series"));
        }
        let fits = |n: u64| u32::try_from(n).map_err(|_| corrupt("its index has more than 2^32 entries"));
        fits(entries)?;
        let mut bases = Vec::with_capacity(labels.len());
        let mut base = 0u64;
        for label in labels {
            bases.push(fits(base)?);
            base += label.len() as u64;
        }
        fits(base)?;
        let (ends, values) = forward(&index, &bases, columns.series_ids.len());
        let block = SeriesBlock {
            names: Texts::of(&index, NAME_LABEL),
            clusters: Texts::of(&index, CLUSTER_LABEL),
            series_ids: columns.series_ids,
            kinds: columns.kinds,
            first_times_ms: columns.first_times_ms,
            index,
            bases,
            ends,
            values,
            shared: Mutex::default(),
        };
        Ok(block)
    }

    /// The rows of the series that fulfil all matchers.
    pub fn select(&self, matchers: &[Matcher]) -> RoaringBitmap {
        self.index.select(matchers)
    }

    /// The series of some rows, in their order; those that were asked for before are the same ones, while they are few
    /// enough to be kept.
    ///
    /// # Errors
    /// As [`SeriesBlock::info`].
    pub fn shared(&self, rows: &RoaringBitmap) -> Result<Vec<Arc<SeriesInfo>>, Error> {
        let mut shared = self.shared.lock();
        if shared.series.is_empty() {
            shared.series.resize(self.rows() as usize, None);
            shared.bytes = size_of_val(&*shared.series) as u64;
        }
        let mut found = Vec::with_capacity(rows.len() as usize);
        for row in rows {
            if let Some(Some(info)) = shared.series.get(row as usize) {
                found.push(info.clone());
                continue;
            }
            let info = Arc::new(self.info(row)?);
            // Two counters in front of each of the two.
            let bytes = (size_of::<SeriesInfo>() + info.key.labels.as_bytes().len() + 32) as u64;
            if shared.bytes + bytes <= MAX_SHARED_BYTES {
                shared.bytes += bytes;
                shared.series[row as usize] = Some(info.clone());
            }
            found.push(info);
        }
        Ok(found)
    }

    /// The series of a row.
    ///
    /// # Errors
    /// `Internal` if there is no such row, `Corrupt` if its labels are none.
    pub fn info(&self, row: u32) -> Result<SeriesInfo, Error> {
        let at = row as usize;
        let (Some(id), Some(kind), Some(first_time_ms), Some(end)) =
            (self.series_ids.get(at), self.kinds.get(at), self.first_times_ms.get(at), self.ends.get(at))
        else {
            return Err(Error::internal(format!("no row {row} in a block of {} series", self.rows())));
        };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let (mut name, mut cluster) = (None, None);
        let mut canonical = Vec::with_capacity(256);
        for value in &self.values[start as usize..*end as usize] {
            let label = self.bases.partition_point(|base| base <= value) - 1;
            let number = (value - self.bases[label]) as usize;
            if self.names.label == Some(label) {
                name = Some(self.names.texts[number].clone());
            } else if self.clusters.label == Some(label) {
                cluster = Some(self.clusters.texts[number].clone());
            } else {
                let label = &self.index.labels()[label];
                canonical.extend_from_slice(label.name.as_bytes());
                canonical.push(0xff);
                canonical.extend_from_slice(label.value(number).as_bytes());
                canonical.push(0xff);
            }
        }
        let labels = Labels::from_bytes(&canonical).map_err(|e| corrupt("labels of a row").with_source(e))?;
        let (name, cluster) = (name.unwrap_or_default(), cluster.unwrap_or_default());
        Ok(SeriesInfo { key: SeriesKey { name, cluster, labels }, id: *id, kind: *kind, first_time_ms: *first_time_ms })
    }

    /// The names of the labels that a series of `among` has, ascending; of all series without `among`. For the label
    /// calls of the Prometheus API, which end at the index.
    pub fn label_names(&self, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.index.label_names(among)
    }

    /// The values of a label that a series of `among` has, ascending; of all series without `among`. For the same calls.
    pub fn label_values(&self, name: &str, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.index.label_values(name, among)
    }

    /// Number of series.
    pub fn rows(&self) -> u32 {
        self.index.rows()
    }

    /// About how many bytes of memory this takes.
    pub fn memory_bytes(&self) -> u64 {
        let arrays = size_of_val(&*self.series_ids)
            + size_of_val(&*self.kinds)
            + size_of_val(&*self.first_times_ms)
            + size_of_val(&*self.bases)
            + size_of_val(&*self.ends)
            + size_of_val(&*self.values);
        let texts = self.names.memory_bytes() + self.clusters.memory_bytes();
        arrays as u64 + self.index.memory_bytes() + texts + self.shared.lock().bytes
    }
}

impl Texts {
    fn of(index: &SeriesIndex, name: &str) -> Self {
        let Some(at) = index.labels().iter().position(|label| label.name.as_ref() == name) else {
            return Texts::default();
        };
        let label = &index.labels()[at];
        Texts { label: Some(at), texts: (0..label.len()).map(|i| Arc::from(label.value(i))).collect() }
    }

    fn memory_bytes(&self) -> u64 {
        // A shared text has two counters in front and a pointer of two words.
        self.texts.iter().map(|text| text.len() as u64 + 32).sum()
    }
}

/// Turns the index around: for each row the numbers of its values.
fn forward(index: &SeriesIndex, bases: &[u32], rows: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ends = vec![0u32; rows];
    let each = |mut visit: Box<dyn FnMut(usize, u32) + '_>| {
        for (label, base) in index.labels().iter().zip(bases) {
            for value in 0..label.len() {
                for (first, last) in index.runs(label, value) {
                    (first..=last).for_each(|row| visit(row as usize, base + value as u32));
                }
            }
        }
    };
    each(Box::new(|row, _| ends[row] += 1));
    let mut total = 0;
    for end in &mut ends {
        // For now the start; each value of the row then moves it by one.
        total += std::mem::replace(end, total);
    }
    let mut values = vec![0u32; total as usize];
    each(Box::new(|row, value| {
        values[ends[row] as usize] = value;
        ends[row] += 1;
    }));
    (ends, values)
}

/// Where the footer says that the index is; `None` if there is none that this program reads.
fn index_place(metadata: &ArrowReaderMetadata) -> Result<Option<(usize, usize)>, Error> {
    embedded(metadata.metadata(), INDEX_KEY, VERSION)
}

/// The columns of a block that are read.
#[derive(Default)]
struct Columns {
    series_ids: Vec<i64>,
    kinds: Vec<Kind>,
    first_times_ms: Vec<i64>,
    /// Filled if the file has no index.
    index: IndexBuilder,
}

impl Columns {
    fn read(&mut self, file: &Bytes, metadata: ArrowReaderMetadata, with_labels: bool) -> Result<(), Error> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata).with_batch_size(8192);
        let mut names = vec!["series_id", "kind", "first_time_ms"];
        if with_labels {
            names.extend(["name", "cluster", "labels"]);
        }
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        for batch in builder.with_projection(mask).build().map_err(damaged)? {
            let batch = batch.map_err(damaged)?;
            if with_labels {
                self.index(&batch)?;
            }
            self.push(&batch)?;
        }
        Ok(())
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        for (name, into) in [("series_id", &mut self.series_ids), ("first_time_ms", &mut self.first_times_ms)] {
            let numbers = column(batch, name)?.as_primitive_opt::<Int64Type>();
            let numbers = numbers.filter(|numbers| numbers.null_count() == 0);
            into.extend_from_slice(
                numbers.ok_or_else(|| corrupt(format_args!("column {name} is no bigint")))?.values(),
            );
        }
        let kinds = column(batch, "kind")?.as_string_opt::<i32>();
        for kind in kinds.ok_or_else(|| corrupt("column kind is no text"))? {
            // A word of a later version measures something this one has no word for.
            let kind = Kind::ALL.into_iter().find(|known| Some(known.as_str()) == kind);
            self.kinds.push(kind.unwrap_or_default());
        }
        Ok(())
    }

    fn index(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let text = |name| {
            let texts = column(batch, name)?.as_string_opt::<i32>();
            texts.ok_or_else(|| corrupt(format_args!("column {name} is no text")))
        };
        let (names, clusters) = (text("name")?, text("cluster")?);
        let labels = ReadLabels::new(column(batch, "labels")?)?;
        let mut builder = LabelsBuilder::default();
        for row in 0..batch.num_rows() {
            builder.push(NAME_LABEL, names.value(row));
            builder.push(CLUSTER_LABEL, clusters.value(row));
            labels.row(row).for_each(|(name, value)| builder.push(name, value));
            let key = builder.build(None).map_err(|e| corrupt("labels of a row").with_source(e))?;
            self.index.push(&key);
        }
        Ok(())
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| corrupt(format_args!("it has no column {name}")))
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    corrupt("it cannot be read as Parquet").with_source(error)
}

fn corrupt(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("block of series is damaged: {what}"))
}
