use model::labels::LabelsBuilder;

use super::*;

fn keys(names: &str) -> Vec<SeriesKey> {
    let key = |name: &str| {
        let mut labels = LabelsBuilder::default();
        labels.push("__name__", name);
        labels.build(None).unwrap()
    };
    names.split(' ').map(key).collect()
}

fn is_told(turn: &mut Option<oneshot::Receiver<()>>) -> bool {
    turn.as_mut().is_none_or(|turn| turn.try_recv().is_ok())
}

#[test]
fn whoever_came_first_is_first_and_series_that_nobody_shares_wait_for_nobody() {
    let mut lines = Lines::default();
    let (one, mut turn) = lines.join(&keys("a"));
    assert!(is_told(&mut turn));
    let (two, mut second) = lines.join(&keys("a b"));
    let (three, mut third) = lines.join(&keys("b c"));
    let (four, mut fourth) = lines.join(&keys("d"));
    assert!(!is_told(&mut second) && !is_told(&mut third) && is_told(&mut fourth));
    lines.leave(one, &keys("a"));
    assert!(is_told(&mut second) && !is_told(&mut third));
    lines.leave(two, &keys("a b"));
    assert!(is_told(&mut third));
    lines.leave(three, &keys("b c"));
    lines.leave(four, &keys("d"));
    assert_eq!((lines.len(), lines.waiting.len()), (0, 0));
}

#[test]
fn whoever_goes_while_he_waits_is_waited_for_by_nobody() {
    let mut lines = Lines::default();
    let (one, _) = lines.join(&keys("a"));
    let (two, second) = lines.join(&keys("a b"));
    let (three, mut third) = lines.join(&keys("a b"));
    // He stands first for b already.
    drop(second);
    lines.leave(two, &keys("a b"));
    assert!(!is_told(&mut third));
    lines.leave(one, &keys("a"));
    assert!(is_told(&mut third));
    lines.leave(three, &keys("a b"));
    assert_eq!((lines.len(), lines.waiting.len()), (0, 0));
}
