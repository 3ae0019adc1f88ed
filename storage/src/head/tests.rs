use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use model::batch::Sample;
use model::labels::LabelsBuilder;

use super::*;
use crate::columnar::testing::logs;
use crate::cut::plan::{MAX_DATES, Window, watermark};
use crate::rows::SeriesList;
use crate::series::SeriesInfo;
use crate::tables::Table;

const DAY: i64 = model::time::DAY_MS;
const ALL: std::ops::RangeInclusive<i64> = i64::MIN..=i64::MAX;

fn series(head: &Head, number: usize) -> Arc<Series> {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", "m");
    labels.push("cluster", "eu");
    labels.push("n", &number.to_string());
    head.entry(labels.build(None).unwrap(), Kind::Gauge).unwrap().0
}

fn apply(head: &Head, origin: Origin, samples: &[(usize, i64, f64)]) {
    let mut rows = Rows::default();
    for (number, time_ms, value) in samples {
        rows.series.append(SeriesList::from_iter([series(head, *number)]));
        rows.samples.push(Sample { series: rows.series.len() as u32 - 1, time_ms: *time_ms, value: *value });
    }
    head.apply(rows, origin);
}

/// What a query sees: (time, value) of each sample with its rank order, oldest rank first.
fn seen(head: &Head, committed: u64) -> Vec<(i64, f64)> {
    let found = head.select(&[], &ALL, committed);
    let mut infos: Vec<_> =
        found.into_iter().map(|(series, first_time_ms)| Arc::new(series.info(first_time_ms))).collect();
    infos.sort_by_key(|info| info.id);
    let mut all = Vec::new();
    for rows in head.samples(&infos, &ALL, committed, &mut |_| Ok(())).unwrap() {
        for batch in rows.batches(Table::Samples.read_schema(), 100) {
            let batch = batch.unwrap();
            let times = batch.column(3).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap().clone();
            let values = batch.column(6).as_any().downcast_ref::<arrow::array::Float64Array>().unwrap().clone();
            all.extend(times.values().iter().copied().zip(values.values().iter().copied()));
        }
    }
    all
}

#[test]
fn the_last_value_written_for_a_time_counts_and_a_carried_one_never_does() {
    let head = Head::new(2);
    apply(&head, Origin::Written, &[(1, 10, 1.0), (1, 5, 0.5), (1, 10, 2.0)]);
    apply(&head, Origin::Carried, &[(1, 10, 9.0), (1, 7, 0.7)]);
    assert_eq!(seen(&head, 0), [(5, 0.5), (7, 0.7), (10, 2.0)]);
}

#[test]
fn many_samples_in_any_order_come_back_sorted() {
    let head = Head::new(1);
    let times: Vec<i64> = (0..500).map(|n| n * 7919 % 500).collect();
    for time in &times {
        apply(&head, Origin::Written, &[(1, *time, *time as f64)]);
    }
    let expected: Vec<_> = (0..500).map(|time| (time, time as f64)).collect();
    assert_eq!(seen(&head, 0), expected);
}

/// Takes what leaves of all dates.
fn cut(head: &Head, number: u64, window: Window) -> CutRows {
    head.settle(&head.freeze(number, window, Takes::All, head.dates(window, Takes::All)))
}

/// The times of the samples that a cut carries.
fn carried(cut: &CutRows) -> Vec<i64> {
    cut.carried.iter().flat_map(|rows| rows.samples.iter().map(|sample| sample.time_ms)).collect()
}

#[test]
fn a_cut_takes_what_the_window_says_and_carries_the_rest() {
    let head = Head::new(2);
    let window = Window::new(1000, 2000);
    apply(
        &head,
        Origin::Written,
        &[(1, 500, 1.0), (1, 1500, 2.0), (1, 2500, 3.0), (2, 2600, 4.0), (2, 4_000_000, 5.0)],
    );
    let cut = cut(&head, 1, window);
    assert_eq!(cut.rows, 3);
    let mut carried = carried(&cut);
    carried.sort_unstable();
    assert_eq!(carried, [2500, 2600]);
    // Until the commit everything is seen, after it only what stayed; each row once.
    assert_eq!(seen(&head, 0).len(), 5);
    assert_eq!(seen(&head, 1).len(), 2);
    head.retire(1);
    assert_eq!(seen(&head, 0).len(), 2);
}

#[test]
fn a_row_written_after_the_freeze_is_in_the_live_head() {
    let head = Head::new(1);
    apply(&head, Origin::Written, &[(1, 1500, 1.0)]);
    cut(&head, 1, Window::new(1000, 2000));
    apply(&head, Origin::Written, &[(1, 1500, 2.0)]);
    assert_eq!(seen(&head, 0), [(1500, 1.0), (1500, 2.0)], "the frozen one ranks below the live one");
    assert_eq!(seen(&head, 1), [(1500, 2.0)]);
}

#[test]
fn rows_that_stay_come_back_behind_those_written_meanwhile_and_once() {
    let head = Head::new(1);
    let window = Window::new(1000, 2000);
    apply(&head, Origin::Written, &[(1, 1500, 1.0), (1, 2100, 2.0), (1, 2200, 3.0), (2, 2300, 4.0)]);
    let frozen = head.freeze(1, window, Takes::All, head.dates(window, Takes::All));
    assert!(head.is_empty());
    apply(&head, Origin::Written, &[(1, 2100, 9.0), (1, 2400, 5.0)]);
    let rows = |cut: &CutRows| (cut.rows, carried(cut));
    let first = rows(&head.settle(&frozen));
    assert_eq!(first.0, 1);
    // A step that panicked is taken again.
    assert_eq!(rows(&head.settle(&frozen)), first);
    let mut seen = [seen(&head, 0), seen(&head, 1)];
    seen.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.0));
    assert_eq!(seen[0], [(1500, 1.0), (2100, 9.0), (2200, 3.0), (2300, 4.0), (2400, 5.0)]);
    assert_eq!(seen[1], seen[0][1..]);
}

/// The series of a head as a query knows them, in the order of the tables.
fn infos(head: &Head) -> Vec<Arc<SeriesInfo>> {
    let info = |(series, first_time_ms): (Arc<Series>, i64)| Arc::new(series.info(first_time_ms));
    let mut infos: Vec<_> = head.select(&[], &ALL, 0).into_iter().map(info).collect();
    infos.sort_by_key(|info| info.id);
    infos
}

#[test]
fn what_a_query_has_taken_stays_as_it_was_whatever_is_cut_or_added() {
    let head = Head::new(2);
    apply(&head, Origin::Written, &[(1, 1500, 1.0), (2, 1600, 2.0)]);
    let taken = head.samples(&infos(&head), &ALL, 0, &mut |_| Ok(())).unwrap();
    cut(&head, 1, Window::new(1000, 2000));
    head.retire(1);
    apply(&head, Origin::Written, &[(1, 1500, 9.0), (1, 1700, 9.0)]);
    let values: Vec<f64> = taken
        .iter()
        .flat_map(|rows| rows.batches(Table::Samples.read_schema(), 1))
        .flat_map(|batch| batch.unwrap().column(6).as_primitive::<Float64Type>().values().to_vec())
        .collect();
    assert_eq!(values.iter().sum::<f64>(), 3.0, "{values:?}");
}

#[test]
fn no_more_is_taken_than_is_granted() {
    let head = Head::new(2);
    for number in 0..100 {
        apply(&head, Origin::Written, &[(number, 1, 1.0)]);
    }
    let mut asked = 0;
    let mut refuse_the_tenth = |_| {
        asked += 1;
        if asked < 10 { Ok(()) } else { Err(Error::new(model::ErrorKind::TooLarge, "full")) }
    };
    let error = head.samples(&infos(&head), &ALL, 0, &mut refuse_the_tenth).unwrap_err();
    assert_eq!((error.kind(), asked), (model::ErrorKind::TooLarge, 10));
}

#[test]
fn no_more_dates_leave_than_a_cut_may_take() {
    let head = Head::new(2);
    let rows: Vec<_> = (0..40).map(|day| (day as usize % 3, day * DAY, 1.0)).collect();
    apply(&head, Origin::Written, &rows);
    let window = Window::draining(39 * DAY, 39 * DAY + 1);
    let first = cut(&head, 1, window);
    assert_eq!((first.rows, carried(&first).len()), (MAX_DATES as u64, 40 - MAX_DATES));
    assert!(!head.is_empty());
    cut(&head, 2, window);
    assert!(head.is_empty());
}

#[test]
fn rows_of_a_date_that_may_not_leave_are_carried() {
    let head = Head::new(2);
    apply(&head, Origin::Written, &[(1, DAY + 1, 1.0), (1, 2 * DAY + 1, 2.0)]);
    let window = Window::new(0, 3 * DAY);
    let mut dates = head.dates(window, Takes::All);
    assert_eq!(dates.samples.len(), 2);
    dates.samples.pop_first();
    let cut = head.settle(&head.freeze(1, window, Takes::All, dates));
    assert_eq!((cut.rows, carried(&cut)), (1, vec![DAY + 1]));
    assert_eq!(seen(&head, 1), [(DAY + 1, 1.0)]);
}

#[test]
fn memory_is_given_back() {
    let head = Head::new(2);
    apply(&head, Origin::Written, &[(1, 1, 1.0)]);
    let of_series = head.usage().bytes();
    for time in 0..1000 {
        apply(&head, Origin::Written, &[(1, time, time as f64 / 3.0)]);
    }
    assert!(head.usage().bytes() > of_series + 1000);
    cut(&head, 1, Window::new(i64::MIN, watermark(DAY, Duration::from_secs(900))));
    head.retire(1);
    assert!(head.usage().bytes() <= of_series);
}

#[test]
fn series_of_one_name_share_its_text_and_it_goes_with_them() {
    let head = Head::new(4);
    let all: Vec<_> = (0..10).map(|number| series(&head, number)).collect();
    assert!(all.iter().all(|series| Arc::ptr_eq(&series.key.name, &all[0].key.name)));
    let round = head.begin_round();
    assert_eq!((head.evict(round), head.names.len()), (0, 1));
    drop(all);
    assert_eq!((head.evict(round), head.names.len()), (10, 0));
}

#[test]
fn logs_that_come_between_the_plan_of_a_cut_and_its_barrier_leave_with_it() {
    let (head, window) = (Head::new(1), Window::new(0, 1));
    let dates = head.dates(window, Takes::Columns);
    let rows: Vec<(i64, u8)> = (0..40).map(|day| (day * DAY * 1_000_000, 1)).collect();
    head.apply_logs(Arc::new(logs(&rows)));
    let cut = head.settle(&head.freeze(1, window, Takes::Columns, dates));
    assert_eq!(cut.rows, MAX_DATES as u64, "a cut that carries rows of a table has a block of it");
    assert_eq!(cut.carried_logs.iter().map(|logs| logs.len()).sum::<usize>(), 40 - MAX_DATES);
}
