//! A range of samples as the answer of a query: as they are, at times of their own.
//!
//! As a record batch: `labels`, `times_ms` and `values` (lists as long as each other), `histograms` (with their times as the
//! steps of [`cells`]: milliseconds since the beginning of the range).

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Float64Array, Float64Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use futures::StreamExt;
use model::ErrorKind;
use promql::functions::range::{Boundary, samples_between_ends};
use promql::histogram::FloatHistogram;
use promql::labels::Labels;

use super::answer::{Point, SeriesPoints};
use super::cells::{self, Cells};
use super::evaluate::reach;
use super::labels::LabelSet;
use super::steps::{Samples, Windows};
use crate::engine::Rows;
use crate::error::{Error, external, from_datafusion};

/// Which samples are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The length of the range, in milliseconds.
    pub(super) range_ms: i64,
    /// Where it ends; a sample of this time is in it.
    pub(super) end_ms: i64,
    pub(super) boundary: Boundary,
    /// How far samples count before its beginning and behind its end, in milliseconds.
    pub(super) reach_ms: (i64, i64),
}

impl Bounds {
    /// All samples from one time up to another, both included.
    pub(super) fn including(start_ms: i64, end_ms: i64) -> Self {
        let range_ms = end_ms.saturating_sub(start_ms).saturating_add(1);
        Bounds { range_ms, end_ms, boundary: Boundary::Open, reach_ms: (0, 0) }
    }

    /// With the samples that count beyond its ends.
    pub(super) fn within(self, lookback_ms: i64) -> Self {
        Bounds { reach_ms: reach(self.boundary, lookback_ms), ..self }
    }
}

/// Series with their samples, while a batch is filled.
#[derive(Debug, Default)]
pub(super) struct RangeBatch {
    labels: Vec<LabelSet>,
    times_ms: ListBuilder<Int64Builder>,
    values: ListBuilder<Float64Builder>,
    histograms: Vec<Vec<u8>>,
    starts_ms: Vec<i64>,
    samples: usize,
    /// Bytes of labels and histograms.
    other_bytes: usize,
}

impl RangeBatch {
    /// The columns.
    pub(super) fn schema() -> SchemaRef {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        Arc::new(Schema::new(vec![
            Field::new("labels", DataType::Binary, false),
            Field::new("times_ms", list(DataType::Int64), false),
            Field::new("values", list(DataType::Float64), false),
            Field::new("start_ms", DataType::Int64, false),
            Field::new("histograms", DataType::Binary, false),
        ]))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Bytes of memory taken, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        self.samples * 2 * size_of::<f64>() + self.other_bytes
    }

    /// Adds a series with those of its samples that are in the range; nothing if there are none.
    ///
    /// # Errors
    /// `Invalid` if histograms are to be read as only numbers can.
    pub(super) fn push(&mut self, labels: LabelSet, samples: &Samples, bounds: &Bounds) -> Result<()> {
        let window = Windows::new(samples, bounds.range_ms, bounds.reach_ms).ending(bounds.end_ms);
        let mut points: Vec<(i64, f64)> = window.times_ms.iter().copied().zip(window.values.iter().copied()).collect();
        if bounds.boundary != Boundary::Open {
            if !window.histograms.is_empty() {
                let modifier = if bounds.boundary == Boundary::Anchored { "anchored" } else { "smoothed" };
                let what = format!("{modifier} modifier is not supported with histograms");
                return Err(external(model::Error::invalid(what)));
            }
            points = samples_between_ends(&window, bounds.boundary).unwrap_or_default();
        }
        let offset = |time_ms: i64| time_ms.saturating_sub(window.start_ms) as usize;
        let cells: Cells = window.histograms.iter().map(|(time_ms, one)| (offset(*time_ms), one.clone())).collect();
        if points.is_empty() && cells.is_empty() {
            return Ok(());
        }
        self.append(labels, &points, &cells, window.start_ms);
        Ok(())
    }

    /// Adds a series without samples.
    pub(super) fn push_labels(&mut self, labels: LabelSet) {
        self.append(labels, &[], &Cells::new(), 0);
    }

    fn append(&mut self, labels: LabelSet, points: &[(i64, f64)], cells: &Cells, start_ms: i64) {
        self.other_bytes += labels.as_bytes().len();
        self.labels.push(labels);
        self.times_ms.append_value(points.iter().map(|(time_ms, _)| Some(*time_ms)));
        self.values.append_value(points.iter().map(|(_, value)| Some(*value)));
        let mut bytes = Vec::new();
        cells::encode(cells, &mut bytes);
        self.other_bytes += bytes.len();
        self.histograms.push(bytes);
        self.starts_ms.push(start_ms);
        self.samples += points.len();
    }

    /// As a record batch.
    ///
    /// # Errors
    /// DataFusion's, if the columns are not as long as each other.
    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        let labels = BinaryArray::from_iter_values(self.labels.iter().map(LabelSet::as_bytes));
        let histograms = BinaryArray::from_iter_values(&self.histograms);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(labels),
            Arc::new(self.times_ms.finish()),
            Arc::new(self.values.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut self.starts_ms))),
            Arc::new(histograms),
        ];
        *self = RangeBatch::default();
        Ok(RecordBatch::try_new(Self::schema(), columns)?)
    }
}

/// The series of an answer, in order of their labels.
///
/// # Errors
/// Those of the plan, and `TooLarge` if they take more than `max_bytes`.
pub(super) async fn read(mut rows: Rows, max_bytes: u64) -> Result<Vec<SeriesPoints>, Error> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        bytes += batch.get_array_memory_size() as u64;
        if bytes > max_bytes {
            let what = format!(
                "the answer takes {bytes} bytes of memory and is not complete, the limit is {max_bytes}; select fewer \
                 series or less time, or raise query.query_memory_bytes"
            );
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        series(&batch, &mut all).map_err(from_datafusion)?;
    }
    all.sort_by_cached_key(|one| Labels::from(&one.labels));
    Ok(all)
}

/// Adds the series of a batch of ranges.
///
/// # Errors
/// `Internal` if it is another batch.
pub(super) fn series(batch: &RecordBatch, into: &mut Vec<SeriesPoints>) -> Result<()> {
    for row in rows(batch)? {
        let point = |(time_ms, value): (&i64, &f64)| Point { time_ms: *time_ms, value: *value };
        let points = row.times_ms.values().iter().zip(row.values.values()).map(point).collect();
        into.push(SeriesPoints { labels: row.labels, points, histograms: row.histograms });
    }
    Ok(())
}

/// A series with its samples in a range.
pub(crate) struct RangeRow {
    pub(crate) labels: LabelSet,
    pub(crate) times_ms: Int64Array,
    /// As many as times.
    pub(crate) values: Float64Array,
    /// Native histograms with their times in milliseconds.
    pub(crate) histograms: Vec<(i64, FloatHistogram)>,
}

/// The series of a batch.
///
/// # Errors
/// `Internal` if the batch holds something else.
pub(crate) fn rows(batch: &RecordBatch) -> Result<Vec<RangeRow>> {
    let foreign = || DataFusionError::Internal("a record batch holds no ranges".into());
    let [labels, times_ms, values, starts_ms, histograms] = batch.columns() else { return Err(foreign()) };
    let labels = labels.as_binary_opt::<i32>().ok_or_else(foreign)?;
    let times_ms = times_ms.as_list_opt::<i32>().ok_or_else(foreign)?;
    let values = values.as_list_opt::<i32>().ok_or_else(foreign)?;
    let starts_ms = starts_ms.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?;
    let histograms = histograms.as_binary_opt::<i32>().ok_or_else(foreign)?;
    let row = |row: usize| {
        let (times, numbers) = (times_ms.value(row), values.value(row));
        let cells = cells::decode(histograms.value(row)).into_iter();
        Ok(RangeRow {
            labels: LabelSet::from_bytes(labels.value(row)),
            times_ms: times.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?.clone(),
            values: numbers.as_primitive_opt::<Float64Type>().ok_or_else(foreign)?.clone(),
            histograms: cells.map(|(at, one)| (starts_ms.value(row) + at as i64, one)).collect(),
        })
    };
    (0..batch.num_rows()).map(row).collect()
}
