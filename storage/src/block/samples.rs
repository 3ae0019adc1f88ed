//! Writing blocks of `samples`: one row per sample, series by series, encoded as docs/formats/blocks.md tells.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int8Builder, Int64Array, Int64Builder};
use model::batch::STALE_NAN_BITS;
use model::{Error, SeriesKey};
use parquet::file::metadata::ParquetMetaData;

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::{File, Layout};
use crate::block::mantissa;
use crate::block::meta::{BlockMeta, Order};
use crate::sign::Sign;

/// The footer's key under which the number of staleness markers among the rows stands, in decimal.
const MARKERS_KEY: &str = "fleetscope.markers";

/// How many rows of a block of `samples` are staleness markers; `None` if its footer does not say.
pub fn markers(footer: &ParquetMetaData) -> Option<u64> {
    let notes = footer.file_metadata().key_value_metadata()?;
    notes.iter().find(|note| note.key == MARKERS_KEY)?.value.as_ref()?.parse().ok()
}

/// Writes one block of `samples`, holding at most a batch of rows and the encoded pages of one row group.
pub struct SamplesWriter<W: Write + Send> {
    file: File<W, SampleColumns>,
    order: Order,
    markers: u64,
    mantissas: Vec<i64>,
}

impl<W: Write + Send> SamplesWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Self::with_layout(sink, Layout::default())
    }

    /// Starts a block with parts of other sizes than the store's.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn with_layout(sink: W, layout: Layout) -> Result<Self, Error> {
        Ok(SamplesWriter {
            file: File::with_layout(sink, layout)?,
            order: Order::default(),
            markers: 0,
            mantissas: Vec::new(),
        })
    }

    /// Writes all samples of a series: pairs of time in milliseconds and the bits of the value, ascending by time.
    ///
    /// A value with the bits of the staleness marker becomes a row without a value.
    ///
    /// # Errors
    /// `Internal` if series or times are not strictly ascending, `Unavailable` if the sink fails.
    pub fn push_series(&mut self, key: &SeriesKey, series_id: i64, samples: &[(i64, u64)]) -> Result<(), Error> {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
        self.order.next(key, series_id)?;
        if let Some(pair) = samples.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(Error::internal(format!(
                "samples of series {} with id {series_id} are not ascending: {} ms comes before {} ms",
                key.name, pair[0].0, pair[1].0
            )));
        }
        self.markers += samples.iter().filter(|(_, bits)| *bits == STALE_NAN_BITS).count() as u64;
        let scale = mantissa::encode(samples, &mut self.mantissas);
        let mut start = 0;
        while start < samples.len() {
            let rows = &mut self.file.columns;
            let end = samples.len().min(start + SampleColumns::BATCH_ROWS - rows.rows());
            let part = &samples[start..end];
            match scale {
                Some(scale) => rows.push_scaled(key, series_id, part, &self.mantissas[start..end], scale),
                None => rows.push_doubles(key, series_id, part),
            }
            self.file.write_if_full()?;
            start = end;
        }
        self.file.meta.add(samples.len() as u64, [&key.name, &key.cluster], first.0, last.0);
        let sign = Sign::of(&key.name);
        if let Some((newest_ms, _)) = samples.iter().rfind(|(_, bits)| sign.is_of_life(f64::from_bits(*bits))) {
            self.file.meta.last_samples.saw(&key.cluster, *newest_ms);
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(mut self) -> Result<BlockMeta, Error> {
        self.file.note(MARKERS_KEY, self.markers.to_string());
        self.file.finish()
    }
}

/// The columns of `samples`.
#[derive(Default)]
struct SampleColumns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    mantissas: Int64Builder,
    scales: Int8Builder,
    values: Float64Builder,
}

impl SampleColumns {
    fn push_keys(&mut self, key: &SeriesKey, series_id: i64, samples: &[(i64, u64)]) {
        self.names.push(&key.name, samples.len());
        self.clusters.push(&key.cluster, samples.len());
        self.series_ids.resize(self.series_ids.len() + samples.len(), series_id);
        self.times_ms.extend(samples.iter().map(|(time_ms, _)| time_ms));
    }

    fn push_scaled(&mut self, key: &SeriesKey, series_id: i64, samples: &[(i64, u64)], mantissas: &[i64], scale: i8) {
        self.push_keys(key, series_id, samples);
        self.values.append_nulls(samples.len());
        if samples.iter().all(|(_, bits)| *bits != STALE_NAN_BITS) {
            self.mantissas.append_slice(mantissas);
            self.scales.append_value_n(scale, samples.len());
            return;
        }
        for ((_, bits), mantissa) in samples.iter().zip(mantissas) {
            let holds = *bits != STALE_NAN_BITS;
            self.mantissas.append_option(holds.then_some(*mantissa));
            self.scales.append_option(holds.then_some(scale));
        }
    }

    fn push_doubles(&mut self, key: &SeriesKey, series_id: i64, samples: &[(i64, u64)]) {
        self.push_keys(key, series_id, samples);
        self.mantissas.append_nulls(samples.len());
        self.scales.append_nulls(samples.len());
        for (_, bits) in samples {
            self.values.append_option((*bits != STALE_NAN_BITS).then_some(f64::from_bits(*bits)));
        }
    }
}

impl Columns for SampleColumns {
    const TABLE: Table = Table::Samples;
    const BATCH_ROWS: usize = 64 << 10;

    fn rows(&self) -> usize {
        self.series_ids.len()
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
            Arc::new(self.mantissas.finish()),
            Arc::new(self.scales.finish()),
            Arc::new(self.values.finish()),
        ])
    }
}

#[cfg(test)]
mod tests;
