//! Writing blocks of `histograms`: one row per native histogram, in plain columns.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, Int8Builder, Int32Builder, Int64Array, Int64Builder, ListBuilder, PrimitiveBuilder,
};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type};
use model::histogram::{Counts, Span};
use model::{Error, NativeHistogram, SeriesKey};

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::File;
use crate::block::meta::{BlockMeta, Order};
use crate::sign::Sign;
use crate::tables::list_item;

/// Writes one block of `histograms`.
pub struct HistogramsWriter<W: Write + Send> {
    file: File<W, HistogramColumns>,
    order: Order,
}

impl<W: Write + Send> HistogramsWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(HistogramsWriter { file: File::new(sink)?, order: Order::default() })
    }

    /// Writes all histograms of a series with their times in milliseconds, ascending by time. A stale one becomes a row
    /// without values.
    ///
    /// # Errors
    /// `Internal` if series or times are not strictly ascending, `Unavailable` if the sink fails.
    pub fn push_series(
        &mut self,
        key: &SeriesKey,
        series_id: i64,
        histograms: &[(i64, NativeHistogram)],
    ) -> Result<(), Error> {
        let (Some(first), Some(last)) = (histograms.first(), histograms.last()) else { return Ok(()) };
        self.order.next(key, series_id)?;
        if let Some(pair) = histograms.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(Error::internal(format!(
                "histograms of series {} with id {series_id} are not ascending: {} ms comes before {} ms",
                key.name, pair[0].0, pair[1].0
            )));
        }
        for (time_ms, histogram) in histograms {
            self.file.columns.push(key, series_id, *time_ms, histogram);
            self.file.write_if_full()?;
        }
        self.file.meta.add(histograms.len() as u64, [&key.name, &key.cluster], first.0, last.0);
        let sign = Sign::of(&key.name);
        if let Some((newest_ms, _)) = histograms.iter().rfind(|(_, histogram)| sign.is_of_life(histogram.sum)) {
            self.file.meta.last_samples.saw(&key.cluster, *newest_ms);
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(self) -> Result<BlockMeta, Error> {
        self.file.finish()
    }
}

/// The columns of `histograms`.
pub(crate) struct HistogramColumns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    start_times_ms: Int64Builder,
    reset_hints: Texts,
    hints: [Arc<str>; 4],
    schemas: Int8Builder,
    sums: Float64Builder,
    zero_thresholds: Float64Builder,
    custom_bounds: ListBuilder<Float64Builder>,
    positive: Side,
    negative: Side,
    counts: Int64Builder,
    zero_counts: Int64Builder,
    float_counts: Float64Builder,
    float_zero_counts: Float64Builder,
    /// Numbers in lists so far.
    listed: usize,
}

/// The columns of the positive or of the negative buckets.
struct Side {
    offsets: ListBuilder<Int32Builder>,
    lengths: ListBuilder<Int32Builder>,
    counts: ListBuilder<Int64Builder>,
    float_counts: ListBuilder<Float64Builder>,
}

impl Default for Side {
    fn default() -> Self {
        Side { offsets: list(), lengths: list(), counts: list(), float_counts: list() }
    }
}

impl Default for HistogramColumns {
    fn default() -> Self {
        HistogramColumns {
            names: Texts::default(),
            clusters: Texts::default(),
            series_ids: Vec::new(),
            times_ms: Vec::new(),
            start_times_ms: Int64Builder::new(),
            reset_hints: Texts::default(),
            hints: model::histogram::ResetHint::ALL.map(|hint| Arc::from(hint.as_str())),
            schemas: Int8Builder::new(),
            sums: Float64Builder::new(),
            zero_thresholds: Float64Builder::new(),
            custom_bounds: list(),
            positive: Side::default(),
            negative: Side::default(),
            counts: Int64Builder::new(),
            zero_counts: Int64Builder::new(),
            float_counts: Float64Builder::new(),
            float_zero_counts: Float64Builder::new(),
            listed: 0,
        }
    }
}

fn list<T: ArrowPrimitiveType>() -> ListBuilder<PrimitiveBuilder<T>> {
    ListBuilder::new(PrimitiveBuilder::<T>::new()).with_field(list_item(T::DATA_TYPE))
}

fn append<T: ArrowPrimitiveType>(
    list: &mut ListBuilder<PrimitiveBuilder<T>>,
    values: Option<impl IntoIterator<Item = T::Native>>,
) {
    let holds = values.is_some();
    for value in values.into_iter().flatten() {
        list.values().append_value(value);
    }
    list.append(holds);
}

impl HistogramColumns {
    /// Adds a row.
    pub(crate) fn push(&mut self, key: &SeriesKey, series_id: i64, time_ms: i64, histogram: &NativeHistogram) {
        let said = Some(histogram).filter(|histogram| !histogram.is_stale());
        self.names.push(&key.name, 1);
        self.clusters.push(&key.cluster, 1);
        self.series_ids.push(series_id);
        self.times_ms.push(time_ms);
        self.start_times_ms.append_option(said.and_then(|histogram| histogram.start_ms));
        self.reset_hints.push(&self.hints[histogram.reset_hint as usize], 1);
        self.schemas.append_option(said.map(|histogram| histogram.schema));
        self.sums.append_option(said.map(|histogram| histogram.sum));
        self.zero_thresholds.append_option(said.map(|histogram| histogram.zero_threshold));
        append::<Float64Type>(&mut self.custom_bounds, said.map(|histogram| histogram.custom_bounds.iter().copied()));
        self.positive.push_spans(said.map(|histogram| &*histogram.positive_spans));
        self.negative.push_spans(said.map(|histogram| &*histogram.negative_spans));
        let (integer, float) = match said.map(|histogram| &histogram.counts) {
            Some(Counts::Integer(counts)) => (Some(counts), None),
            Some(Counts::Float(counts)) => (None, Some(counts)),
            None => (None, None),
        };
        // What is decoded is at most 2^63 - 1 (`NativeHistogram::validate`).
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.counts.append_option(integer.map(|counts| signed(counts.count)));
        self.zero_counts.append_option(integer.map(|counts| signed(counts.zero)));
        self.float_counts.append_option(float.map(|counts| counts.count));
        self.float_zero_counts.append_option(float.map(|counts| counts.zero));
        for (side, integer, float) in [
            (&mut self.positive, integer.map(|c| &c.positive), float.map(|c| &c.positive)),
            (&mut self.negative, integer.map(|c| &c.negative), float.map(|c| &c.negative)),
        ] {
            append::<Int64Type>(&mut side.counts, integer.map(|counts| counts.iter().map(|count| signed(*count))));
            append::<Float64Type>(&mut side.float_counts, float.map(|counts| counts.iter().copied()));
        }
        self.listed += histogram.buckets() + histogram.custom_bounds.len();
    }
}

impl Side {
    fn push_spans(&mut self, spans: Option<&[Span]>) {
        append::<Int32Type>(&mut self.offsets, spans.map(|spans| spans.iter().map(|span| span.offset)));
        let length = |span: &Span| i32::try_from(span.length).unwrap_or(i32::MAX);
        append::<Int32Type>(&mut self.lengths, spans.map(|spans| spans.iter().map(length)));
    }

    fn take(&mut self) -> [ArrayRef; 4] {
        [
            Arc::new(self.offsets.finish()),
            Arc::new(self.lengths.finish()),
            Arc::new(self.counts.finish()),
            Arc::new(self.float_counts.finish()),
        ]
    }
}

impl Columns for HistogramColumns {
    const TABLE: Table = Table::Histograms;

    fn rows(&self) -> usize {
        self.series_ids.len()
    }

    /// Lists differ from row to row as texts do, and can be as long.
    fn text_bytes(&self) -> usize {
        8 * self.listed
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        [&mut self.names, &mut self.clusters]
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        self.listed = 0;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.series_ids))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.times_ms))),
            Arc::new(self.start_times_ms.finish()),
            self.reset_hints.take()?,
            Arc::new(self.schemas.finish()),
            Arc::new(self.counts.finish()),
            Arc::new(self.float_counts.finish()),
            Arc::new(self.sums.finish()),
            Arc::new(self.zero_thresholds.finish()),
            Arc::new(self.zero_counts.finish()),
            Arc::new(self.float_zero_counts.finish()),
            Arc::new(self.custom_bounds.finish()),
        ];
        columns.extend(self.positive.take());
        columns.extend(self.negative.take());
        Ok(columns)
    }
}

#[cfg(test)]
mod tests;
