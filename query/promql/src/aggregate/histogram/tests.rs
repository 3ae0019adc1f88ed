//! Folds of numbers and histograms over several steps.

use proptest::prelude::*;

use crate::aggregate::{Answer, Fold, Operator};
use crate::histogram::FloatHistogram;
use crate::histogram::samples::{any_buckets, named};
use crate::note::{Note, Notes};
use crate::presence::Presence;
use crate::value::Value;

/// Folds series that have values at some steps each.
fn fold(operator: Operator, steps: usize, series: &[Vec<Option<Value>>]) -> (Answer, Vec<String>) {
    let (mut fold, mut notes) = (Fold::new(operator, steps), Notes::default());
    for (number, one) in series.iter().enumerate() {
        let (mut values, mut present, mut histograms) = (vec![f64::NAN; steps], Presence::none(steps), Vec::new());
        for (step, value) in one.iter().enumerate() {
            match value {
                Some(Value::Float(value)) => {
                    values[step] = *value;
                    present.insert(step);
                }
                Some(Value::Histogram(histogram)) => histograms.push((step, (**histogram).clone())),
                None => {}
            }
        }
        fold.fold(&values, &present);
        fold.fold_histograms(&histograms, &format!("m{number}"), &mut notes);
    }
    let answer = fold.finish(&mut notes);
    (answer, notes.iter().map(Note::to_string).collect())
}

/// The one value that some values of a step come to.
fn of_one_step(operator: Operator, values: &[Option<Value>]) -> (Option<Value>, Vec<String>) {
    let series: Vec<Vec<Option<Value>>> = values.iter().map(|value| vec![value.clone()]).collect();
    let (answer, notes) = fold(operator, 1, &series);
    let number = answer.row.present.has(0).then(|| Value::Float(answer.row.values[0]));
    (number.or(answer.histograms.into_iter().next().map(|(_, histogram)| Value::from(histogram))), notes)
}

fn number(number: f64) -> Option<Value> {
    Some(Value::Float(number))
}

fn histogram(name: &str) -> Option<Value> {
    Some(Value::from(named(name)))
}

fn count(value: &Option<Value>) -> f64 {
    match value {
        Some(Value::Histogram(histogram)) => histogram.count,
        other => panic!("no histogram but {other:?}"),
    }
}

#[test]
fn histograms_are_added_and_averaged() {
    let values = [histogram("basic"), None, histogram("positive")];
    let (sum, notes) = of_one_step(Operator::Sum, &values);
    assert_eq!((count(&sum), notes.len()), (named("basic").count + named("positive").count, 0));
    let (mean, _) = of_one_step(Operator::Avg, &values);
    assert_eq!(count(&mean) * 2.0, count(&sum));
}

#[test]
fn empty_buckets_are_dropped() {
    let mut negated = named("basic");
    negated.negate();
    let (sum, _) = of_one_step(Operator::Sum, &[histogram("basic"), Some(Value::from(negated))]);
    let Some(Value::Histogram(sum)) = sum else { panic!("no histogram") };
    assert!(sum.positive.is_empty() && sum.negative.is_empty() && sum.positive_spans.is_empty(), "{sum:?}");
}

#[test]
fn numbers_and_histograms_come_to_nothing() {
    let mixed = "PromQL warning: encountered a mix of histograms and floats for aggregation";
    for operator in [Operator::Sum, Operator::Avg] {
        for values in [[number(1.0), histogram("basic")], [histogram("basic"), number(1.0)]] {
            assert_eq!(of_one_step(operator, &values), (None, vec![mixed.to_owned()]), "{operator:?}");
        }
    }
}

#[test]
fn nothing_is_looked_at_behind_buckets_that_do_not_fit() {
    let unfit = |metric: &str| {
        let text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
        format!("PromQL warning: {text} \"{metric}\"")
    };
    let mixed = "PromQL warning: encountered a mix of histograms and floats for aggregation".to_owned();
    let behind = [histogram("basic"), histogram("custom"), number(1.0), histogram("other")];
    let before = [histogram("basic"), number(1.0), histogram("custom"), histogram("other")];
    for operator in [Operator::Sum, Operator::Avg] {
        assert_eq!(of_one_step(operator, &behind), (None, vec![unfit("m1")]), "{operator:?}");
        assert_eq!(of_one_step(operator, &before), (None, vec![unfit("m2"), mixed.clone()]), "{operator:?}");
    }
}

#[test]
fn different_bounds_are_remarked_on_even_if_there_is_no_value() {
    let (sum, notes) = of_one_step(Operator::Sum, &[histogram("custom"), histogram("other"), number(1.0)]);
    let expected = [
        "PromQL info: mismatched custom buckets were reconciled during aggregation",
        "PromQL warning: encountered a mix of histograms and floats for aggregation",
    ];
    assert_eq!((sum, notes), (None, expected.map(str::to_owned).to_vec()));
}

#[test]
fn histograms_are_counted_or_left_out_by_the_others() {
    let values = [histogram("basic"), number(2.0), None, histogram("custom"), number(4.0)];
    for (operator, expected) in [(Operator::Count, 4.0), (Operator::Group, 1.0)] {
        assert_eq!(of_one_step(operator, &values), (number(expected), Vec::new()));
    }
    let others = [(Operator::Min, 2.0), (Operator::Max, 4.0), (Operator::Stdvar, 1.0), (Operator::Stddev, 1.0)];
    for (operator, expected) in others {
        let note = format!("PromQL info: ignored histogram in {} aggregation", operator.name());
        assert_eq!(of_one_step(operator, &values), (number(expected), vec![note]));
    }
}

fn values() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        2 => Just(None),
        1 => (-9i32..9).prop_map(|value| number(f64::from(value))),
        3 => any_buckets().prop_map(|histogram: FloatHistogram| Some(Value::from(histogram))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_step_is_as_if_it_were_alone(series in prop::collection::vec(prop::collection::vec(values(), 70), 1..5)) {
        for operator in [Operator::Sum, Operator::Avg, Operator::Count, Operator::Max] {
            let (answer, _) = fold(operator, 70, &series);
            let mut histograms = answer.histograms.into_iter().peekable();
            for step in 0..70 {
                let values: Vec<Option<Value>> = series.iter().map(|one| one[step].clone()).collect();
                let (alone, _) = of_one_step(operator, &values);
                let together = match histograms.next_if(|(at, _)| *at == step) {
                    Some((_, histogram)) => Some(Value::from(histogram)),
                    None => answer.row.present.has(step).then(|| Value::Float(answer.row.values[step])),
                };
                prop_assert_eq!(alone, together);
            }
            prop_assert!(histograms.next().is_none());
        }
    }
}
