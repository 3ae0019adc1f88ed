use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type, Schema};
use model::batch::Kind;
use model::labels::LabelsBuilder;

use super::*;
use crate::Table;

fn info(name: &str) -> Arc<SeriesInfo> {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", name);
    labels.push("cluster", "a cluster with a name that no view holds inline");
    let key = labels.build(None).unwrap();
    Arc::new(SeriesInfo { id: key.labels.series_id(), key, kind: Kind::Gauge, first_time_ms: 0 })
}

/// Rows of `count` series with `each` samples a series, a marker at time 3.
fn packed(count: usize, each: i64) -> HeadRows {
    let samples = |n: usize| -> Vec<(i64, u64)> {
        (0..each).map(|t| (t, if t == 3 { STALE_NAN_BITS } else { (n as f64 + t as f64 / 8.0).to_bits() })).collect()
    };
    HeadRows::pack(7, (0..count).map(|n| (info(&format!("m{n:03}")), samples(n)))).unwrap()
}

/// (name, time, value) of each row.
fn rows_of(batches: &[RecordBatch]) -> Vec<(String, i64, Option<f64>)> {
    let mut rows = Vec::new();
    for batch in batches {
        let (names, clusters) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
        let (times, values) =
            (batch.column(3).as_primitive::<Int64Type>(), batch.column(6).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            assert!(clusters.value(row).starts_with("a cluster"));
            rows.push((names.value(row).to_owned(), times.value(row), values.iter().nth(row).flatten()));
        }
    }
    rows
}

#[test]
fn batches_have_the_rows_asked_for_and_all_rows_come_once_in_order() {
    let head = packed(5, 150);
    assert_eq!((head.rank, head.min_time_ms, head.max_time_ms, head.rows_at_most()), (7, 0, 149, 750));
    let batches: Vec<_> = head.batches(Table::Samples.read_schema(), 100).map(Result::unwrap).collect();
    let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [100, 100, 100, 100, 100, 100, 100, 50]);
    let rows = rows_of(&batches);
    assert!(rows.windows(2).all(|pair| (&pair[0].0, pair[0].1) < (&pair[1].0, pair[1].1)));
    assert_eq!(rows[2], ("m000".to_owned(), 2, Some(0.25)));
    assert_eq!(rows[3], ("m000".to_owned(), 3, None));
    assert_eq!(rows[749], ("m004".to_owned(), 149, Some(4.0 + 149.0 / 8.0)));
}

#[test]
fn only_the_columns_asked_for_are_made() {
    let all = Table::Samples.read_schema();
    let head = packed(2, 10);
    let times = Arc::new(all.project(&[3]).unwrap());
    let batches: Vec<_> = head.batches(times.clone(), 8).map(Result::unwrap).collect();
    assert!(batches.iter().all(|batch| batch.schema() == times));
    let none = head.batches(Arc::new(Schema::empty()), 8).map(|batch| batch.unwrap().num_rows());
    assert_eq!(none.collect::<Vec<_>>(), [8, 8, 4]);
}

#[test]
fn a_long_stretch_without_a_wanted_row_does_not_hold_the_thread() {
    let runs = |n: i64| SeriesRun::new(info(&format!("m{n:03}")), Run::of(&[(0, 0), (1, 0), (100, 0), (101, 0)]));
    let head = HeadRows::new(7, (0..100).map(runs).collect(), &(50..=60)).unwrap();
    assert_eq!((head.min_time_ms, head.max_time_ms), (50, 60));
    let batches: Vec<_> = head.batches(Table::Samples.read_schema(), 40).map(Result::unwrap).collect();
    assert!(batches.iter().all(|batch| batch.num_rows() == 0));
    assert_eq!(batches.len(), 10, "after each forty samples others may work");
}

#[test]
fn a_packed_run_takes_a_fraction_of_its_rows() {
    let run =
        SeriesRun::new(info("m"), Run::of(&(0..63).map(|t| (t * 15_000, (t as f64).to_bits())).collect::<Vec<_>>()));
    assert!(run.own_bytes() < 63 * size_of::<TimeValue>() / 2, "{} bytes", run.own_bytes());
    let head = packed(3, 1000);
    assert!(head.working_bytes(100) >= 1000 * size_of::<TimeValue>() + 100 * 57);
}
