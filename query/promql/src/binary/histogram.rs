//! Operators between two histograms, and between a histogram and a number.

use crate::ast::BinaryOp;
use crate::histogram::{Combined, FloatHistogram, Keep, MixedBuckets, ResetHint};
use crate::note::{Note, Operation};
use crate::value::Value;

/// What an operator makes of two samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A value.
    Value(Value),
    /// Whether a comparison holds. If it does, its value is the left sample, or of `bool` a 1; if not, none or a 0.
    Compared(bool),
    /// Nothing, of `bool` too.
    Nothing,
}

/// What an operator makes of two samples, and what there is to say about it.
///
/// Prometheus keeps for each step the last note of an operator alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What it makes of them.
    pub outcome: Outcome,
    /// What there is to say.
    pub note: Option<Note>,
}

impl Applied {
    fn value(value: FloatHistogram) -> Self {
        Applied { outcome: Outcome::Value(Value::Histogram(Box::new(value))), note: None }
    }

    fn compared(holds: bool) -> Self {
        Applied { outcome: Outcome::Compared(holds), note: None }
    }

    fn nothing(note: Note) -> Self {
        Applied { outcome: Outcome::Nothing, note: Some(note) }
    }
}

/// Applies an operator to two samples, at least one of which is a histogram; or both are numbers, and the operator is for
/// histograms. For others, and for the operators on sets, there is nothing here.
pub fn apply(operator: BinaryOp, left: &Value, right: &Value) -> Option<Applied> {
    if operator.is_set() {
        return None;
    }
    Some(match (left, right) {
        (Value::Float(_), Value::Float(_)) => match operator {
            BinaryOp::TrimUpper | BinaryOp::TrimLower => incompatible("float", operator, "float"),
            _ => return None,
        },
        (Value::Float(factor), Value::Histogram(histogram)) => match operator {
            BinaryOp::Mul => changed(histogram, |result| result.multiply(*factor)),
            _ => incompatible("float", operator, "histogram"),
        },
        (Value::Histogram(histogram), Value::Float(number)) => match operator {
            BinaryOp::Mul => changed(histogram, |result| result.multiply(*number)),
            BinaryOp::Div => changed(histogram, |result| result.divide(*number)),
            BinaryOp::TrimUpper => trimmed(histogram, *number, Keep::Below),
            BinaryOp::TrimLower => trimmed(histogram, *number, Keep::Above),
            _ => incompatible("histogram", operator, "float"),
        },
        (Value::Histogram(left), Value::Histogram(right)) => match operator {
            BinaryOp::Add => combined(left, operator, Operation::Addition, |result| result.add(right)),
            BinaryOp::Sub => combined(left, operator, Operation::Subtraction, |result| {
                let combined = result.subtract(right);
                result.reset_hint = ResetHint::Gauge;
                combined
            }),
            BinaryOp::Equal => Applied::compared(left.equals(right)),
            BinaryOp::NotEqual => Applied::compared(!left.equals(right)),
            _ => incompatible("histogram", operator, "histogram"),
        },
    })
}

/// The histogram with its sign turned, as of the operator `-` with nothing on its left.
pub fn negated(histogram: &FloatHistogram) -> FloatHistogram {
    let mut result = histogram.clone();
    result.negate();
    result
}

fn incompatible(left: &'static str, operator: BinaryOp, right: &'static str) -> Applied {
    Applied::nothing(Note::IncompatibleTypes { left, operator: operator.as_str(), right })
}

fn changed(histogram: &FloatHistogram, change: impl FnOnce(&mut FloatHistogram)) -> Applied {
    let mut result = histogram.clone();
    change(&mut result);
    result.compact();
    Applied::value(result)
}

fn trimmed(histogram: &FloatHistogram, value: f64, keep: Keep) -> Applied {
    let mut result = histogram.clone();
    result.trim(value, keep);
    Applied::value(result)
}

/// A collision of hints is worth a warning, and there is no value then.
fn combined(
    left: &FloatHistogram,
    operator: BinaryOp,
    operation: Operation,
    combine: impl FnOnce(&mut FloatHistogram) -> Result<Combined, MixedBuckets>,
) -> Applied {
    let mut result = left.clone();
    match combine(&mut result) {
        Err(MixedBuckets) => Applied::nothing(Note::IncompatibleBucketLayout(operator.as_str())),
        Ok(Combined { resets_collide: true, .. }) => Applied::nothing(Note::CounterResetCollision(operation)),
        Ok(Combined { bounds_reconciled, .. }) => {
            result.compact();
            let note = bounds_reconciled.then_some(Note::MismatchedCustomBuckets(operation));
            Applied { note, ..Applied::value(result) }
        }
    }
}

#[cfg(test)]
mod tests;
