use super::*;

const JOURNAL: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn window(min_time_ms: i64, max_time_ms: i64, of: Uuid) -> Span {
    Span { min_time_ms, max_time_ms, window_of: Some(of) }
}

fn free(min_time_ms: i64, max_time_ms: i64) -> Span {
    Span { min_time_ms, max_time_ms, window_of: None }
}

#[test]
fn windows_of_one_journal_are_never_merged() {
    let spans = [window(0, 10, JOURNAL), window(10, 20, JOURNAL), window(20, 30, JOURNAL)];
    assert_eq!(groups(&spans), [vec![0], vec![1], vec![2]]);
}

#[test]
fn a_late_block_joins_only_what_it_overlaps() {
    let spans = [window(0, 9, JOURNAL), window(10, 19, JOURNAL), window(20, 29, JOURNAL), free(5, 12), free(40, 41)];
    assert_eq!(groups(&spans), [vec![0, 1, 3], vec![2], vec![4]]);
}

#[test]
fn windows_of_two_journals_may_share_samples() {
    let spans = [window(0, 9, JOURNAL), window(5, 14, OTHER), window(10, 19, JOURNAL), window(20, 29, OTHER)];
    assert_eq!(groups(&spans), [vec![0, 1, 2], vec![3]]);
}
