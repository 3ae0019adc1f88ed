//! The rules of the design imply what must hold, and none of them can be left out.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::protocol::{DAY, Rules, Step, World};

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => -4i64..=2,
        1 => -1i64..=6,
        1 => (1i64..=5).prop_map(|days| -days * DAY),
        1 => Just(DAY),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let batch = proptest::collection::vec((0u8..2, time()), 1..4);
    prop_oneof![
        6 => batch.prop_map(Step::Append),
        5 => Just(Step::Sync),
        1 => Just(Step::SyncFails),
        15 => Just(Step::Cut),
        4 => Just(Step::Deliver),
        1 => Just(Step::DeliverAnswerLost),
        3 => (0i64..=2 * DAY).prop_map(|by| Step::Tick(by / 4)),
        1 => Just(Step::Kill),
        1 => (0usize..3, any::<u32>()).prop_map(|(keep, mask)| Step::PowerCut { keep, mask }),
    ]
}

/// Draws histories until one breaks what must hold; returns it, shrunk, with what was wrong.
fn search(rules: Rules, cases: u32) -> Option<(Vec<Step>, String)> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"every crash at every step, again");
    let mut runner = TestRunner::new_with_rng(config, rng);
    let history = proptest::collection::vec(step(), 1..50);
    let result = runner.run(&history, |steps| {
        let mut world = World::new(rules);
        for (n, step) in steps.iter().enumerate() {
            world.step(step).map_err(|wrong| TestCaseError::fail(format!("after step {n}: {wrong}")))?;
        }
        // Whatever was left half done, the next process finds all of it.
        world.step(&Step::PowerCut { keep: 0, mask: 0 }).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, steps)) => Some((steps, reason.to_string())),
        Err(TestError::Abort(reason)) => panic!("no histories could be drawn: {reason}"),
    }
}

#[test]
fn the_rules_of_the_design_imply_what_must_hold() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000);
    if let Some((steps, wrong)) = search(Rules::DESIGN, cases) {
        panic!("{wrong}\n{steps:#?}");
    }
}

/// The model is worth something only if it notices when a rule is missing.
#[test]
fn no_rule_can_be_left_out() {
    let design = Rules::DESIGN;
    let broken = [
        ("an answer before the sync", Rules { sync_before_ack: false, ..design }),
        ("no carry", Rules { carry: false, ..design }),
        ("the carry after the seal", Rules { carry_before_staging: false, ..design }),
        ("a carried row that overrides", Rules { carry_keeps_rank: false, ..design }),
        ("a row that stays and overrides", Rules { return_keeps_rank: false, ..design }),
        ("samples before their series", Rules { series_first: false, ..design }),
        ("a commit repeated blindly", Rules { look_before_retry: false, ..design }),
        ("a generation dropped before the seal", Rules { seal_before_drop: false, ..design }),
        ("the newest cut delivered first", Rules { deliver_in_order: false, ..design }),
        ("staged cuts thrown away at a restart", Rules { adopt: false, ..design }),
        ("staged cuts committed once more", Rules { look_before_adoption: false, look_before_retry: false, ..design }),
        ("a replay that ignores the position", Rules { replay_from_position: false, ..design }),
        ("a window forgotten at a restart", Rules { window_survives: false, ..design }),
    ];
    for (name, rules) in broken {
        let Some((steps, wrong)) = search(rules, 20_000) else {
            panic!("{name}: no history shows that it is wrong");
        };
        println!("{name}: {wrong}\n  {steps:?}");
    }
}
