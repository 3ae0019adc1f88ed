use std::sync::Arc;

use model::Resource;
use model::logs::Log;
use model::resource::Scope;
use proptest::prelude::*;

use super::*;

/// Rows of time, stream and line.
fn logs(rows: &[(i64, &str, &str)]) -> Logs {
    let mut logs = Logs::default();
    let scope = logs.scopes.place(&Scope::default().into());
    for (time_unix_nano, stream, body) in rows {
        let resource = logs.resources.place(&Arc::new(Resource::new([("app", *stream), ("job", "x")])));
        logs.push(&Log { resource, scope, time_unix_nano: *time_unix_nano, body, ..Log::default() });
    }
    logs
}

fn page(rows: &[(i64, &str, &str)], limit: usize, settled_unix_nano: i64) -> Page {
    Page { logs: logs(rows), refused: 0, is_full: rows.len() >= limit, settled_unix_nano }
}

fn bodies(step: &Step) -> Vec<&str> {
    (0..step.new.len()).map(|row| step.new.row(row).body).collect()
}

#[test]
fn a_page_that_ends_inside_a_nanosecond_is_gone_on_with() {
    let step = Cursor::at(1).step(page(&[(1, "a", "x"), (5, "a", "y"), (5, "b", "y")], 3, 100));
    assert_eq!((bodies(&step), step.cursor.next_unix_nano, step.is_stuck), (vec!["x", "y", "y"], 5, false));
    // What is there already is left out, stream by stream; a line that is the same in a third one is not there.
    let step = step.cursor.step(page(&[(5, "b", "y"), (5, "c", "y"), (5, "a", "y"), (6, "a", "z")], 5, 100));
    assert_eq!((bodies(&step), step.repeated, step.cursor.next_unix_nano), (vec!["y", "z"], 2, 100));
    assert_eq!(step.cursor, Cursor::at(100));
}

#[test]
fn a_nanosecond_that_fills_a_page_is_told() {
    let step = Cursor::at(5).step(page(&[(5, "a", "1"), (5, "a", "2")], 2, 100));
    assert!(step.is_stuck && step.cursor.next_unix_nano == 5);
    let step = step.cursor.step(page(&[(5, "a", "1"), (5, "a", "2"), (5, "a", "3"), (5, "a", "4")], 4, 100));
    assert!(step.is_stuck && bodies(&step) == ["3", "4"] && step.repeated == 2);
    let step =
        step.cursor.step(page(&[(5, "a", "4"), (5, "a", "3"), (5, "a", "2"), (5, "a", "1"), (7, "a", "5")], 8, 9));
    assert!(!step.is_stuck && bodies(&step) == ["5"] && step.cursor == Cursor::at(9));
}

#[test]
fn what_may_not_be_whole_yet_waits() {
    let cursor = Cursor::at(10);
    let step = cursor.step(page(&[(10, "a", "1"), (20, "a", "2"), (30, "a", "3")], 3, 20));
    assert_eq!((bodies(&step), step.cursor.next_unix_nano, step.is_stuck), (vec!["1"], 20, false));
    // A source whose clock is far behind has nothing that counts, and nothing is forgotten.
    let step = step.cursor.step(page(&[(20, "a", "2")], 1, 15));
    assert_eq!((bodies(&step).len(), step.cursor.next_unix_nano, step.is_stuck), (0, 20, false));
}

#[test]
fn rows_that_the_store_has_are_left_out_as_often_as_it_has_them() {
    let mut cursor = Cursor::at(0);
    cursor.note_stored(&logs(&[(1, "a", "x"), (2, "a", "y")]));
    let step = cursor.step(page(&[(1, "a", "x"), (1, "a", "x"), (2, "a", "y"), (2, "b", "y")], 9, 100));
    assert_eq!((bodies(&step), step.repeated), (vec!["x", "y"], 2));
}

proptest! {
    /// Whatever the lines and the limit, each comes once: the earliest from the cursor on, as many as the limit lets through,
    /// those of one nanosecond in any order.
    #[test]
    fn each_line_comes_once(
        mut times in prop::collection::vec(0i64..12, 0..40),
        limit in 1usize..6,
        turn in 0usize..5,
    ) {
        times.sort_unstable();
        let lines: Vec<String> = (0..times.len()).map(|line| line.to_string()).collect();
        let all: Vec<(i64, &str, &str)> = times.iter().zip(&lines).map(|(time, line)| (*time, "a", line.as_str())).collect();
        let (mut cursor, mut seen, mut limit_now) = (Cursor::at(0), Vec::new(), limit);
        for asked in 0.. {
            prop_assert!(asked < 400, "no end");
            let mut found: Vec<_> = all.iter().copied().filter(|row| row.0 >= cursor.next_unix_nano).collect();
            // Another order among those of one time, each time it is asked.
            found.sort_by_key(|(time, _, line)| (*time, (line.len() * 7 + asked * turn) % 3));
            found.truncate(limit_now);
            let step = cursor.step(page(&found, limit_now, 12));
            seen.extend(bodies(&step).into_iter().map(str::to_owned));
            limit_now = if step.is_stuck { limit_now * 2 } else { limit };
            let is_over = step.cursor.next_unix_nano == 12;
            cursor = step.cursor;
            if is_over {
                break;
            }
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable_by_key(|line| line.parse::<usize>().unwrap());
        prop_assert_eq!(sorted, lines);
    }
}
