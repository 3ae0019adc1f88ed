//! One input of a scan, read run by run: a run is the rows of one series that lie behind each other.

use std::ops::Range;

use arrow::array::{Array, AsArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Float64Type, Int8Type, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use model::ErrorKind;
use model::batch::STALE_NAN_BITS;
use storage::block::mantissa;

use super::super::steps::Samples;
use crate::error::external;
use crate::scan::membership::views;
use crate::scan::selected::SelectedSeries;

/// Reads rows that are in the order of the tables.
pub(super) struct Cursor {
    input: SendableRecordBatchStream,
    batch: Option<Flat>,
    /// The rows of the batch that were not taken begin here.
    next: usize,
    /// The run there: of which of the selected series it is, and its rows in this batch.
    run: Option<(usize, Range<usize>)>,
}

/// The columns of a batch.
struct Flat {
    names: StringViewArray,
    clusters: StringViewArray,
    ids: Int64Array,
    times_ms: Int64Array,
    mantissas: Int64Array,
    scales: Int8Array,
    values: Float64Array,
}

impl Cursor {
    /// A cursor before the first run.
    pub(super) fn new(input: SendableRecordBatchStream) -> Self {
        Cursor { input, batch: None, next: 0, run: None }
    }

    /// Of which of the selected series the next run is; `None` at the end.
    pub(super) async fn peek(&mut self, selected: &SelectedSeries) -> Result<Option<usize>> {
        while self.run.is_none() {
            match &self.batch {
                Some(batch) if self.next < batch.ids.len() => self.run = Some(batch.run(self.next, selected)?),
                _ => match self.input.next().await {
                    Some(batch) => (self.batch, self.next) = (Some(Flat::new(&batch?)?), 0),
                    None => return Ok(None),
                },
            }
        }
        Ok(self.run.as_ref().map(|(series, _)| *series))
    }

    /// Appends the rows of the next run that are at hand, if it is of this series; then it is taken.
    pub(super) fn take(&mut self, series: usize, into: &mut Samples) -> bool {
        let (Some(batch), Some((_, rows))) = (&self.batch, self.run.take_if(|(of, _)| *of == series)) else {
            return false;
        };
        self.next = rows.end;
        batch.read(rows, into);
        true
    }
}

impl Flat {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let [name, cluster, id, time_ms, mantissa, scale, value] = batch.columns() else {
            return Err(DataFusionError::Internal("a scan of samples has other columns than were asked for".into()));
        };
        let foreign = || DataFusionError::Internal("a column of samples has another type".into());
        Ok(Flat {
            names: views(name)?,
            clusters: views(cluster)?,
            ids: id.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?.clone(),
            times_ms: time_ms.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?.clone(),
            mantissas: mantissa.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?.clone(),
            scales: scale.as_primitive_opt::<Int8Type>().ok_or_else(foreign)?.clone(),
            values: value.as_primitive_opt::<Float64Type>().ok_or_else(foreign)?.clone(),
        })
    }

    /// The run that begins at a row.
    fn run(&self, start: usize, selected: &SelectedSeries) -> Result<(usize, Range<usize>)> {
        let (names, clusters, ids) = (self.names.views(), self.clusters.views(), self.ids.values());
        let (name, cluster, id) = (names[start], clusters[start], ids[start]);
        // Rows are sorted: if those of one id begin and end with the same name and cluster, all in between have them too.
        let of_id = ids[start..].iter().take_while(|other| **other == id).count();
        let last = start + of_id - 1;
        let end = if names[last] == name && clusters[last] == cluster {
            last + 1
        } else {
            // Equal views are equal texts; unequal views may be equal texts too, which only ends the run early.
            let same = |row: &usize| names[*row] == name && clusters[*row] == cluster;
            (start + 1..=last).take_while(same).last().map_or(start, |last| last) + 1
        };
        let (name, cluster) = (self.names.value(start), self.clusters.value(start));
        match selected.position(name, cluster, id) {
            Some(series) => Ok((series, start..end)),
            None => {
                let what = format!(
                    "the series {name} of cluster {cluster:?} with id {id} has samples but is not in the table series"
                );
                Err(external(model::Error::new(ErrorKind::Corrupt, what)))
            }
        }
    }

    /// Appends the rows to the samples; one without a value is a staleness marker.
    fn read(&self, rows: Range<usize>, into: &mut Samples) {
        into.times_ms.extend_from_slice(&self.times_ms.values()[rows.clone()]);
        if self.values.null_count() == 0 {
            into.values.extend_from_slice(&self.values.values()[rows]);
            return;
        }
        let (mantissas, scales) = (self.mantissas.values(), self.scales.values());
        if self.mantissas.null_count() == 0 && scales[rows.clone()].iter().all(|scale| *scale == 0) {
            into.values.extend(mantissas[rows].iter().map(|mantissa| *mantissa as f64));
            return;
        }
        let marker = f64::from_bits(STALE_NAN_BITS);
        into.values.extend(rows.map(|row| {
            if self.values.is_valid(row) {
                self.values.value(row)
            } else if self.mantissas.is_valid(row) {
                mantissa::value(mantissas[row], scales[row]).unwrap_or(f64::NAN)
            } else {
                marker
            }
        }));
    }
}
