use std::sync::Arc;

use super::*;
use crate::load::Load;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::workload::ROLL_STEP_MS;

const DAY: i64 = 20_000 * DAY_MS;
const STEP_MS: i64 = 5_000;

fn berlin() -> (Arc<Site>, Plans) {
    let sites: Vec<Arc<Site>> = (0..4).map(|index| Arc::new(Site::new(7, &Settings::default(), index))).collect();
    let plan = Plan::new(&sites[0], Load { sites: &sites, gone: 0 });
    (Arc::clone(&sites[0]), Plans::new(vec![(0, Arc::new(plan))]))
}

#[test]
fn a_pod_is_made_where_the_one_before_it_ends_or_nothing_was() {
    let (site, plans) = berlin();
    let (mut made, mut replaced) = (0, 0);
    for (at, workload) in site.applications() {
        for slot in 0..workload.most {
            let mut before = Life::at(&site, &plans, at, slot, DAY);
            for step in 1..DAY_MS / STEP_MS {
                let time_ms = DAY + step * STEP_MS;
                let now = Life::at(&site, &plans, at, slot, time_ms);
                match (before, now) {
                    (Some(old), Some(new)) if old.born_ms == new.born_ms => {
                        assert_eq!(old.revision, new.revision);
                        assert!(old.restarts <= new.restarts && old.started_ms <= new.started_ms);
                    }
                    (Some(old), Some(new)) => {
                        replaced += 1;
                        assert_eq!((new.born_ms, new.restarts), (time_ms, 0));
                        assert_eq!(new.revision, old.revision + 1);
                    }
                    (None, Some(new)) => {
                        made += 1;
                        assert_eq!(new.born_ms, time_ms);
                    }
                    (_, None) => {}
                }
                before = now;
            }
        }
    }
    assert!(made > 5 && replaced > 6 * 2 * 5, "{made} made, {replaced} replaced");
}

#[test]
fn a_roll_takes_one_pod_after_the_other_and_leaves_one_that_serves() {
    let (site, plans) = berlin();
    for (at, workload) in site.applications() {
        for roll in 0..6 {
            let first_ms = workload.roll_ms(0, workload.roll_of(0, DAY) + roll);
            for slot in 0..workload.most {
                let time_ms = first_ms + slot as i64 * ROLL_STEP_MS;
                let Some(life) = Life::at(&site, &plans, at, slot, time_ms) else { continue };
                assert_eq!((life.born_ms, life.state), (time_ms, State::Creating));
                assert!(!life.is_ready(time_ms + START_MS - 1) && life.is_ready(time_ms + START_MS));
            }
        }
        for step in 0..DAY_MS / STEP_MS {
            let time_ms = DAY + step * STEP_MS;
            let lives = (0..workload.most).filter_map(|slot| Life::at(&site, &plans, at, slot, time_ms));
            assert!(lives.into_iter().any(|life| life.is_ready(time_ms)), "{} at {time_ms}", workload.name);
        }
    }
}

#[test]
fn a_crash_loop_waits_longer_each_time_and_ends() {
    let (site, plans) = berlin();
    let workload = &site.workloads[site.fragile];
    assert_eq!(workload.name, "payments-worker");
    let rolls = workload.roll_of(0, DAY)..workload.roll_of(0, DAY) + 6;
    let loops: Vec<i64> = rolls.filter_map(|roll| loop_of(workload, roll)).collect();
    assert!((1..6).contains(&loops.len()), "{loops:?}");
    for loop_ms in loops {
        let at = |seconds: i64| Life::at(&site, &plans, site.fragile, 0, loop_ms + seconds * 1000).unwrap();
        assert_eq!((at(-1).state, at(-1).restarts), (State::Running, 0));
        let waits = |life: Life| life.state == State::BackOff;
        let seconds: Vec<i64> = (0..700).filter(|second| waits(at(*second))).collect();
        // 10, 20, 40, 80, 160 and 300 seconds.
        assert_eq!(seconds.len(), 610);
        assert_eq!((at(9).restarts, at(10).restarts, at(649).restarts, at(650).restarts), (0, 1, 5, 6));
        assert!((0..660).all(|second| !at(second).is_ready(loop_ms + second * 1000)));
        assert!(at(660).is_ready(loop_ms + 660_000));
        assert_eq!(at(660).started_ms, loop_ms + 650_000);
        assert_eq!(at(660).born_ms, at(-1).born_ms);
    }
}
