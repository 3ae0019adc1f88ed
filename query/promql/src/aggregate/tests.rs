use proptest::prelude::*;

use super::count_values::{Grouping, ValueCounts};
use super::quantile::quantiles;
use super::selection::{Candidate, bottom, in_ratio, is_in_ratio, limit, top};
use super::{Fold, Operator, Parameter};
use crate::ast::AggregateOp;
use crate::labels::Labels;
use crate::note::Notes;
use crate::number::answer_text;
use crate::presence::Presence;

/// The values of the series of each group.
const GROUPS: &[(&str, &str)] = &[
    ("whole", "3 1 2 2 5"),
    ("one", "7"),
    ("nan", "NaN 2 NaN -1"),
    ("inf", "inf 1"),
    ("both", "inf -inf"),
    ("large", "1e308 1.5e308 -1e308 1.2e308"),
    ("tiny", "1e16 1 -1e16 0.25"),
    ("zeros", "0 -0"),
    ("ties", "2 1 2 1 2 1 2"),
];

/// What Prometheus 3.14 says of the groups.
const VALUES: &[(&str, &str)] = &[
    ("sum", "whole=13 one=7 nan=NaN inf=+Inf both=NaN large=+Inf tiny=1.25 zeros=0 ties=11"),
    ("avg", "whole=2.6 one=7 nan=NaN inf=+Inf both=NaN large=6.75e+307 tiny=0.3125 zeros=0 ties=1.5714285714285714"),
    ("min", "whole=1 one=7 nan=-1 inf=1 both=-Inf large=-1e+308 tiny=-10000000000000000 zeros=0 ties=1"),
    ("max", "whole=5 one=7 nan=2 inf=+Inf both=+Inf large=1.5e+308 tiny=10000000000000000 zeros=0 ties=2"),
    ("count", "whole=5 one=1 nan=4 inf=2 both=2 large=4 tiny=4 zeros=2 ties=7"),
    ("group", "whole=1 one=1 nan=1 inf=1 both=1 large=1 tiny=1 zeros=1 ties=1"),
    (
        "stddev",
        "whole=1.3564659966250536 one=0 nan=NaN inf=NaN both=NaN large=NaN tiny=7071067811865475 zeros=0 \
         ties=0.4948716593053935",
    ),
    (
        "stdvar",
        "whole=1.8399999999999999 one=0 nan=NaN inf=NaN both=NaN large=NaN tiny=4.999999999999999e+31 zeros=0 \
         ties=0.2448979591836735",
    ),
    ("quantile 0.25", "whole=2 one=7 nan=NaN inf=+Inf both=NaN large=5e+307 tiny=-2500000000000000 zeros=0 ties=1"),
    ("quantile 2", "whole=+Inf one=+Inf nan=+Inf inf=+Inf both=+Inf large=+Inf tiny=+Inf zeros=+Inf ties=+Inf"),
    ("quantile NaN", "whole=NaN one=NaN nan=NaN inf=NaN both=NaN large=NaN tiny=NaN zeros=NaN ties=NaN"),
];

/// Which series of the groups Prometheus 3.14 takes, in which order.
const SELECTIONS: &[(&str, &str)] = &[
    ("topk 1", "whole=4 one=0 nan=1 inf=0 both=0 large=1 tiny=0 zeros=0 ties=0"),
    ("topk 3", "whole=402 one=0 nan=130 inf=01 both=01 large=130 tiny=013 zeros=01 ties=402"),
    ("bottomk 1", "whole=1 one=0 nan=3 inf=1 both=1 large=2 tiny=2 zeros=0 ties=1"),
    ("bottomk 3", "whole=132 one=0 nan=310 inf=10 both=10 large=203 tiny=231 zeros=01 ties=513"),
    ("limitk 3", "whole=102 one=0 nan=210 inf=10 both=10 large=210 tiny=201 zeros=01 ties=102"),
    ("topk 2.9", "whole=40 one=0 nan=13 inf=01 both=01 large=13 tiny=01 zeros=01 ties=20"),
];

fn values(group: &str) -> Vec<f64> {
    let (_, values) = GROUPS.iter().find(|(name, _)| *name == group).expect("a group");
    values.split(' ').map(|value| value.parse().expect("a number")).collect()
}

fn operator(name: &str) -> Operator {
    let op = AggregateOp::ALL.into_iter().find(|op| op.as_str() == name);
    op.and_then(Operator::of).expect("an aggregation of one series after the other")
}

#[test]
fn aggregations_give_what_prometheus_gives() {
    let there = Presence::all(1);
    for (aggregation, expected) in VALUES {
        for expected in expected.split_whitespace() {
            let (group, expected) = expected.split_once('=').expect("group=value");
            let rows: Vec<_> = values(group).into_iter().map(|value| [value]).collect();
            let answer = match aggregation.strip_prefix("quantile ") {
                Some(asked) => {
                    let series: Vec<_> = rows.iter().map(|row| (&row[..], &there)).collect();
                    quantiles(&[asked.parse().expect("a number")], &series)
                }
                None => {
                    let mut fold = Fold::new(operator(aggregation), 1);
                    rows.iter().for_each(|row| fold.fold(row, &there));
                    fold.finish(&mut Notes::default()).row
                }
            };
            assert!(answer.present.has(0));
            assert_eq!(answer_text(answer.values[0]), expected, "{aggregation} of {group}");
        }
    }
}

#[test]
fn selections_take_what_prometheus_takes() {
    for (selection, expected) in SELECTIONS {
        let (operator, count) = selection.split_once(' ').expect("operator and count");
        let count = count.parse().expect("a number");
        for expected in expected.split_whitespace() {
            let (group, expected) = expected.split_once('=').expect("group=series");
            let candidates = values(group).into_iter().enumerate();
            let taken = match operator {
                "topk" => top(count, candidates),
                "bottomk" => bottom(count, candidates),
                _ => limit(count, candidates),
            };
            let got: String = taken.iter().map(|(series, _)| series.to_string()).collect();
            assert_eq!(got, expected, "{selection} of {group}");
        }
    }
    assert!(top(0.9, [(0, 1.0)]).is_empty() && limit(-1.0, [(0, 1.0)]).is_empty());
}

#[test]
fn a_ratio_and_the_rest_are_all() {
    let series: Vec<_> = (0..100).map(|at| Labels::from_texts([("at", at.to_string().as_str())])).collect();
    let count = |ratio: f64| series.iter().filter(|labels| is_in_ratio(ratio, labels)).count();
    assert_eq!((count(0.0), count(1.0), count(-1.0), count(2.0)), (0, 100, 100, 100));
    assert_eq!(count(0.3) + count(-0.7), 100);
    let candidates = || series.iter().enumerate().map(|(at, labels)| ((at, 1.0), labels));
    assert_eq!(in_ratio(0.3, candidates()).len(), count(0.3));
}

#[test]
fn parameters_are_refused_in_prometheus_words() {
    let error = |value: f64| Parameter::new(&[value]).check_count().expect_err("no count").to_string();
    assert_eq!(error(f64::NAN), "Parameter value is NaN");
    assert_eq!(error(1e300), "Scalar value 1e+300 overflows int64");
    assert_eq!(error(9_223_372_036_854_774_784.0), "Scalar value 9.223372036854775e+18 overflows int64");
    let checked = |values: &[f64]| Parameter::new(values).check_count().ok();
    assert_eq!((checked(&[-1e300]), checked(&[0.5]), checked(&[0.0, 1.0])), (Some(false), Some(false), Some(true)));
    let error = Parameter::new(&[-1e300, 5.0]).check_count().expect_err("no count").to_string();
    assert_eq!(error, "Scalar value -1e+300 underflows int64");
}

fn notes_of(check: impl FnOnce(&mut Notes)) -> Vec<String> {
    let mut notes = Notes::default();
    check(&mut notes);
    notes.iter().map(ToString::to_string).collect()
}

#[test]
fn parameters_are_remarked_on_in_prometheus_words() {
    let ratio = |values: &[f64]| notes_of(|notes| assert!(Parameter::new(values).check_ratio(notes).expect("a ratio")));
    assert_eq!(
        ratio(&[2.0, -1.5]),
        [
            "PromQL warning: ratio value should be between -1 and 1, got -1.5, capping to -1",
            "PromQL warning: ratio value should be between -1 and 1, got 2, capping to 1",
        ]
    );
    assert!(ratio(&[1.0, 0.0]).is_empty());
    let nothing = Parameter::new(&[0.0]).check_ratio(&mut Notes::default());
    assert!(!nothing.expect("a ratio"));
    let error = Parameter::new(&[f64::NAN]).check_ratio(&mut Notes::default()).expect_err("no ratio");
    assert_eq!(error.to_string(), "Ratio value is NaN");
    let quantile = |values: &[f64]| notes_of(|notes| Parameter::new(values).check_quantile(notes));
    assert_eq!(
        quantile(&[-0.5, 1.5]),
        [
            "PromQL warning: quantile value should be between 0 and 1, got -0.5",
            "PromQL warning: quantile value should be between 0 and 1, got 1.5",
        ]
    );
    assert_eq!(quantile(&[f64::NAN]), ["PromQL warning: quantile value should be between 0 and 1, got NaN"]);
    assert!(quantile(&[0.0, 1.0]).is_empty());
}

#[test]
fn values_are_counted_by_their_text() {
    let grouping = |is_without, names: &[&str]| {
        Grouping::new("value", is_without, names.iter().map(|name| (*name).to_owned()).collect()).expect("a label")
    };
    let series = Labels::from_texts([("__name__", "up"), ("job", "a"), ("value", "own"), ("zone", "z")]);
    let by = grouping(false, &["job"]);
    assert_eq!(by.group(&series).to_string(), r#"{job="a"}"#);
    assert_eq!(by.result(&by.group(&series), "1").to_string(), r#"{job="a", value="1"}"#);
    let without = grouping(true, &["job"]);
    assert_eq!(without.result(&without.group(&series), "1").to_string(), r#"{value="1", zone="z"}"#);

    let mut counts = ValueCounts::new(&by, 2);
    counts.fold(&[1.0, f64::NAN], &Presence::all(2));
    counts.fold(&[1.0, 1e21], &Presence::all(2));
    let mut second = Presence::none(2);
    second.insert(1);
    counts.fold(&[1.0, 1.0], &second);
    let got: Vec<_> = counts.finish().map(|(text, row)| (text, row.values)).collect();
    let row = |text: &str, values: [f64; 2]| (text.to_owned(), values.to_vec());
    assert_eq!(got, [row("1", [2.0, 1.0]), row("1000000000000000000000", [0.0, 1.0]), row("NaN", [0.0, 1.0])]);

    let hidden = grouping(true, &["value"]);
    let mut counts = ValueCounts::new(&hidden, 1);
    counts.fold(&[1.0], &Presence::all(1));
    counts.fold(&[2.0], &Presence::all(1));
    assert_eq!(counts.finish().map(|(text, row)| (text, row.values[0])).collect::<Vec<_>>(), [(String::new(), 2.0)]);
    let error = Grouping::new("", false, Vec::new()).expect_err("no label");
    assert_eq!(error.to_string(), r#"invalid label name """#);
}

/// A value that series often have.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), (-3_i8..3).prop_map(f64::from), Just(f64::NAN), Just(1.5e308)]
}

fn rows(steps: usize) -> impl Strategy<Value = Vec<Vec<Option<f64>>>> {
    prop::collection::vec(prop::collection::vec(prop::option::of(value()), steps), 1..8)
}

proptest! {
    /// Steps have nothing to do with each other: a row folds as each of its steps alone.
    #[test]
    fn steps_are_folded_side_by_side(rows in (1_usize..150).prop_flat_map(rows)) {
        let steps = rows[0].len();
        for name in ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"] {
            let operator = operator(name);
            let mut whole = Fold::new(operator, steps);
            let mut single: Vec<_> = (0..steps).map(|_| Fold::new(operator, 1)).collect();
            for row in &rows {
                let mut present = Presence::none(steps);
                row.iter().enumerate().filter(|(_, value)| value.is_some()).for_each(|(step, _)| present.insert(step));
                whole.fold(&row.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>(), &present);
                for (step, value) in row.iter().enumerate() {
                    if let Some(value) = value {
                        single[step].fold(&[*value], &Presence::all(1));
                    }
                }
            }
            let whole = whole.finish(&mut Notes::default()).row;
            for (step, single) in single.into_iter().enumerate() {
                let single = single.finish(&mut Notes::default()).row;
                prop_assert_eq!(whole.present.has(step), single.present.has(0));
                if single.present.has(0) {
                    prop_assert_eq!(answer_text(whole.values[step]), answer_text(single.values[0]), "{}", name);
                }
            }
        }
    }

    /// What is taken is in order, and nothing that is left is better.
    #[test]
    fn the_top_is_above_the_rest(values in prop::collection::vec(value(), 0..40), count in 1_usize..20) {
        let candidates: Vec<Candidate> = values.iter().copied().enumerate().collect();
        let rank = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
        let taken = top(count as f64, candidates.iter().copied());
        prop_assert_eq!(taken.len(), count.min(values.len()));
        prop_assert!(taken.is_sorted_by(|a, b| rank(a.1) >= rank(b.1)));
        let is_taken = |series| taken.iter().any(|(other, _)| *other == series);
        let least = taken.last().map_or(f64::NEG_INFINITY, |(_, value)| rank(*value));
        prop_assert!(candidates.iter().all(|(series, value)| is_taken(*series) || rank(*value) <= least));
        let negated = bottom(count as f64, candidates.iter().map(|(series, value)| (*series, -value)));
        prop_assert_eq!(
            taken.iter().map(|(series, _)| series).collect::<Vec<_>>(),
            negated.iter().map(|(series, _)| series).collect::<Vec<_>>()
        );
    }
}
