//! Random expressions beside Debian's Prometheus: well-typed, nested, and of what 2.42 and 3.x mean the same by.
//!
//! Left out, besides what `expressions.rs` names: names of metrics in anything but selectors, since 3.x takes them away only at
//! the end; ties of `topk`; and what turns the last bits of a number into more than that (`numbers.rs`).
//!
//! FLEETSCOPE_SEED repeats a run, FLEETSCOPE_EXPRESSIONS says how many of those that are answered with rows there are: how many
//! others come between them is chance, and says little.

mod aggregations;
mod choices;
mod functions;
mod generator;
mod numbers;
mod operators;
mod ranges;
mod selectors;
mod vector;

use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Beside, Outcome};
use crate::crash::setting;
use generator::Generator;

/// Numbers that an expression is made of, at most.
const NUMBERS: usize = 120;
/// Looks for a simpler expression that differs too.
const SHRINKS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn random_expressions_are_answered_as_by_prometheus() {
    let seed = setting("FLEETSCOPE_SEED", u64::from(std::process::id()));
    let wanted = setting("FLEETSCOPE_EXPRESSIONS", 240);
    println!("FLEETSCOPE_SEED={seed} FLEETSCOPE_EXPRESSIONS={wanted}");
    let beside = Beside::start().await;
    let (start, end) = beside.data.range();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    let strategy = proptest::collection::vec(any::<u16>(), NUMBERS / 4..NUMBERS);
    let (mut wrong, mut empty, mut errors, mut count) = (Vec::new(), 0, 0, 0);
    while count - empty - errors < wanted {
        count += 1;
        assert!(count < 2 * wanted, "FLEETSCOPE_SEED={seed}: {empty} empty answers, {errors} errors: they say little");
        let mut tree = strategy.new_tree(&mut runner).unwrap();
        let expression = Generator::expression(&tree.current(), (start + end) / 2);
        match beside.compare(&expression).await {
            Outcome::Same { is_empty } => empty += u64::from(is_empty),
            Outcome::BothErrors => errors += 1,
            Outcome::Different(what) => {
                let simplest = shrunk(&beside, &mut tree, (start + end) / 2).await;
                wrong.push(format!("{expression}\n  {what}\n  shrunk: {}", simplest.unwrap_or_default()));
            }
        }
    }
    println!("{count} expressions: {empty} answers are empty, {errors} errors in both, {} differ", wrong.len());
    assert!(wrong.is_empty(), "FLEETSCOPE_SEED={seed}: {} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(errors * 20 < count, "{errors} errors say little");
    beside.server.terminate().await;
}

/// The simplest expression that was found to differ too, and how, if there is a simpler one.
async fn shrunk(beside: &Beside, tree: &mut impl ValueTree<Value = Vec<u16>>, middle: i64) -> Option<String> {
    let mut simplest = None;
    for _ in 0..SHRINKS {
        if !tree.simplify() {
            break;
        }
        let expression = Generator::expression(&tree.current(), middle);
        match beside.compare(&expression).await {
            Outcome::Different(what) => simplest = Some(format!("{expression}: {what}")),
            _ if !tree.complicate() => break,
            _ => {}
        }
    }
    simplest
}
