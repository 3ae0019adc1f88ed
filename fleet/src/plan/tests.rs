use super::*;
use crate::settings::Settings;

const DAY: i64 = 20_000 * DAY_MS;

fn sites() -> Vec<Arc<Site>> {
    (0..4).map(|index| Arc::new(Site::new(7, &Settings::default(), index))).collect()
}

fn plan(sites: &[Arc<Site>], cluster: usize, gone: u64) -> Arc<Plan> {
    Arc::new(Plan::new(&sites[cluster], Load { sites, gone }))
}

fn pods(plan: &Plan, site: &Site, workload: usize, time_ms: i64) -> usize {
    (0..site.workloads[workload].most).filter(|slot| plan.since(workload, *slot, time_ms).is_some()).count()
}

#[test]
fn there_are_enough_pods_for_the_load_and_no_more_than_it_needed_a_while_ago() {
    let sites = sites();
    let (plan, load) = (plan(&sites, 0, 0), Load { sites: &sites, gone: 0 });
    for (at, workload) in sites[0].applications() {
        let Drive::Application { service, fan } = workload.drive else { continue };
        for window in 0..WINDOWS as i64 {
            let time_ms = DAY + window * WINDOW_MS;
            let count = pods(&plan, &sites[0], at, time_ms);
            let needed = |ago: i64| {
                let cell = (time_ms - ago * WINDOW_MS).rem_euclid(DAY_MS) / CELL_MS;
                let requests = load.expected(service, cell as usize)[0] * fan;
                ((requests / WANTED_PER_POD).ceil() as usize).clamp(workload.least, workload.most)
            };
            assert!(count >= needed(0));
            assert!((0..=PATIENCE as i64).any(|ago| needed(ago) == count));
        }
    }
}

#[test]
fn a_slot_is_taken_since_the_first_window_of_its_run() {
    let sites = sites();
    let plan = plan(&sites, 0, 0);
    let (mut runs, mut always) = (0, 0);
    for (at, workload) in sites[0].applications() {
        for slot in 0..workload.most {
            for window in 0..WINDOWS as i64 {
                let time_ms = DAY + window * WINDOW_MS + 12_345;
                match plan.since(at, slot, time_ms) {
                    None => {}
                    Some(Since::Always) => always += 1,
                    Some(Since::Time(since_ms)) => {
                        runs += 1;
                        assert_eq!(plan.since(at, slot, since_ms - 1), None);
                        let taken = (since_ms / WINDOW_MS..=time_ms / WINDOW_MS).map(|window| window * WINDOW_MS);
                        assert!(taken.into_iter().all(|time_ms| plan.since(at, slot, time_ms).is_some()));
                    }
                }
            }
        }
    }
    assert!(runs > 100 && always > 1_000, "{runs} and {always}");
}

/// A slot that only the second plan wants, and one that both want.
fn switched() -> (Plans, usize, usize, usize, i64) {
    let sites = sites();
    // At night frankfurt needs few pods, unless berlin and london are gone.
    let (usual, busy) = (plan(&sites, 1, 0), plan(&sites, 1, 0b1001));
    let start_ms = DAY + 13 * 3_600_000 + 2 * START_MS;
    let (at, _) = sites[1].applications().next().unwrap();
    let (few, many) = (pods(&usual, &sites[1], at, start_ms), pods(&busy, &sites[1], at, start_ms));
    assert!(few < many, "{few} and {many}");
    (Plans::new(vec![(0, usual), (start_ms, busy)]), at, few - 1, many - 1, start_ms)
}

#[test]
fn pods_for_the_next_plan_are_made_in_time() {
    let (plans, at, _, new, start_ms) = switched();
    let made_ms = start_ms - START_MS;
    assert_eq!(plans.since(at, new, made_ms - 1), None);
    for time_ms in [made_ms, start_ms - 1, start_ms, start_ms + WINDOW_MS] {
        assert_eq!(plans.since(at, new, time_ms), Some(Since::Time(made_ms)), "at {time_ms}");
    }
}

#[test]
fn pods_that_both_plans_want_stay() {
    let (plans, at, kept, _, start_ms) = switched();
    let before = plans.since(at, kept, start_ms - 1);
    assert_eq!(plans.since(at, kept, start_ms), before);
    assert_eq!(plans.since(at, kept, start_ms + START_MS), before);
}
