//! Rows that are in no block yet, in the columns of their table.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use model::Error;

use crate::block::labels::LabelsColumn;
use crate::rows::{ExemplarRow, MetadataRow};
use crate::series::SeriesInfo;
use crate::tables::Table;

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<Vec<RecordBatch>, Error> {
    let batch = RecordBatch::try_new(table.schema(), columns)
        .map_err(|e| Error::internal(format!("rows do not fit the columns of {}", table.name())).with_source(e))?;
    Ok(if batch.num_rows() == 0 { Vec::new() } else { vec![batch] })
}

/// Rows of `series`.
pub(super) fn series(rows: &[SeriesInfo]) -> Result<Vec<RecordBatch>, Error> {
    let mut labels = LabelsColumn::default();
    rows.iter().for_each(|row| labels.push(row.key.labels.iter()));
    let columns = vec![
        texts(rows.iter().map(|row| row.key.name.as_ref())),
        texts(rows.iter().map(|row| row.key.cluster.as_ref())),
        numbers(rows.iter().map(|row| row.id)),
        labels.take()?,
        texts(rows.iter().map(|row| row.kind.as_str())),
        numbers(rows.iter().map(|row| row.first_time_ms)),
    ];
    batch(Table::Series, columns)
}

/// Rows of `exemplars`.
pub(super) fn exemplars(rows: &[ExemplarRow]) -> Result<Vec<RecordBatch>, Error> {
    let mut labels = LabelsColumn::default();
    rows.iter().for_each(|row| labels.push(row.other_labels()));
    let columns = vec![
        texts(rows.iter().map(|row| row.series.key.name.as_ref())),
        texts(rows.iter().map(|row| row.series.key.cluster.as_ref())),
        numbers(rows.iter().map(|row| row.series.id)),
        numbers(rows.iter().map(|row| row.time_ms)),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.value))),
        texts(rows.iter().map(|row| row.label("trace_id"))),
        texts(rows.iter().map(|row| row.label("span_id"))),
        labels.take()?,
    ];
    batch(Table::Exemplars, columns)
}

/// Rows of `metadata`.
pub(super) fn metadata(rows: &[MetadataRow]) -> Result<Vec<RecordBatch>, Error> {
    let columns = vec![
        texts(rows.iter().map(|row| row.family.name.as_str())),
        texts(rows.iter().map(|row| row.cluster.as_ref())),
        texts(rows.iter().map(|row| row.family.kind.as_str())),
        texts(rows.iter().map(|row| row.family.unit.as_str())),
        texts(rows.iter().map(|row| row.family.help.as_str())),
        numbers(rows.iter().map(|row| row.time_ms)),
    ];
    batch(Table::Metadata, columns)
}
