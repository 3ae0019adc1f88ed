//! Writing blocks of `exemplars`: one row per exemplar.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringBuilder};
use model::{Error, SeriesKey};

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::File;
use crate::block::labels::LabelsColumn;
use crate::block::meta::BlockMeta;

/// The label of an exemplar that becomes a column of its own.
const TRACE_ID: &str = "trace_id";
/// See `TRACE_ID`.
const SPAN_ID: &str = "span_id";

/// Writes one block of `exemplars`.
pub struct ExemplarsWriter<W: Write + Send> {
    file: File<W, ExemplarColumns>,
    last: Option<(SeriesKey, i64, i64)>,
}

impl<W: Write + Send> ExemplarsWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(ExemplarsWriter { file: File::new(sink)?, last: None })
    }

    /// Writes one exemplar of a series.
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
        self.file.columns.push(key, series_id, time_ms, value, labels);
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

/// The columns of `exemplars`.
#[derive(Default)]
pub(crate) struct ExemplarColumns {
    names: Texts,
    clusters: Texts,
    series_ids: Vec<i64>,
    times_ms: Vec<i64>,
    values: Vec<f64>,
    trace_ids: StringBuilder,
    span_ids: StringBuilder,
    labels: LabelsColumn,
}

impl ExemplarColumns {
    /// Adds a row. `trace_id` and `span_id` leave its labels; of two labels of one name the first counts.
    pub(crate) fn push(
        &mut self,
        key: &SeriesKey,
        series_id: i64,
        time_ms: i64,
        value: f64,
        labels: &[(String, String)],
    ) {
        let mut sorted: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        let id = |wanted| sorted.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
        self.names.push(&key.name, 1);
        self.clusters.push(&key.cluster, 1);
        self.series_ids.push(series_id);
        self.times_ms.push(time_ms);
        self.values.push(value);
        self.trace_ids.append_value(id(TRACE_ID));
        self.span_ids.append_value(id(SPAN_ID));
        self.labels.push(sorted.iter().copied().filter(|(name, _)| *name != TRACE_ID && *name != SPAN_ID));
    }
}

impl Columns for ExemplarColumns {
    const TABLE: Table = Table::Exemplars;

    fn rows(&self) -> usize {
        self.times_ms.len()
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
            Arc::new(Int64Array::from(std::mem::take(&mut self.times_ms))),
            Arc::new(Float64Array::from(std::mem::take(&mut self.values))),
            Arc::new(self.trace_ids.finish()),
            Arc::new(self.span_ids.finish()),
            self.labels.take()?,
        ])
    }
}

#[cfg(test)]
mod tests;
