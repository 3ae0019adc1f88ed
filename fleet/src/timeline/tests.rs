use super::*;
use crate::settings::Settings;

const NOW_MS: i64 = 1_767_268_800_000;

fn starts(timeline: &mut Timeline) -> Vec<(i64, i64)> {
    let settings = Settings { clusters: 2, namespaces: 1, deployments: 1, ..Settings::default() };
    let sites: Vec<Arc<Site>> = (0..2).map(|index| Arc::new(Site::new(1, &settings, index))).collect();
    let (stages, plans) = timeline.unroll(&sites);
    assert_eq!(plans.len(), 2);
    stages.iter().skip(1).map(|stage| ((stage.start_ms - NOW_MS) / 1000, stage.step)).collect()
}

fn timeline() -> Timeline {
    Timeline::new(Silences::new(1, 2, true))
}

#[test]
fn load_goes_over_in_half_a_minute_and_pods_follow() {
    let mut timeline = timeline();
    assert!(starts(&mut timeline).is_empty());
    assert!(timeline.change(0, true, NOW_MS + 1).unwrap());
    assert_eq!(starts(&mut timeline), [(10, 1), (20, 2), (30, 0), (100, 0)]);
}

#[test]
fn pods_do_not_follow_where_a_window_has_just_begun() {
    let mut timeline = timeline();
    assert!(timeline.change(0, true, NOW_MS + 220_000).unwrap());
    // 220 s and 90 s would be 10 s after the window that begins at 300 s.
    assert_eq!(starts(&mut timeline).last(), Some(&(330, 0)));
}

#[test]
fn a_change_back_waits_until_load_has_gone_over() {
    let mut timeline = timeline();
    timeline.change(0, true, NOW_MS).unwrap();
    timeline.change(0, false, NOW_MS + 5_000).unwrap();
    assert_eq!(starts(&mut timeline), [(0, 1), (10, 2), (20, 1), (30, 2), (40, 0), (90, 0), (110, 0)]);
}

#[test]
fn the_past_stays_as_it_was() {
    let mut timeline = timeline();
    timeline.change(0, true, NOW_MS).unwrap();
    let error = timeline.change(1, true, NOW_MS - 1).unwrap_err();
    assert_eq!(error.message(), format!("a change at {} ms is before the last one at {NOW_MS} ms", NOW_MS - 1));
    assert!(!timeline.change(0, true, NOW_MS + 1).unwrap(), "gone already");
    assert_eq!(starts(&mut timeline).len(), 4);
}
