use super::*;

const INTERVAL: Duration = Duration::from_secs(15);

fn schedule_at(offset_ms: i64) -> Schedule {
    Schedule { interval_ms: 15_000, offset_ms }
}

#[test]
fn instants_are_an_interval_apart_and_later_than_now() {
    let schedule = schedule_at(4000);
    assert_eq!(schedule.next_after(0), 4000);
    assert_eq!(schedule.next_after(3999), 4000);
    assert_eq!(schedule.next_after(4000), 19_000);
    assert_eq!(schedule.next_after(-1), 4000);
    assert_eq!(schedule.next_after(-15_000), -11_000);
}

#[test]
fn a_source_keeps_its_instants_and_sources_are_spread() {
    let offsets: Vec<i64> = (0..1000).map(|n| Schedule::new(INTERVAL, &format!("source {n}")).next_after(0)).collect();
    assert_eq!(offsets[7], Schedule::new(INTERVAL, "source 7").next_after(0));
    for second in 0..15 {
        let here = offsets.iter().filter(|offset| *offset / 1000 % 15 == second).count();
        assert!((30..110).contains(&here), "{here} of 1000 sources in second {second} of 15");
    }
}

#[test]
fn a_start_within_two_milliseconds_carries_the_time_of_its_instant() {
    let schedule = schedule_at(4000);
    for (now_ms, time_ms) in [(3997, 3997), (3998, 4000), (4000, 4000), (4002, 4000), (4003, 4003), (11_000, 11_000)] {
        assert_eq!(schedule.snap(now_ms), time_ms, "{now_ms}");
    }
}

#[test]
fn short_intervals_are_snapped_by_a_hundredth_at_most() {
    let schedule = Schedule { interval_ms: 100, offset_ms: 0 };
    assert_eq!(schedule.snap(101), 100);
    assert_eq!(schedule.snap(102), 102);
}

#[test]
fn a_timer_that_wakes_early_does_not_repeat_its_instant() {
    let schedule = schedule_at(4000);
    assert_eq!(schedule.next_after_attempt(3999, 4000), 19_000);
    assert_eq!(schedule.next_after_attempt(4001, 4000), 19_000);
}

#[test]
fn a_missed_instant_is_skipped_and_a_clock_set_back_begins_anew() {
    let schedule = schedule_at(4000);
    assert_eq!(schedule.next_after_attempt(40_000, 4000), 49_000);
    assert_eq!(schedule.next_after_attempt(-100_000, 4000), -86_000);
}
