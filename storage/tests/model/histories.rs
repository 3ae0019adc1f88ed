//! Histories of the real store: drawn ones, and one that is broken off at every file call.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use storage::Table;

use crate::columnar::Parcel;
use crate::driver::{Case, Step, Tally};
use crate::life::{Fault, Place, Trouble};
use crate::sender::{Lot, Planned, What, When};
use crate::series::SERIES;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// Histories are shorter than this.
const STEPS: usize = 24;
/// How many histories a test draws unless `PROPTEST_CASES` says otherwise.
const CASES: u64 = 64;

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        12 => (-12i64..=0).prop_map(When::Steps),
        6 => (-360i64..=60).prop_map(When::Steps),
        3 => (-20 * MINUTE_MS..=MINUTE_MS).prop_map(When::Millis),
        2 => (1i64..=HOUR_MS).prop_map(When::Millis),
        1 => (HOUR_MS..=3 * HOUR_MS).prop_map(When::Millis),
        2 => (-48i64..=0).prop_map(|hours| When::Millis(hours * HOUR_MS)),
        2 => (-60i64..=3).prop_map(When::Days),
        6 => any::<u16>().prop_map(When::Again),
        1 => prop_oneof![Just(When::First), Just(When::Last)],
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        6 => Just(What::Decimal),
        4 => Just(What::Double),
        1 => Just(What::Nan),
        1 => Just(What::NegativeZero),
        1 => Just(What::Stale),
        2 => Just(What::Same),
    ]
}

fn planned() -> impl Strategy<Value = Planned> {
    // Few series most of the time, so that keys meet.
    let series = prop_oneof![4 => 0usize..4, 1 => 0..SERIES];
    (series, when(), what()).prop_map(|(series, when, what)| Planned { series, when, what })
}

fn lot() -> impl Strategy<Value = Lot> {
    let rows = prop_oneof![
        4 => proptest::collection::vec(planned(), 1..6),
        1 => proptest::collection::vec(planned(), 6..40),
    ];
    (0usize..3, rows).prop_map(|(stamp, rows)| Lot { stamp, rows })
}

fn lots() -> impl Strategy<Value = Vec<Lot>> {
    proptest::collection::vec(lot(), 2..4)
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(Table::Logs), Just(Table::Spans)]
}

/// A batch of logs or spans: a few rows, or one on each of so many days that a cut cannot take all.
fn parcel() -> impl Strategy<Value = Parcel> {
    let spread = (32i64..40).prop_map(|days| (0..days).map(|day| When::Days(-day)).collect());
    let rows = prop_oneof![
        20 => proptest::collection::vec(when(), 1..6),
        1 => proptest::collection::vec(when(), 6..40),
        5 => spread,
    ];
    (table(), rows).prop_map(|(table, rows)| Parcel { table, rows })
}

fn parcels(least: usize) -> impl Strategy<Value = Vec<Parcel>> {
    proptest::collection::vec(parcel(), least..4)
}

fn advance() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 1i64..=2 * MINUTE_MS,
        4 => 5 * MINUTE_MS..=40 * MINUTE_MS,
        1 => HOUR_MS..=10 * HOUR_MS,
        1 => DAY_MS..=4 * DAY_MS,
        // A clock that is set back.
        1 => -2 * HOUR_MS..=0,
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let place = prop_oneof![
        2 => Just(Place::Anywhere),
        3 => Just(Place::Journal),
        2 => Just(Place::Staged),
        2 => Just(Place::Table),
        2 => Just(Place::DeltaLog),
    ];
    let trouble = prop_oneof![
        2 => Just(Trouble::Errno(EIO)),
        2 => Just(Trouble::Errno(ENOSPC)),
        1 => (1usize..64).prop_map(Trouble::Short),
        3 => Just(Trouble::DieBefore),
        3 => Just(Trouble::DieAfter),
    ];
    let after = prop_oneof![3 => 0u64..6, 2 => 0u64..40];
    let changes_only = prop_oneof![4 => Just(true), 1 => Just(false)];
    let times = prop_oneof![3 => Just(1u64), 1 => 2u64..30];
    (place, changes_only, after, times, trouble).prop_map(|(place, changes_only, after, times, trouble)| Fault {
        place,
        changes_only,
        after,
        times,
        trouble,
    })
}

fn peaceful() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => lot().prop_map(Step::Write),
        6 => parcels(1).prop_map(|parcels| Step::Together(Vec::new(), parcels)),
        3 => (lots(), parcels(0)).prop_map(|(lots, parcels)| Step::Together(lots, parcels)),
        1 => (0usize..3, 0..SERIES, 30i64..42).prop_map(|(stamp, series, days)| Step::Wide { stamp, series, days }),
        1 => lot().prop_map(Step::Unacceptable),
        8 => Just(Step::Cut),
        3 => Just(Step::CutUnderPressure),
        2 => Just(Step::Tidy),
        5 => parcels(0).prop_map(Step::CutColumns),
        3 => (2usize..4).prop_map(Step::Quiet),
        3 => (lots(), parcels(0)).prop_map(|(lots, parcels)| Step::CutDuring(lots, parcels)),
        6 => advance().prop_map(Step::Advance),
        2 => Just(Step::Hold),
        2 => Just(Step::Kill),
        3 => any::<u64>().prop_map(Step::PowerCut),
        1 => Just(Step::Close),
        5 => any::<bool>().prop_map(Step::Away),
    ]
}

fn troubled() -> impl Strategy<Value = Step> {
    prop_oneof![9 => peaceful(), 3 => fault().prop_map(Step::Trouble), 1 => fault().prop_map(Step::TroubleNext)]
}

/// A history, and what a planned death does to unsynced changes.
type History = (Option<u64>, Vec<Step>);

fn play(history: &History) -> Result<Tally, String> {
    let (fates_at_death, steps) = history;
    let mut case = Case::new(None, *fates_at_death).map_err(|wrong| format!("at the first opening: {wrong}"))?;
    for (n, step) in steps.iter().enumerate() {
        case.step(step).map_err(|wrong| format!("after step {n}: {wrong}"))?;
    }
    case.finish().map_err(|wrong| format!("at the end: {wrong}"))?;
    Ok(case.tally)
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Plays histories drawn from seeds one above the other; the first that goes wrong is shrunk and shown with its seed.
fn search(name: &str, step: BoxedStrategy<Step>, cases: u64) -> Tally {
    let sum = RefCell::new(Tally::new());
    let first = setting("MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one(name) >> 16);
    for seed in first..first + setting("PROPTEST_CASES").unwrap_or(cases) {
        let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 600, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let history = (any::<Option<u64>>(), proptest::collection::vec(step.clone(), 1..STEPS));
        let result = TestRunner::new_with_rng(config, rng).run(&history, |history| {
            let tally = play(&history).map_err(TestCaseError::fail)?;
            tally.into_iter().for_each(|(what, n)| *sum.borrow_mut().entry(what).or_default() += n);
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(reason, (fates, steps))) => {
                let steps: String = steps.iter().map(|step| format!("  {step:?}\n")).collect();
                panic!("{reason}\nfates at death: {fates:?}\n{steps}replay: MODEL_SEED={seed} PROPTEST_CASES=1 {name}");
            }
            Err(TestError::Abort(reason)) => panic!("no history could be drawn: {reason}"),
        }
    }
    sum.into_inner()
}

/// A search in which nothing much happens proves nothing.
fn assert_happened(tally: &Tally, cases: u64, events: &[&str]) {
    println!("{tally:#?}");
    if setting("PROPTEST_CASES").unwrap_or(cases) >= 32 {
        for event in events {
            assert!(tally.get(event).is_some_and(|n| *n >= 8), "{event}: hardly ever in {tally:?}");
        }
    }
}

#[test]
fn the_store_keeps_its_promises_over_kills_and_power_cuts() {
    let tally = search("the_store_keeps_its_promises_over_kills_and_power_cuts", peaceful().boxed(), CASES);
    let events = [
        "writes acknowledged",
        "cuts",
        "kills",
        "power cuts",
        "most late blocks",
        "most rows in the head",
        "most series evicted in a life",
        "staged while the bucket was away",
        "batches of logs and spans acknowledged",
        "cuts of logs and spans alone",
        "cuts that carried logs or spans",
        "cuts under pressure",
        "times tidied up",
        "most logs and spans in blocks",
    ];
    assert_happened(&tally, CASES, &events);
}

#[test]
fn the_store_keeps_its_promises_when_calls_fail() {
    let tally = search("the_store_keeps_its_promises_when_calls_fail", troubled().boxed(), CASES);
    let events = [
        "writes failed",
        "batches of logs and spans failed",
        "cuts failed",
        "lives hurt",
        "deaths by a fault",
        "most blocks of a window",
    ];
    assert_happened(&tally, CASES, &events);
}

/// Two cuts with carried, late and rewritten rows, and something after the last.
fn scenario() -> Vec<Step> {
    let row = |series, when, what| Planned { series, when, what };
    let lot = |stamp, rows: &[Planned]| Step::Write(Lot { stamp, rows: rows.to_vec() });
    vec![
        lot(1, &[row(0, When::Steps(-300), What::Decimal), row(1, When::Steps(0), What::Double)]),
        lot(1, &[row(2, When::Days(-2), What::Decimal), row(0, When::Millis(20 * MINUTE_MS), What::Decimal)]),
        Step::Cut,
        lot(1, &[row(0, When::Millis(20 * MINUTE_MS), What::Double), row(2, When::Days(-2), What::Stale)]),
        lot(2, &[row(3, When::Steps(-1), What::Decimal)]),
        Step::Advance(17 * MINUTE_MS),
        Step::Cut,
        // Series 2 and 3 leave memory; 2 comes back.
        Step::Quiet(2),
        lot(1, &[row(2, When::Steps(0), What::Decimal)]),
        lot(1, &[row(0, When::Steps(-500), What::Decimal), row(4, When::Steps(0), What::Decimal)]),
    ]
}

/// Logs of one date more than a cut takes, so that a row is carried; spans; a cut of both alone beside rows of series; what comes
/// after it.
fn columnar_scenario() -> Vec<Step> {
    let row = Planned { series: 0, when: When::Steps(0), what: What::Decimal };
    let send = |table, rows: &[When]| Step::Together(Vec::new(), vec![Parcel { table, rows: rows.to_vec() }]);
    let dates: Vec<When> = (0..33).map(|day| When::Days(-day)).collect();
    vec![
        Step::Write(Lot { stamp: 1, rows: vec![row] }),
        send(Table::Logs, &dates),
        send(Table::Spans, &[When::Steps(-1), When::Days(-1), When::Again(0)]),
        Step::CutColumns(Vec::new()),
        send(Table::Logs, &[When::Steps(-2), When::Days(-40), When::Again(3)]),
        send(Table::Spans, &[When::Steps(0)]),
    ]
}

/// Cuts between which the journal takes nothing, and so at one position of it, wait for their bucket at once.
#[test]
fn cuts_at_one_position_are_all_there_for_the_next_process() {
    let lot =
        |steps| Lot { stamp: 1, rows: vec![Planned { series: 0, when: When::Steps(steps), what: What::Decimal }] };
    let parcels = vec![Parcel { table: Table::Logs, rows: vec![When::Steps(0)] }];
    // The row of a series is older than the watermark: none is journaled again.
    let together = Step::Together(vec![lot(-300)], parcels);
    let steps = [Step::Away(true), together, Step::CutColumns(Vec::new()), Step::Cut];
    let history = |end: Vec<Step>| (None, [steps.to_vec(), end].concat());
    play(&history(vec![Step::Kill])).unwrap();
    // The process dies while it delivers them, wherever it is.
    for after in 0..40 {
        let (place, trouble) = (Place::Anywhere, Trouble::DieBefore);
        let death = Fault { place, changes_only: true, after, times: 1, trouble };
        let end = vec![Step::Away(false), Step::Trouble(death), Step::Cut];
        play(&history(end)).unwrap_or_else(|wrong| panic!("dead before call {after}: {wrong}"));
    }
}

/// Plays a scenario with a fault at call `n` of a life: the first, or a second that opens before the last step.
/// Tells whether that life has so many calls.
fn broken_off(
    mut steps: Vec<Step>,
    n: u64,
    second_life: bool,
    trouble: Trouble,
    fates: Option<u64>,
) -> Result<bool, String> {
    let fault = Fault { place: Place::Anywhere, changes_only: false, after: n, times: 1, trouble };
    let mut case = Case::new((!second_life).then_some(fault), fates)?;
    if second_life {
        let at = steps.len() - 1;
        steps.splice(at..at, [Step::TroubleNext(fault), Step::Kill]);
        steps.push(Step::Cut);
    }
    let mut reached = false;
    for step in steps {
        case.step(&step)?;
        reached |= case.is_hurt();
    }
    case.finish()?;
    Ok(reached || n < 20)
}

/// By default every so-many-th call; `MODEL_STRIDE=1` tries all.
fn sweep((scenario, stride): (fn() -> Vec<Step>, u64), trouble: Trouble, fates: &[Option<u64>]) {
    let stride = setting("MODEL_STRIDE").unwrap_or(stride);
    let first = setting("MODEL_CALL").unwrap_or_else(|| RandomState::new().hash_one(stride) % stride);
    for second_life in [false, true] {
        let mut beyond = 0;
        // The number of calls depends on what failed: only a run of calls that were not reached is the end.
        for n in (first..20_000).step_by(stride as usize) {
            if beyond > 2 {
                break;
            }
            for fates in fates {
                match broken_off(scenario(), n, second_life, trouble, *fates) {
                    Ok(true) => beyond = 0,
                    Ok(false) => beyond += 1,
                    Err(wrong) => {
                        let which = if second_life { "second" } else { "first" };
                        panic!(
                            "{trouble:?} at call {n} of the {which} life, fates {fates:?}: {wrong}\nreplay: MODEL_CALL={n}"
                        );
                    }
                }
            }
        }
    }
}

/// The scenarios, and each how-many-th call is tried.
const ROWS_OF_SERIES: (fn() -> Vec<Step>, u64) = (scenario, 17);
const LOGS_AND_SPANS: (fn() -> Vec<Step>, u64) = (columnar_scenario, 97);

#[test]
fn a_death_at_any_call_loses_and_repeats_nothing() {
    sweep(ROWS_OF_SERIES, Trouble::DieAfter, &[None, Some(0), Some(2)]);
    sweep(LOGS_AND_SPANS, Trouble::DieAfter, &[None, Some(0), Some(2)]);
}

#[test]
fn a_failure_at_any_call_loses_and_repeats_nothing() {
    for scenario in [ROWS_OF_SERIES, LOGS_AND_SPANS] {
        sweep(scenario, Trouble::Errno(EIO), &[None]);
        sweep(scenario, Trouble::Errno(ENOSPC), &[None]);
    }
}
