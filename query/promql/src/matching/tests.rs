use proptest::prelude::*;

use super::{Cardinality, Join, Matching, Outcome, Pair, Plan, SetOperator, Side, groups};
use crate::ast::{BinaryOp, Expr};
use crate::labels::Labels;
use crate::parse;
use crate::presence::Presence;

/// Elements as `name{label=value,…}`, with blanks between them.
fn elements(text: &str) -> Vec<Labels> {
    let element = |text: &str| {
        let (name, labels) = text.trim_end_matches('}').split_once('{').expect("name{…}");
        let labels = labels.split(',').filter_map(|label| label.split_once('='));
        Labels::from_texts(labels.chain([("__name__", name)]))
    };
    text.split_whitespace().map(element).collect()
}

/// A matching as the modifiers say it: `on a b group_left c fill_right 1 keep`, where `keep` keeps the metric name.
fn matching(modifiers: &str) -> Matching {
    let mut matching = Matching::one_to_one(true);
    let mut last = "";
    for word in modifiers.split_whitespace() {
        match word {
            "on" => matching.is_on = true,
            "group_left" => matching.cardinality = Cardinality::ManyToOne,
            "group_right" => matching.cardinality = Cardinality::OneToMany,
            "keep" => matching.drops_metric = false,
            "ignoring" | "fill_left" | "fill_right" => {}
            value => {
                match last {
                    "fill_left" => matching.fill_left = value.parse().ok(),
                    "fill_right" => matching.fill_right = value.parse().ok(),
                    "group_left" | "group_right" => matching.include.push(value.to_owned()),
                    _ => matching.labels.push(value.to_owned()),
                }
                continue;
            }
        }
        last = word;
    }
    matching
}

#[test]
fn modifiers_are_taken_as_they_are_written() {
    for (written, read) in [
        ("a + b", "keep"),
        ("a and on (x) b", "keep on x"),
        ("a * ignoring (x, y) b", "keep ignoring x y"),
        ("a / on (x) group_left (y) fill_right (2) b", "keep on x group_left y fill_right 2"),
        ("a < on (x) group_right () fill_left (-1) b", "keep on x group_right fill_left -1"),
    ] {
        let Ok(Expr::Binary(binary)) = parse(written) else { panic!("{written} is no operator") };
        let modifiers = binary.matching.as_ref().expect("an operator between vectors");
        assert_eq!(Matching::from(modifiers), matching(read), "{written}");
    }
}

fn show(plan: &Plan, pair: &Pair) -> String {
    let side = |side: Side| match side {
        Side::Element(at) => at.to_string(),
        Side::Filled(value) => format!("={value}"),
    };
    format!("{}~{} {}", side(pair.left), side(pair.right), plan.results()[pair.result])
}

fn join(matching: Matching, left: &[Labels], right: &[Labels]) -> Result<Vec<String>, String> {
    let plan = Plan::new(matching, left, right);
    let mut pairs = Vec::new();
    let outcome = Join::new(&plan).step(
        |_| true,
        |_| true,
        |pair| {
            pairs.push(show(&plan, &pair));
            Outcome::Kept
        },
    );
    outcome.map(|()| pairs).map_err(|error| error.to_string())
}

/// Left side, modifiers, right side, and the pairs that Prometheus 3.14 makes of them.
const PAIRS: &[(&str, &str, &str, &[&str])] = &[
    ("l{a=1} l{a=2}", "", "r{a=2} r{a=3}", &[r#"1~0 {a="2"}"#]),
    ("l{a=1}", "keep", "r{a=1}", &[r#"0~0 {__name__="l", a="1"}"#]),
    ("l{a=1,b=1}", "on a", "r{a=1,b=2}", &[r#"0~0 {a="1"}"#]),
    ("l{a=1,b=1}", "on a keep", "r{a=1,b=2}", &[r#"0~0 {a="1"}"#]),
    ("l{a=1,b=1}", "ignoring b", "r{a=1,b=2}", &[r#"0~0 {a="1"}"#]),
    ("l{a=1}", "on b", "r{c=1}", &["0~0 {}"]),
    (
        "l{a=1,b=1} l{a=1,b=2}",
        "on a group_left c",
        "r{a=1,c=x}",
        &[r#"0~0 {a="1", b="1", c="x"}"#, r#"1~0 {a="1", b="2", c="x"}"#],
    ),
    ("l{a=1,c=own}", "on a group_left c", "r{a=1}", &[r#"0~0 {a="1"}"#]),
    (
        "l{a=1,c=x}",
        "on a group_right c",
        "r{a=1,b=1} r{a=1,b=2}",
        &[r#"0~0 {a="1", b="1", c="x"}"#, r#"0~1 {a="1", b="2", c="x"}"#],
    ),
    ("l{a=1}", "fill_right 2", "r{a=2}", &[r#"0~=2 {a="1"}"#]),
    ("l{a=1}", "fill_left 2", "r{a=2}", &[r#"=2~0 {a="2"}"#]),
    ("", "fill_left 2", "r{a=2}", &[r#"=2~0 {a="2"}"#]),
    ("", "fill_right 2", "r{a=2}", &[]),
    ("l{a=1}", "on a group_right fill_right 3", "r{a=2,b=1}", &[r#"=3~0 {a="2", b="1"}"#]),
    ("l{a=1}", "on a group_right fill_left 3", "r{a=2,b=1}", &[r#"0~=3 {a="1"}"#]),
    ("", "", "r{a=1} r{a=1,b=2}", &[]),
    ("", "on a", "r{a=1} r{a=1,b=2}", &[]),
];

#[test]
fn elements_meet_as_in_prometheus() {
    for (left, modifiers, right, expected) in PAIRS {
        let got = join(matching(modifiers), &elements(left), &elements(right)).expect("pairs");
        assert_eq!(got, *expected, "{left} {modifiers} {right}");
    }
}

/// Left side, modifiers, right side, and the error of Prometheus 3.14.
const ERRORS: &[(&str, &str, &str, &str)] = &[
    (
        "l{a=1}",
        "on a group_left",
        "r2{a=1} r{a=1,b=2}",
        "found duplicate series for the match group {a=\"1\"} on the right hand-side of the operation: \
         [{__name__=\"r\", a=\"1\", b=\"2\"}, {__name__=\"r2\", a=\"1\"}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
    ),
    (
        "l{a=1} l2{a=1}",
        "on a group_right",
        "r{a=1}",
        "found duplicate series for the match group {a=\"1\"} on the left hand-side of the operation: \
         [{__name__=\"l\", a=\"1\"}, {__name__=\"l2\", a=\"1\"}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
    ),
    (
        "l{a=1,b=1} l{a=1,b=2}",
        "on a",
        "r{a=1}",
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    ),
    (
        "l{a=1,b=1} l{a=1,b=2}",
        "on a group_left b",
        "r{a=1}",
        "multiple matches for labels: grouping labels must ensure unique matches",
    ),
    (
        "l{b=1} l{b=1,c=1}",
        "ignoring c b group_left c",
        "r{}",
        "multiple matches for labels: grouping labels must ensure unique matches",
    ),
];

#[test]
fn too_many_matches_are_refused_in_prometheus_words() {
    for (left, modifiers, right, expected) in ERRORS {
        let got = join(matching(modifiers), &elements(left), &elements(right)).err().unwrap_or_default();
        assert_eq!(got, *expected, "{left} {modifiers} {right}");
    }
}

#[test]
fn a_successor_matches_when_what_was_before_has_gone() {
    let (left, right) = (elements("l{a=1}"), elements("r{a=1,pod=x} r{a=1,pod=y}"));
    let plan = Plan::new(matching("on a"), &left, &right);
    assert!(plan.pairs_of_rows().is_none(), "both could be there at once");
    let mut join = Join::new(&plan);
    for (there, expected) in [([true, false], Some(0)), ([false, true], Some(1)), ([false, false], None)] {
        let mut met = None;
        join.step(
            |_| true,
            |at| there[at],
            |pair| {
                met = Some(pair.right);
                Outcome::Kept
            },
        )
        .expect("one match at most");
        assert_eq!(met, expected.map(Side::Element));
    }
    assert!(join.step(|_| true, |_| true, |_| Outcome::Kept).is_err());
    // Nothing is wrong with two of them where nothing is on the other side.
    assert!(join.step(|_| false, |_| true, |_| Outcome::Kept).is_ok());
}

#[test]
fn what_is_incompatible_has_not_matched() {
    let plan = Plan::new(matching("fill_left 1"), &elements("l{a=1}"), &elements("r{a=1}"));
    let mut pairs = Vec::new();
    let step = Join::new(&plan).step(
        |_| true,
        |_| true,
        |pair| {
            pairs.push(show(&plan, &pair));
            if pairs.len() == 1 { Outcome::Incompatible } else { Outcome::Kept }
        },
    );
    step.expect("no error");
    assert_eq!(pairs, [r#"0~0 {a="1"}"#, r#"=1~0 {a="1"}"#]);
}

#[test]
fn equal_results_of_two_groups_are_refused_unless_filtered() {
    let plan = Plan::new(matching("on __name__ group_left"), &elements("m{a=1} n{a=1}"), &elements("m{} n{}"));
    assert!(plan.pairs_of_rows().is_none());
    let step = |outcomes: [Outcome; 2]| {
        let mut outcomes = outcomes.into_iter();
        Join::new(&plan).step(|_| true, |_| true, |_| outcomes.next().expect("two pairs"))
    };
    let error = step([Outcome::Kept, Outcome::Kept]).expect_err("two of the same labels");
    assert_eq!(error.to_string(), "vector cannot contain metrics with the same labelset");
    assert!(step([Outcome::Kept, Outcome::Filtered]).is_ok());
    assert!(step([Outcome::Filtered, Outcome::Kept]).is_ok());
}

fn kept(operator: &str, modifiers: &str, left: &str, right: &str) -> (Vec<usize>, Vec<usize>) {
    let (left, right) = (elements(left), elements(right));
    let matching = matching(modifiers);
    let (mut left_kept, mut right_kept) = (Vec::new(), Vec::new());
    for group in groups(matching.is_on, &matching.labels, &left, &right) {
        let mut of_left = vec![Presence::all(1); group.left.len()];
        let mut of_right = vec![Presence::all(1); group.right.len()];
        BinaryOp::from_text(operator).and_then(SetOperator::of).expect("an operator").apply(
            1,
            &mut of_left,
            &mut of_right,
        );
        let there = |elements: &[usize], present: &[Presence]| {
            elements.iter().zip(present).filter(|(_, present)| present.has(0)).map(|(at, _)| *at).collect::<Vec<_>>()
        };
        left_kept.extend(there(&group.left, &of_left));
        right_kept.extend(there(&group.right, &of_right));
    }
    left_kept.sort_unstable();
    right_kept.sort_unstable();
    (left_kept, right_kept)
}

#[test]
fn sets_are_taken_by_their_labels() {
    let (left, right) = ("l{a=1,b=1} l{a=1,b=2} l{a=2}", "r{a=1,b=1} r{a=3}");
    assert_eq!(kept("and", "", left, right), (vec![0], vec![]));
    assert_eq!(kept("and", "on a", left, right), (vec![0, 1], vec![]));
    assert_eq!(kept("unless", "on a", left, right), (vec![2], vec![]));
    assert_eq!(kept("unless", "ignoring b", left, right), (vec![2], vec![]));
    assert_eq!(kept("or", "", left, right), (vec![0, 1, 2], vec![1]));
    assert_eq!(kept("or", "on c", left, right), (vec![0, 1, 2], vec![]));
    assert_eq!(kept("and", "on c", left, ""), (vec![], vec![]));
}

fn labels() -> impl Strategy<Value = Vec<Labels>> {
    let label = || prop_oneof![Just(""), Just("1"), Just("2")];
    let element = (label(), label(), label())
        .prop_map(|(a, b, c)| Labels::from_texts([("__name__", "m"), ("a", a), ("b", b), ("c", c)]));
    prop::collection::btree_set(element, 0..8).prop_map(|set| set.into_iter().collect())
}

fn modifiers() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "keep",
        "on a",
        "ignoring a",
        "ignoring b c",
        "on a b group_left",
        "on a group_left c",
        "ignoring b group_right c",
        "on b group_right",
        "on a fill_left 1 fill_right 2",
        "on a group_left fill_right 2",
        "ignoring c group_right fill_left 1",
    ])
}

proptest! {
    /// A step sees what a plan of only the elements that are there would see, whatever was there before.
    #[test]
    fn a_step_is_a_match_of_what_is_there(
        left in labels(),
        right in labels(),
        modifiers in modifiers(),
        steps in prop::collection::vec(any::<(u8, u8)>(), 1..5),
    ) {
        let plan = Plan::new(matching(modifiers), &left, &right);
        let mut over_steps = Join::new(&plan);
        for (left_bits, right_bits) in steps {
            let there = |all: &[Labels], bits: u8| -> Vec<usize> {
                (0..all.len()).filter(|at| bits >> at & 1 == 1).collect()
            };
            let (left_there, right_there) = (there(&left, left_bits), there(&right, right_bits));
            let mut got = Vec::new();
            let outcome = over_steps.step(
                |at| left_there.contains(&at),
                |at| right_there.contains(&at),
                |pair| {
                    got.push(show(&plan, &pair));
                    Outcome::Kept
                },
            );
            let pick = |all: &[Labels], there: &[usize]| there.iter().map(|at| all[*at].clone()).collect::<Vec<_>>();
            let alone = Plan::new(matching(modifiers), &pick(&left, &left_there), &pick(&right, &right_there));
            let mut expected = Vec::new();
            let numbered = |side: Side, there: &[usize]| match side {
                Side::Element(at) => Side::Element(there[at]),
                filled => filled,
            };
            let expected_outcome = Join::new(&alone).step(|_| true, |_| true, |pair| {
                let (left, right) = (numbered(pair.left, &left_there), numbered(pair.right, &right_there));
                expected.push(show(&alone, &Pair { left, right, ..pair }));
                Outcome::Kept
            });
            prop_assert_eq!(outcome.map_err(|e| e.to_string()), expected_outcome.map_err(|e| e.to_string()));
            prop_assert_eq!(got, expected);
        }
    }

    /// Where rows may be combined whole, no step has an error, and all pairs are those of the step that has all elements.
    #[test]
    fn pairs_of_rows_are_those_of_all_steps(left in labels(), right in labels(), modifiers in modifiers()) {
        let plan = Plan::new(matching(modifiers), &left, &right);
        if let Some(pairs) = plan.pairs_of_rows() {
            let pairs: Vec<_> = pairs.iter().map(|pair| show(&plan, pair)).collect();
            prop_assert_eq!(join(matching(modifiers), &left, &right), Ok(pairs));
        }
    }
}
