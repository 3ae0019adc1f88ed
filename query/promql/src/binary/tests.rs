use super::{Arithmetic, Comparison, Operand};
use crate::ast::BinaryOp;
use crate::number::answer_text;
use crate::presence::Presence;

/// As Prometheus 3.14 calculates scalars.
const EXPRESSIONS: &[(f64, &str, f64, &str)] = &[
    (1.5, "+", 2.0, "3.5"),
    (f64::INFINITY, "-", f64::INFINITY, "NaN"),
    (3.0, "*", -2.0, "-6"),
    (1.0, "/", 0.0, "+Inf"),
    (-1.0, "/", 0.0, "-Inf"),
    (0.0, "/", 0.0, "NaN"),
    (7.0, "%", 4.0, "3"),
    (-7.0, "%", 4.0, "-3"),
    (7.0, "%", -4.0, "3"),
    (-7.5, "%", 2.0, "-1.5"),
    (1.0, "%", 0.0, "NaN"),
    (5.0, "%", f64::INFINITY, "5"),
    (2.0, "^", 10.0, "1024"),
    (-8.0, "^", 1.0 / 3.0, "NaN"),
    (0.0, "^", 0.0, "1"),
    (f64::NAN, "^", 0.0, "1"),
    (-1.0, "^", f64::INFINITY, "1"),
    (0.0, "^", -1.0, "+Inf"),
    (1.0, "atan2", -1.0, "2.356194490192345"),
    (0.0, "atan2", -1.0, "3.141592653589793"),
    (-0.0, "atan2", -1.0, "-3.141592653589793"),
    (1.0, "==", 1.0, "1"),
    (f64::NAN, "==", f64::NAN, "0"),
    (f64::NAN, "!=", f64::NAN, "1"),
    (1.0, "<", f64::NAN, "0"),
    (1.0, "<", 2.0, "1"),
    (1.0, ">=", 1.0, "1"),
    (2.0, "<=", 1.0, "0"),
    (2.0, ">", 1.0, "1"),
];

/// Both sides as a row and as a constant, which all have to come to the same.
fn operands(left: &f64, right: &f64) -> [(Operand<'static>, Operand<'static>); 4] {
    let row = |value: f64| Operand::Row(Box::leak(Box::new([value])));
    let constant = Operand::Constant;
    [
        (row(*left), row(*right)),
        (row(*left), constant(*right)),
        (constant(*left), row(*right)),
        (constant(*left), constant(*right)),
    ]
}

#[test]
fn operators_calculate_as_prometheus_does() {
    for (left, operator, right, expected) in EXPRESSIONS {
        let op = BinaryOp::from_text(operator).expect("an operator");
        for (left, right) in operands(left, right) {
            let mut out = [0.0];
            if let Some(arithmetic) = Arithmetic::of(op) {
                arithmetic.combine(left, right, &mut out);
                assert_eq!(answer_text(arithmetic.apply(left.at(0), right.at(0))), *expected);
            } else {
                let comparison = Comparison::of(op).expect("a comparison");
                comparison.flag(left, right, &mut out);
                let mut present = Presence::all(1);
                comparison.filter(left, right, &mut present);
                assert_eq!(present.has(0), *expected == "1", "{left:?} {operator} {right:?}");
            }
            assert_eq!(answer_text(out[0]), *expected, "{left:?} {operator} {right:?}");
        }
    }
    assert!(Arithmetic::of(BinaryOp::Equal).is_none() && Comparison::of(BinaryOp::And).is_none());
}

#[test]
fn a_filter_takes_steps_away_and_adds_none() {
    let mut present = Presence::none(4);
    [0, 1, 3].into_iter().for_each(|step| present.insert(step));
    Comparison::Greater.filter(Operand::Row(&[1.0, 3.0, 3.0, 4.0]), Operand::Constant(2.0), &mut present);
    assert_eq!(present.iter().collect::<Vec<_>>(), [1, 3]);
}
