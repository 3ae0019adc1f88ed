//! Series as the columns of `promql()`: a row for each of their values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, StringViewArray, StringViewBuilder, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::take;
use datafusion::common::Result;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};

use super::super::answer::SeriesPoints;
use super::super::batch::FULL_BYTES;
use super::super::histogram_json::push_histogram;
use crate::scan::columns::label_maps;

/// Some series on their way to rows.
#[derive(Debug)]
pub(super) struct Unrolled {
    series: Vec<SeriesPoints>,
    /// Of each series, a row each.
    clusters: ArrayRef,
    names: ArrayRef,
    labels: ArrayRef,
    /// The series and the value of it that come next; its histograms are behind its numbers.
    next: (usize, usize),
}

impl Unrolled {
    /// Series of which no row was made so far.
    pub(super) fn new(series: Vec<SeriesPoints>) -> Self {
        let texts = |label: &str| -> ArrayRef {
            Arc::new(StringViewArray::from_iter_values(series.iter().map(|one| one.labels.get(label).to_owned())))
        };
        let others =
            series.iter().map(|one| one.labels.iter().filter(|(name, _)| ![NAME_LABEL, CLUSTER_LABEL].contains(name)));
        let (clusters, names, labels) = (texts(CLUSTER_LABEL), texts(NAME_LABEL), label_maps(others));
        Unrolled { series, clusters, names, labels, next: (0, 0) }
    }

    /// All columns of the next rows: at most so many, and fewer if they are long. Nothing once there are no more.
    ///
    /// # Errors
    /// Arrow's.
    pub(super) fn next(&mut self, max_rows: usize) -> Result<Option<[ArrayRef; 6]>> {
        let (mut of_series, mut times_ms) = (Vec::new(), Vec::new());
        let (mut values, mut histograms) = (Float64Builder::new(), StringViewBuilder::new());
        let (mut text, mut bytes) = (String::new(), 0);
        while times_ms.len() < max_rows && bytes < FULL_BYTES {
            let (number, at) = self.next;
            let Some(one) = self.series.get(number) else { break };
            if let Some(point) = one.points.get(at) {
                times_ms.push(point.time_ms);
                values.append_value(point.value);
                histograms.append_null();
            } else if let Some((time_ms, histogram)) = one.histograms.get(at - one.points.len()) {
                text.clear();
                push_histogram(&mut text, histogram);
                bytes += text.len();
                times_ms.push(*time_ms);
                values.append_null();
                histograms.append_value(&text);
            } else {
                self.next = (number + 1, 0);
                continue;
            }
            // The labels are repeated for every row.
            bytes += one.labels.as_bytes().len();
            of_series.push(number as u32);
            self.next.1 += 1;
        }
        if times_ms.is_empty() {
            return Ok(None);
        }
        let of_series = UInt32Array::from(of_series);
        let repeated = |column: &ArrayRef| take(column, &of_series, None);
        Ok(Some([
            Arc::new(TimestampMillisecondArray::from(times_ms).with_timezone("UTC")),
            repeated(&self.clusters)?,
            repeated(&self.names)?,
            repeated(&self.labels)?,
            Arc::new(values.finish()),
            Arc::new(histograms.finish()),
        ]))
    }
}
