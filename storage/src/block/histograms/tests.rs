use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int8Type, Int32Type, Int64Type};
use bytes::Bytes;
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, ResetHint};
use model::labels::LabelsBuilder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

fn key(name: &str) -> (SeriesKey, i64) {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", name);
    labels.push("job", "api");
    let key = labels.build(Some(&Arc::from("eu"))).unwrap();
    let id = key.labels.series_id();
    (key, id)
}

fn integer() -> NativeHistogram {
    NativeHistogram {
        schema: 3,
        reset_hint: ResetHint::NoReset,
        start_ms: Some(-7),
        sum: 12.5,
        zero_threshold: 1e-128,
        positive_spans: vec![Span { offset: -3, length: 2 }, Span { offset: 4, length: 1 }],
        counts: Counts::Integer(BucketCounts { count: 11, zero: 1, positive: vec![2, 3, 5], negative: vec![] }),
        ..NativeHistogram::stale()
    }
}

fn float() -> NativeHistogram {
    NativeHistogram {
        schema: CUSTOM_BUCKETS,
        sum: -0.0,
        custom_bounds: vec![0.5, 1.0],
        positive_spans: vec![Span { offset: 0, length: 3 }],
        counts: Counts::Float(BucketCounts { count: 3.5, zero: 0.0, positive: vec![0.5, 1.0, 2.0], negative: vec![] }),
        ..NativeHistogram::stale()
    }
}

fn longs(batch: &RecordBatch, column: &str, row: usize) -> Option<Vec<i64>> {
    let list = batch.column_by_name(column).unwrap().as_list::<i32>();
    list.is_valid(row).then(|| list.value(row).as_primitive::<Int64Type>().values().to_vec())
}

#[test]
fn all_columns_say_what_was_pushed() {
    let mut sink = Vec::new();
    let mut writer = HistogramsWriter::new(&mut sink).unwrap();
    let (first, first_id) = key("a_seconds");
    writer.push_series(&first, first_id, &[(10, integer()), (20, NativeHistogram::stale())]).unwrap();
    let (second, second_id) = key("b_seconds");
    writer.push_series(&second, second_id, &[(5, float())]).unwrap();
    let meta = writer.finish().unwrap();
    assert_eq!((meta.rows, meta.size_bytes), (3, sink.len() as u64));
    let bounds = meta.bounds.unwrap();
    assert_eq!((bounds.min_time_ms, bounds.max_time_ms), (5, 20));
    assert_eq!(meta.last_samples.iter().map(|(_, time_ms)| time_ms).collect::<Vec<_>>(), [10], "a marker is no sign");

    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(sink)).unwrap();
    assert_eq!(builder.schema().fields(), Table::Histograms.schema().fields());
    let batch = builder.build().unwrap().next().unwrap().unwrap();
    let long = |column: &str, row: usize| {
        let column = batch.column_by_name(column).unwrap().as_primitive::<Int64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let double = |column: &str, row: usize| {
        let column = batch.column_by_name(column).unwrap().as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row).to_bits())
    };
    let schema = batch.column_by_name("schema").unwrap().as_primitive::<Int8Type>();
    assert_eq!((schema.value(0), schema.is_null(1), schema.value(2)), (3, true, CUSTOM_BUCKETS));
    assert_eq!([0, 1, 2].map(|row| long("start_time_ms", row)), [Some(-7), None, None]);
    assert_eq!([0, 1, 2].map(|row| long("count", row)), [Some(11), None, None]);
    assert_eq!([0, 1, 2].map(|row| long("zero_count", row)), [Some(1), None, None]);
    assert_eq!([0, 1, 2].map(|row| double("count_float", row)), [None, None, Some(3.5f64.to_bits())]);
    assert_eq!([0, 1, 2].map(|row| double("sum", row)), [Some(12.5f64.to_bits()), None, Some((-0.0f64).to_bits())]);
    assert_eq!([0, 1, 2].map(|row| longs(&batch, "positive_counts", row)), [Some(vec![2, 3, 5]), None, None]);
    assert_eq!([0, 1, 2].map(|row| longs(&batch, "negative_counts", row)), [Some(vec![]), None, None]);
    let offsets = batch.column_by_name("positive_offsets").unwrap().as_list::<i32>();
    assert_eq!(offsets.value(0).as_primitive::<Int32Type>().values(), &[-3, 4]);
    assert!(offsets.is_null(1));
    let floats = batch.column_by_name("positive_counts_float").unwrap().as_list::<i32>();
    assert_eq!(floats.value(2).as_primitive::<Float64Type>().values(), &[0.5, 1.0, 2.0]);
    let bounds = batch.column_by_name("custom_bounds").unwrap().as_list::<i32>();
    assert_eq!(bounds.value(2).as_primitive::<Float64Type>().values(), &[0.5, 1.0]);
}

#[test]
fn rows_out_of_order_are_a_fault_of_ours() {
    let mut writer = HistogramsWriter::new(Vec::new()).unwrap();
    let (first, first_id) = key("a_seconds");
    let (second, second_id) = key("b_seconds");
    assert!(writer.push_series(&first, first_id, &[(10, integer()), (10, integer())]).is_err());
    writer.push_series(&second, second_id, &[(10, integer())]).unwrap();
    assert!(writer.push_series(&first, first_id, &[(10, integer())]).is_err());
}
