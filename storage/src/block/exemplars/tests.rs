use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use bytes::Bytes;
use model::labels::Labels;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::block::labels::ReadLabels;

fn key(name: &str) -> SeriesKey {
    SeriesKey { name: name.into(), cluster: "east".into(), labels: Labels::empty() }
}

fn owned(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn brings_back_what_was_written() {
    let mut bytes = Vec::new();
    let mut writer = ExemplarsWriter::new(&mut bytes).unwrap();
    let labels = owned(&[("user", "z"), ("trace_id", "abc"), ("app", "y"), ("span_id", "def"), ("app", "second")]);
    writer.push(&key("a"), 7, 10, -0.0, &labels).unwrap();
    writer.push(&key("a"), 7, 10, 1.5, &[]).unwrap();
    assert!(writer.push(&key("a"), 7, 9, 1.5, &[]).is_err());
    let meta = writer.finish().unwrap();
    assert_eq!((meta.rows, meta.size_bytes), (2, bytes.len() as u64));

    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    assert_eq!(builder.schema().fields(), Table::Exemplars.schema().fields());
    let batch = builder.build().unwrap().next().unwrap().unwrap();
    let text = |column: usize, row| batch.column(column).as_string::<i32>().value(row).to_owned();
    assert_eq!((text(0, 0), text(1, 0)), ("a".into(), "east".into()));
    assert_eq!(batch.column(2).as_primitive::<Int64Type>().value(0), 7);
    assert_eq!(batch.column(3).as_primitive::<Int64Type>().value(0), 10);
    assert_eq!(batch.column(4).as_primitive::<Float64Type>().value(0).to_bits(), (-0.0f64).to_bits());
    assert_eq!((text(5, 0), text(6, 0)), ("abc".into(), "def".into()));
    assert_eq!((text(5, 1), text(6, 1)), (String::new(), String::new()));
    let labels = ReadLabels::new(batch.column(7)).unwrap();
    assert_eq!(labels.row(0).collect::<Vec<_>>(), [("app", "y"), ("user", "z")]);
    assert_eq!(labels.row(1).count(), 0);
    assert_eq!(batch.column(7).null_count(), 0);
}
