use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn span(after_ms: i64, until_ms: i64) -> Span {
    Span { after_ms, until_ms }
}

fn coverage(spans: &[(i64, i64)]) -> Coverage {
    let mut coverage = Coverage::default();
    for (after_ms, until_ms) in spans {
        coverage.add(span(*after_ms, *until_ms));
    }
    coverage
}

#[test]
fn spans_that_meet_become_one() {
    assert_eq!(coverage(&[(0, 10), (10, 20)]), coverage(&[(0, 20)]));
    assert_eq!(coverage(&[(0, 10), (30, 40), (5, 35)]), coverage(&[(0, 40)]));
    assert_ne!(coverage(&[(0, 10), (11, 20)]), coverage(&[(0, 20)]));
}

#[test]
fn what_is_missing_comes_newest_first() {
    let read = coverage(&[(10, 20), (30, 40)]);
    let missing: Vec<Span> = read.missing(span(0, 50)).collect();
    assert_eq!(missing, [span(40, 50), span(20, 30), span(0, 10)]);
    assert_eq!(read.missing(span(12, 35)).collect::<Vec<_>>(), [span(20, 30)]);
    assert_eq!(read.missing(span(12, 18)).count(), 0);
    assert_eq!(Coverage::default().missing(span(0, 5)).collect::<Vec<_>>(), [span(0, 5)]);
    assert_eq!(span(0, 50).last(20), span(30, 50));
    assert_eq!(span(40, 50).last(20), span(40, 50));
}

#[test]
fn a_day_begins_at_midnight() {
    let day = 86_400_000;
    assert_eq!(span(0, 3 * day + 5).of_last_day(), span(3 * day - 1, 3 * day + 5));
    assert_eq!(span(3 * day + 2, 3 * day + 5).of_last_day(), span(3 * day + 2, 3 * day + 5));
    // Midnight itself is the first moment of its day.
    assert_eq!(span(0, 3 * day).of_last_day(), span(3 * day - 1, 3 * day));
    assert_eq!(span(0, 3 * day - 1).of_last_day(), span(2 * day - 1, 3 * day - 1));
}

#[test]
fn the_end_of_time_is_a_time() {
    let mut read = coverage(&[(i64::MIN, i64::MAX)]);
    assert_eq!(read.missing(span(i64::MIN, i64::MAX)).count(), 0);
    assert_eq!(read.newest(i64::MAX), Some(i64::MAX));
    read.forget(i64::MAX);
    assert_eq!(read.newest(5), Some(5));
}

/// What may happen to a set of times.
#[derive(Debug, Clone)]
enum Step {
    Add(i64, i64),
    Forget(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..60i64, 0..20i64).prop_map(|(after, length)| Step::Add(after, after + length)),
        1 => (0..60i64).prop_map(Step::Forget),
    ]
}

proptest! {
    /// Beside a set that holds every single millisecond.
    #[test]
    fn it_is_a_set_of_times(steps in prop::collection::vec(step(), 0..30), after in 0..70i64, length in 0..70i64) {
        let (mut read, mut model) = (Coverage::default(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Add(after, until) => {
                    read.add(span(after, until));
                    model.extend(after + 1..=until);
                }
                Step::Forget(before) => {
                    read.forget(before);
                    // A span that ends later stays whole, as far back as it is without a gap.
                    let mut kept = before;
                    while model.contains(&kept) && model.contains(&(kept - 1)) {
                        kept -= 1;
                    }
                    model.retain(|time| *time >= kept);
                }
            }
            let (ends, starts): (Vec<i64>, Vec<i64>) = read.spans.iter().unzip();
            prop_assert!(ends.iter().zip(&starts[1.min(starts.len())..]).all(|(end, next)| end < next), "spans meet");
        }
        let within = span(after, after + length);
        let missing: Vec<Span> = read.missing(within).collect();
        prop_assert!(missing.windows(2).all(|two| two[1].until_ms < two[0].after_ms), "not the newest first");
        let found: BTreeSet<i64> = missing.iter().flat_map(|gap| gap.after_ms + 1..=gap.until_ms).collect();
        let expected: BTreeSet<i64> = (after + 1..=after + length).filter(|time| !model.contains(time)).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(read.newest(within.until_ms), model.range(..=within.until_ms).next_back().copied());
    }
}
