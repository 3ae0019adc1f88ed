//! Writing blocks of `exemplars`: one row per exemplar.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, StringBuilder};
use model::{Error, SeriesKey};

use crate::Table;
use crate::block::file::File;
use crate::block::labels::LabelsColumn;
use crate::block::meta::BlockMeta;
use crate::block::samples::Texts;

/// The label of an exemplar that becomes a column of its own.
const TRACE_ID: &str = "trace_id";
/// See `TRACE_ID`.
const SPAN_ID: &str = "span_id";
/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8 << 10;
/// Bytes of label text that are gathered before they are encoded.
const BATCH_BYTES: usize = 8 << 20;

/// Writes one block of `exemplars`.
pub struct ExemplarsWriter<W: Write + Send> {
    file: File<W>,
    meta: BlockMeta,
    last: Option<(SeriesKey, i64, i64)>,
    rows: Rows,
}

impl<W: Write + Send> ExemplarsWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        let file = File::new(sink, Table::Exemplars)?;
        Ok(ExemplarsWriter { file, meta: BlockMeta::default(), last: None, rows: Rows::default() })
    }

    /// Writes one exemplar of a series. `trace_id` and `span_id` leave its labels; of two labels of one name the first counts.
    ///
    /// # Errors
    /// `Internal` if name, cluster, series_id and time are below those of the row before, `Unavailable` if the sink fails.
    pub fn push(
        &mut self,
        key: &SeriesKey,
        series_id: i64,
        time_ms: i64,
        value: f64,
        labels: &[(String, String)],
    ) -> Result<(), Error> {
        if let Some((last, last_id, last_ms)) = &self.last
            && SeriesKey::table_order_by_id((last, *last_id), (key, series_id)).then(last_ms.cmp(&time_ms)).is_gt()
        {
            return Err(Error::internal(format!(
                "exemplar of series {} with id {series_id} at {time_ms} ms is below the row before it",
                key.name
            )));
        }
        self.last = Some((key.clone(), series_id, time_ms));
        let mut sorted: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        let id = |wanted| sorted.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
        let rows = &mut self.rows;
        rows.names.push(&key.name, 1);
        rows.clusters.push(&key.cluster, 1);
        rows.series_ids.push(series_id);
        rows.times_ms.push(time_ms);
        rows.values.push(value);
        rows.trace_ids.append_value(id(TRACE_ID));
        rows.span_ids.append_value(id(SPAN_ID));
        rows.labels.push(sorted.iter().copied().filter(|(name, _)| *name != TRACE_ID && *name != SPAN_ID));
        self.meta.add(1, &key.name, &key.cluster, time_ms, time_ms);
        if rows.times_ms.len() >= BATCH_ROWS || rows.labels.text_bytes() >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(mut self) -> Result<BlockMeta, Error> {
        self.write()?;
        self.file.finish(self.meta)
    }

    fn write(&mut self) -> Result<(), Error> {
        let rows = &mut self.rows;
        self.file.write(vec![
            rows.names.take()?,
            rows.clusters.take()?,
            Arc::new(Int64Array::from(std::mem::take(&mut rows.series_ids))),
            Arc::new(Int64Array::from(std::mem::take(&mut rows.times_ms))),
            Arc::new(Float64Array::from(std::mem::take(&mut rows.values))),
            Arc::new(rows.trace_ids.finish()),
            Arc::new(rows.span_ids.finish()),
            rows.labels.take()?,
        ])
    }
}

/// Rows not yet encoded, column by column.
#[derive(Default)]
struct Rows {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    values: Vec<f64>,
    trace_ids: StringBuilder,
    span_ids: StringBuilder,
    labels: LabelsColumn,
}

#[cfg(test)]
mod tests;
