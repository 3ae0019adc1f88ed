use super::*;

const HOUR: i64 = 3_600_000;

#[test]
fn the_watermark_is_the_last_quarter_hour_a_minute_past() {
    let every = Duration::from_secs(900);
    assert_eq!(watermark(HOUR + 59_999, every), HOUR - QUARTER_MS);
    assert_eq!(watermark(HOUR + 60_000, every), HOUR);
    assert_eq!(watermark(HOUR + 60_000, Duration::from_secs(6 * 3600)), HOUR, "seldom cuts end on quarter-hours too");
    assert_eq!(watermark(10_500, Duration::from_secs(1)), 9_000, "frequent ones on any step");
}

#[test]
fn rows_are_classed_by_the_window() {
    let window = Window::new(1000, 2000);
    assert_eq!(window.class(999), Class::Late);
    assert_eq!(window.class(1000), Class::Window);
    assert_eq!(window.class(1999), Class::Window);
    assert_eq!(window.class(2000), Class::Stay);
    assert_eq!(window.class(2000 + FUTURE_MS), Class::Stay);
    assert_eq!(window.class(2001 + FUTURE_MS), Class::Late);
    assert_eq!(Window::draining(1000, 2000).class(2000), Class::Late);
    assert_eq!(window.uniform(1000, 1999), Some((Class::Window, Date(0))));
    assert_eq!(window.uniform(999, 1000), None);
    assert_eq!(window.uniform(0, 2001 + FUTURE_MS), None, "late on both sides is not uniform");
}

#[test]
fn the_window_and_then_the_oldest_dates_leave_first() {
    let dates: BTreeMap<Date, bool> = (0..40).map(|d| (Date(d), d == 39)).collect();
    let admitted = admitted(&dates);
    assert_eq!(admitted.len(), MAX_DATES);
    assert!(admitted.contains(&Date(39)) && admitted.contains(&Date(0)) && !admitted.contains(&Date(31)));
}
