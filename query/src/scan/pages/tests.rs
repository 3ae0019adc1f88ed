#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is tested")]

use model::batch::Kind;
use std::sync::Arc;
use storage::{SeriesInfo, Table};

use super::*;
use crate::fixture::{Fixture, key};
use crate::scan::selected::Key;

fn rows(groups: Vec<Vec<Range<usize>>>) -> Rows {
    Rows { group_rows: vec![100; groups.len()], groups }
}

#[test]
fn taking_rows_splits_at_any_row() {
    let mut all = rows(vec![vec![0..10, 20..100], vec![], vec![5..50]]);
    assert_eq!((all.selected(), all.total(), all.groups_read()), (135, 300, 2));
    let first = all.take(15);
    assert_eq!(first.groups, [vec![0..10, 20..25], vec![], vec![]]);
    assert_eq!(all.groups, [vec![25..100], vec![], vec![5..50]]);
    assert_eq!(all.take(1000).selected(), 120);
    assert_eq!(all.selected(), 0);
}

#[test]
fn ranges_are_intersected() {
    assert_eq!(intersect(&[0..10, 20..30], &[5..25]), [5..10, 20..25]);
    assert!(intersect(&[0..10], &[10..20]).is_empty());
}

/// Pages of 10 rows, series of 7 samples: every series' rows are selected, whatever page they begin in.
#[tokio::test]
async fn no_row_of_a_selected_series_is_left_out() {
    let keys: Vec<_> =
        (0..30).map(|i| key(["a", "b", "c"][i % 3], ["x", "y"][i % 2], &[("i", &i.to_string())])).collect();
    let mut fixture = Fixture::new(&keys).sized(10, 64);
    let samples: Vec<_> = (0..30).flat_map(|s| (0..7).map(move |t| (s, t * 1000, 1.0))).collect();
    fixture.block(1, Some((0, 7000)), &samples).await;
    let block = fixture.blocks(Table::Samples)[0].clone();
    let footer = fixture.footer(Table::Samples, &block).await.unwrap();
    let mut order: Vec<_> = keys.clone();
    order.sort_by(|a, b| a.table_order(b));
    for (place, wanted) in order.iter().enumerate() {
        let info =
            SeriesInfo { id: wanted.labels.series_id(), key: wanted.clone(), kind: Kind::Gauge, first_time_ms: 0 };
        let index = SelectedSeries::new(vec![Arc::new(info)], Key::Series);
        let selected = select(&footer, &index, &(0..=7000));
        let (mut first_row, mut covered) = (0, 0);
        for (ranges, rows) in selected.groups.iter().zip(&selected.group_rows) {
            for row in place * 7..place * 7 + 7 {
                covered += usize::from(ranges.iter().any(|r| row >= first_row && r.contains(&(row - first_row))));
            }
            first_row += rows;
        }
        assert_eq!(covered, 7, "series {place}: {selected:?}");
        assert!(selected.selected() <= 70, "series {place} reads {} rows of 210", selected.selected());
    }
    let nothing = select(&footer, &SelectedSeries::new(Vec::new(), Key::Everything), &(8000..=9000));
    assert_eq!(nothing.selected(), 0);
}
