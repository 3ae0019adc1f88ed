//! Relabeling, case by case as `tests/relabel_cases.txt` has it: ours, and that of a real Prometheus.

mod case;
mod peer;

use self::case::{Case, Outcome};
use self::peer::Peer;

/// The cases whose outcome is not the expected one, as the test shows them.
fn different(cases: &[Case], outcome: impl Fn(&Case) -> (Outcome, Outcome)) -> Vec<String> {
    let different = cases.iter().filter_map(|case| {
        let (expected, found) = outcome(case);
        (!expected.allows(&found)).then(|| format!("{}\n  expected {expected}\n     found {found}", case.title))
    });
    different.collect()
}

fn assert_none(different: &[String], cases: usize) {
    assert!(different.is_empty(), "{} of {cases} cases are different\n{}", different.len(), different.join("\n"));
}

#[test]
fn each_case_is_as_written() {
    let cases = Case::all();
    assert!(cases.len() >= 500, "{} cases", cases.len());
    assert_none(&different(&cases, |case| (case.expected.clone(), case.apply())), cases.len());
}

#[tokio::test]
async fn each_case_is_as_in_prometheus() {
    let cases = Case::all();
    let peer = Peer::ask(&cases).await;
    assert_none(&different(&cases, |case| (case.expected_of(peer.version), peer.outcome(case))), cases.len());
}
