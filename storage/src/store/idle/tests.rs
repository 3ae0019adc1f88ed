use super::*;

const MINUTE_MS: i64 = 60_000;
const IDLE_MS: i64 = 10 * MINUTE_MS;

#[test]
fn idle_is_what_was_written_before_a_round_long_enough_ago() {
    let mut rounds = Rounds::default();
    for (round, minute) in [(1, 0), (2, 15), (3, 30), (4, 45)] {
        rounds.begin(round, minute * MINUTE_MS);
        let expected = (round > 1).then(|| round - 1);
        assert_eq!(rounds.idle_before(minute * MINUTE_MS, IDLE_MS), expected, "the round before this one");
    }
    assert_eq!(rounds.idle_before(45 * MINUTE_MS, 0), Some(4), "whatever this round found unwritten");
}

#[test]
fn short_rounds_are_counted_over_the_whole_idle_time_and_forgotten_behind_it() {
    let mut rounds = Rounds::default();
    for second in 0..3600 {
        rounds.begin(second as u32, second * 1000);
        let expected = (second >= IDLE_MS / 1000).then(|| (second - IDLE_MS / 1000) as u32);
        assert_eq!(rounds.idle_before(second * 1000, IDLE_MS), expected);
    }
    assert!(rounds.began.len() as i64 <= IDLE_MS / 1000 + 1);
}

#[test]
fn a_clock_set_back_delays_but_does_not_stop() {
    let mut rounds = Rounds::default();
    rounds.begin(1, 100 * MINUTE_MS);
    assert!(!rounds.is_due(100 * MINUTE_MS + ROUND_MS - 1) && rounds.is_due(100 * MINUTE_MS + ROUND_MS));
    assert!(rounds.is_due(0));
    rounds.begin(2, 0);
    assert_eq!(rounds.idle_before(0, IDLE_MS), None);
    rounds.begin(3, 10 * MINUTE_MS);
    assert_eq!(rounds.idle_before(10 * MINUTE_MS, IDLE_MS), Some(2));
}

#[test]
fn the_fuller_the_memory_the_sooner() {
    let idle = |usual_ms| [850, 851, 1001].map(|used| idle_ms(used, 1000, usual_ms));
    assert_eq!(idle(IDLE_MS), [IDLE_MS, PRESSED_IDLE_MS, 0]);
    assert_eq!(idle(5000), [5000, 5000, 0], "less than usual when memory is scarce is never more");
}
