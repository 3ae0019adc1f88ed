//! Operators between the histograms of `samples` and numbers, and what Prometheus makes of them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, named, text};

/// The expression, its value, and the note.
const CASES: &[(&str, &str, &str)] = &[
    ("basic + fine", "count 36 sum 47.5 [-4,-2)=5 [-2,-1)=1 [-0.5,0.5]=3 (0.5,1]=6 (1,2]=8 (2,4]=8 (4,8]=5", ""),
    ("fine + basic", "count 36 sum 47.5 [-4,-2)=5 [-2,-1)=1 [-0.5,0.5]=3 (0.5,1]=6 (1,2]=8 (2,4]=8 (4,8]=5", ""),
    ("basic - fine", "count -2 sum 12.5 [-4,-2)=-1 [-2,-1)=1 [-0.5,0.5]=1 (2,4]=-8 (4,8]=5", ""),
    ("basic + wide", "count 29 sum 74 [-4,4]=22 (4,8]=7", ""),
    ("wide + basic", "count 29 sum 74 [-4,4]=22 (4,8]=7", ""),
    ("wide - negative", "count 4 sum 77 [-16,-4)=-3 [-4,4]=5 (4,16]=2", ""),
    ("positive + negative", "count 18 sum -20.75 [-16,-4)=3 [-4,-1)=4 [-1,1]=5 (1,4]=6", ""),
    (
        "custom + other",
        "count 22 sum 120 [-Inf,1]=3 (1,5]=5 (5,10]=8 (10,+Inf]=6",
        "PromQL info: mismatched custom buckets were reconciled during addition",
    ),
    (
        "other - custom",
        "count 2 sum 20 [-Inf,1]=-1 (1,5]=-1 (10,+Inf]=4",
        "PromQL info: mismatched custom buckets were reconciled during subtraction",
    ),
    ("custom - custom", "count 0 sum 0", ""),
    ("custom + basic", "-", "PromQL warning: incompatible bucket layout encountered for binary operator +"),
    ("basic - custom", "-", "PromQL warning: incompatible bucket layout encountered for binary operator -"),
    ("basic * 2", "count 34 sum 60 [-4,-2)=4 [-2,-1)=2 [-0.5,0.5]=4 (0.5,1]=6 (1,2]=8 (4,8]=10", ""),
    (
        "-0.5 * fine",
        "count -9.5 sum -8.75 [-2.82842712474619,-2.378414230005442)=-1.5 (0.5,0.5946035575013605]=-0.5 (0.7071067811865475,0.8408964152537144]=-1 (1.6817928305074288,2]=-2 (2,2.378414230005442]=-4",
        "",
    ),
    ("custom / 4", "count 2.5 sum 12.5 [-Inf,1]=0.5 (2.5,5]=0.75 (5,10]=1 (10,+Inf]=0.25", ""),
    ("basic / 0", "count +Inf sum +Inf [-0.5,0.5]=+Inf", ""),
    ("basic == basic", "count 17 sum 30 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4 (4,8]=5", ""),
    ("basic == fine", "-", ""),
    ("basic != fine", "count 17 sum 30 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4 (4,8]=5", ""),
    ("basic != basic", "-", ""),
    (
        "basic > fine",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator ">": histogram > histogram"#,
    ),
    (
        "basic * fine",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "*": histogram * histogram"#,
    ),
    (
        "basic + 1",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "+": histogram + float"#,
    ),
    (
        "1 + basic",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "+": float + histogram"#,
    ),
    (
        "1 / basic",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "/": float / histogram"#,
    ),
    (
        "basic ^ 2",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "^": histogram ^ float"#,
    ),
    (
        "basic == 1",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "==": histogram == float"#,
    ),
    (
        "1 </ basic",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "</": float </ histogram"#,
    ),
    (
        "basic </ fine",
        "-",
        r#"PromQL info: incompatible sample types encountered for binary operator "</": histogram </ histogram"#,
    ),
    ("1 </ 2", "-", r#"PromQL info: incompatible sample types encountered for binary operator "</": float </ float"#),
    ("basic </ 2", "count 12 sum 0.7071067811865479 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4", ""),
    (
        "basic </ 1.5",
        "count 10.339850002884624 sum -2.0840281774472933 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=2.339850002884625",
        "",
    ),
    ("basic >/ 1.5", "count 6.660149997115375 sum 31.159735390651058 (1,2]=1.6601499971153748 (4,8]=5", ""),
    ("basic </ -1.5", "count 2.415037499278844 sum -6.375720285289669 [-4,-2)=2 [-2,-1)=0.4150374992788437", ""),
    (
        "basic >/ -3",
        "count 16.169925001442312 sum 31.782512987282292 [-4,-2)=1.1699250014423126 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4 (4,8]=5",
        "",
    ),
    ("basic </ 0.25", "count 4.5 sum -7.2585678118654755 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=1.5", ""),
    ("basic >/ 0.25", "count 12.5 sum 36.249945840513924 [-0.5,0.5]=0.5 (0.5,1]=3 (1,2]=4 (4,8]=5", ""),
    ("basic >/ 100", "count 0 sum 0", ""),
    ("basic </ 100", "count 17 sum 30 [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4 (4,8]=5", ""),
    ("positive </ 0.1", "count 0.8 sum 0.04000000000000001 [-0.25,0.25]=0.8", ""),
    ("negative >/ -0.5", "count 0.5 sum -0.125 [-1,1]=0.5", ""),
    ("negative </ -10", "count 1.0171078576689567 sum -12.865509825153048 [-16,-4)=1.0171078576689567", ""),
    ("custom </ 4", "count 3.8 sum 6.85 [-Inf,1]=2 (2.5,5]=1.7999999999999998", ""),
    ("custom >/ 4", "count 6.2 sum 45.4 (2.5,5]=1.2000000000000002 (5,10]=4 (10,+Inf]=1", ""),
    ("custom </ 0.5", "count 1 sum 0.25 [-Inf,1]=1", ""),
    ("custom >/ 0.5", "count 9 sum 52 [-Inf,1]=1 (2.5,5]=3 (5,10]=4 (10,+Inf]=1", ""),
    ("custom >/ 20", "count 1 sum 20 (10,+Inf]=1", ""),
    ("custom </ 20", "count 9 sum 42.25 [-Inf,1]=2 (2.5,5]=3 (5,10]=4", ""),
    ("below </ -3", "count 3 sum -9 [-Inf,-2]=3", ""),
    ("below </ -1", "count 4.6 sum -8.4 [-Inf,-2]=3 (-2,0.5]=1.6", ""),
    ("below >/ -3", "count 6 sum -2 (-2,0.5]=4 (0.5,+Inf]=2", ""),
    ("fine </ NaN", "count NaN sum NaN", ""),
    (
        "fine >/ -Inf",
        "count 19 sum 17.5 [-2.82842712474619,-2.378414230005442)=3 [-0.001,0.001]=1 (0.5,0.5946035575013605]=1 (0.7071067811865475,0.8408964152537144]=2 (1.6817928305074288,2]=4 (2,2.378414230005442]=8",
        "",
    ),
    (
        "fine </ +Inf",
        "count 19 sum 17.5 [-2.82842712474619,-2.378414230005442)=3 [-0.001,0.001]=1 (0.5,0.5946035575013605]=1 (0.7071067811865475,0.8408964152537144]=2 (1.6817928305074288,2]=4 (2,2.378414230005442]=8",
        "",
    ),
    ("nan </ 1", "count 5 sum 2.621320343559643 [-0.5,0.5]=2 (0.5,1]=3", ""),
];

fn value(word: &str) -> Value {
    match word.parse() {
        // The name of a histogram is a number too.
        Ok(number) if word != "nan" => Value::Float(number),
        _ => Value::Histogram(Box::new(named(word))),
    }
}

#[test]
fn every_operator_gives_what_prometheus_gives() {
    for (expression, expected, note) in CASES {
        let words: Vec<&str> = expression.split(' ').collect();
        let [left, symbol, right] = words[..] else { panic!("{expression} is no expression") };
        let operator = BinaryOp::from_text(symbol).unwrap();
        let (left, right) = (value(left), value(right));
        let applied = apply(operator, &left, &right).unwrap();
        let got = match (&applied.outcome, &left) {
            (Outcome::Value(Value::Histogram(result)), _) => text(result),
            (Outcome::Compared(true), Value::Histogram(left)) => text(left),
            (Outcome::Compared(false) | Outcome::Nothing, _) => "-".to_owned(),
            (other, _) => panic!("{expression} gives {other:?}"),
        };
        assert_alike(&got, expected, expression);
        assert_eq!(applied.note.map(|note| note.to_string()).unwrap_or_default(), *note, "{expression}");
    }
}

#[test]
fn a_difference_is_a_gauge_and_a_sum_what_its_parts_are() {
    let hint_of = |operator, left: ResetHint, right: ResetHint| {
        let histogram = |hint| Value::Histogram(Box::new(FloatHistogram { reset_hint: hint, ..named("basic") }));
        match apply(operator, &histogram(left), &histogram(right)).unwrap().outcome {
            Outcome::Value(Value::Histogram(result)) => Some(result.reset_hint),
            _ => None,
        }
    };
    let (unknown, gauge, no_reset) = (ResetHint::Unknown, ResetHint::Gauge, ResetHint::NoReset);
    assert_eq!(hint_of(BinaryOp::Sub, unknown, unknown), Some(gauge));
    assert_eq!(hint_of(BinaryOp::Add, unknown, gauge), Some(gauge));
    assert_eq!(hint_of(BinaryOp::Add, no_reset, no_reset), Some(no_reset));
    assert_eq!(hint_of(BinaryOp::Add, no_reset, unknown), Some(unknown));
    assert_eq!(hint_of(BinaryOp::Add, no_reset, ResetHint::Reset), None);
}

#[test]
fn hints_that_contradict_each_other_leave_a_warning_alone() {
    let histogram = |hint| Value::Histogram(Box::new(FloatHistogram { reset_hint: hint, ..named("basic") }));
    let applied = apply(BinaryOp::Sub, &histogram(ResetHint::Reset), &histogram(ResetHint::NoReset)).unwrap();
    assert_eq!(applied.outcome, Outcome::Nothing);
    let note = applied.note.unwrap().to_string();
    assert_eq!(note, "PromQL warning: conflicting counter resets during histogram subtraction");
}

#[test]
fn operators_of_two_numbers_are_not_here() {
    assert_eq!(apply(BinaryOp::Add, &Value::Float(1.0), &Value::Float(2.0)), None);
}

proptest! {
    #[test]
    fn a_sign_turned_twice_is_no_change(histogram in any_buckets()) {
        let twice = negated(&negated(&histogram));
        prop_assert!(twice.equals(&histogram));
        prop_assert_eq!(negated(&histogram).reset_hint, ResetHint::Gauge);
    }

    #[test]
    fn exactly_one_of_equal_and_not_equal_holds(left in any_buckets(), right in any_buckets()) {
        let (left, right) = (Value::Histogram(Box::new(left)), Value::Histogram(Box::new(right)));
        for right in [&left, &right] {
            let holds = |operator| apply(operator, &left, right).unwrap().outcome == Outcome::Compared(true);
            prop_assert!(holds(BinaryOp::Equal) != holds(BinaryOp::NotEqual));
        }
    }
}
