//! What makes each value of a vector another one: functions of one number, signs, operators with a scalar.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryReservation;
use promql::ast::BinaryOp;
use promql::binary::histogram::{self, negated};
use promql::binary::{Arithmetic, Comparison, Operand};
use promql::functions::instant::{self, InstantFunction};
use promql::note::Notes;
use promql::span::Span;
use promql::value::Value;

use super::super::batch::{RowMut, StepBatch};
use super::super::cells::Cells;
use super::super::node::{Batches, Operator, each};
use super::super::remarks::Remarks;
use super::super::scalars::{ScalarArg, Scalars};

/// A function of each number and of scalar arguments.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) function: InstantFunction,
    pub(crate) scalars: Vec<ScalarArg>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.scalars.iter().try_for_each(|scalar| write!(f, ", {scalar}"))
    }
}

impl Operator for Function {
    fn name(&self) -> &'static str {
        "FunctionExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        let scalars = self.scalars.clone();
        each(inputs, scalars, move |mut batch, scalars| {
            let steps = batch.steps;
            let args: Vec<Vec<f64>> = (0..steps).map(|step| scalars.all_at(step)).collect();
            for (number, value) in batch.values.iter_mut().enumerate() {
                *value = (self.function)(*value, &args[number % steps]);
            }
            for (step, args) in args.iter().enumerate() {
                if instant::is_empty(self.name, args) {
                    batch.present.iter_mut().for_each(|present| present.remove(step));
                }
            }
            batch.histograms.iter_mut().for_each(Vec::clear);
            batch.drops_name.fill(true);
            Ok(batch)
        })
    }
}

/// No series, whatever is evaluated: `start_timestamp` of what is no selector.
#[derive(Debug)]
pub(crate) struct Unsaid;

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("start_timestamp")
    }
}

impl Operator for Unsaid {
    fn name(&self) -> &'static str {
        "UnsaidExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, Vec::new(), |batch, _| Ok(StepBatch::new(batch.steps)))
    }
}

/// The time of each step instead of the value: `timestamp` of what is no selector.
#[derive(Debug)]
pub(crate) struct StepTime {
    pub(crate) steps: super::super::steps::Steps,
}

impl fmt::Display for StepTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timestamp")
    }
}

impl Operator for StepTime {
    fn name(&self) -> &'static str {
        "StepTimeExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, Vec::new(), move |mut batch, _| {
            let times: Vec<f64> = self.steps.iter().map(|time_ms| time_ms as f64 / 1000.0).collect();
            batch.values.chunks_mut(batch.steps).for_each(|row| row.copy_from_slice(&times));
            for number in 0..batch.len() {
                batch.present[number] = batch.row(number).all_present();
                batch.histograms[number].clear();
            }
            batch.drops_name.fill(true);
            Ok(batch)
        })
    }
}

/// A minus before a vector.
#[derive(Debug)]
pub(crate) struct Negated;

impl fmt::Display for Negated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-")
    }
}

impl Operator for Negated {
    fn name(&self) -> &'static str {
        "NegatedExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, Vec::new(), |mut batch, _| {
            batch.values.iter_mut().for_each(|value| *value = -*value);
            let histograms = batch.histograms.iter_mut().flatten();
            histograms.for_each(|(_, histogram)| *histogram = negated(histogram));
            batch.drops_name.fill(true);
            Ok(batch)
        })
    }
}

/// What an operator does with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// A new number.
    Calculates(Arithmetic),
    /// Keeps the value of the left side, or of the vector, where the relation holds.
    Filters(Comparison),
    /// One where the relation holds, else zero.
    Flags(Comparison),
    /// Leaves a part of a histogram; of numbers it makes nothing.
    Trims,
}

/// What an operator makes of two values of which one is a histogram, and of numbers if it is for histograms alone.
pub(crate) fn combined(op: BinaryOp, does: Does, left: &Value, right: &Value, notes: &mut Notes) -> Option<Combined> {
    let applied = histogram::apply(op, left, right)?;
    if let Some(note) = applied.note {
        notes.add(note);
    }
    Some(match (applied.outcome, does) {
        (histogram::Outcome::Value(value), _) => Combined::Value(value),
        (histogram::Outcome::Compared(holds), Does::Flags(_)) => {
            Combined::Value(Value::Float(f64::from(u8::from(holds))))
        }
        (histogram::Outcome::Compared(true), _) => Combined::Value(left.clone()),
        (histogram::Outcome::Compared(false), _) => Combined::Filtered,
        (histogram::Outcome::Nothing, _) => Combined::Nothing,
    })
}

/// What comes of two values.
#[derive(Debug)]
pub(crate) enum Combined {
    Value(Value),
    /// A comparison does not hold.
    Filtered,
    /// The operator does not know such values together.
    Nothing,
}

/// An operator between a vector and a scalar.
#[derive(Debug)]
pub(crate) struct WithScalar {
    pub(crate) op: BinaryOp,
    pub(crate) does: Does,
    pub(crate) scalar: ScalarArg,
    /// Whether the scalar stands before the operator.
    pub(crate) is_left: bool,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
}

impl fmt::Display for WithScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_left {
            true => write!(f, "{} {} vector", self.scalar, self.op.as_str()),
            false => write!(f, "vector {} {}", self.op.as_str(), self.scalar),
        }
    }
}

impl Operator for WithScalar {
    fn name(&self) -> &'static str {
        "WithScalarExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, vec![self.scalar], move |batch, scalars| Ok(self.apply(batch, scalars)))
    }
}

impl WithScalar {
    fn apply(&self, mut batch: StepBatch, scalars: &Scalars) -> StepBatch {
        let (steps, row) = (batch.steps, scalars.row(0, batch.steps));
        let scalar = if scalars.are_constant() { Operand::Constant(scalars.at(0, 0)) } else { Operand::Row(&row) };
        let (mut made, mut notes) = (vec![0.0; steps], Notes::default());
        let cells = batch.values.chunks_mut(steps).zip(&mut batch.present).zip(&mut batch.histograms);
        for ((values, present), histograms) in cells {
            let (left, right) = match self.is_left {
                true => (scalar, Operand::Row(values)),
                false => (Operand::Row(values), scalar),
            };
            match self.does {
                Does::Calculates(arithmetic) => arithmetic.combine(left, right, &mut made),
                Does::Flags(comparison) => comparison.flag(left, right, &mut made),
                Does::Filters(comparison) => {
                    comparison.filter(left, right, present);
                    made.copy_from_slice(values);
                }
                Does::Trims => present.retain(|step| {
                    let numbers = (Value::Float(left.at(step)), Value::Float(right.at(step)));
                    let _ = combined(self.op, self.does, &numbers.0, &numbers.1, &mut notes);
                    false
                }),
            }
            values.copy_from_slice(&made);
            let mut row = RowMut { values, present, histograms: &mut Cells::new() };
            for (step, histogram) in std::mem::take(histograms) {
                let (scalar, cell) = (Value::Float(scalar.at(step)), Value::Histogram(Box::new(histogram)));
                let (left, right) = if self.is_left { (&scalar, &cell) } else { (&cell, &scalar) };
                if let Some(Combined::Value(value)) = combined(self.op, self.does, left, right, &mut notes) {
                    row.set(step, value);
                }
            }
            *histograms = std::mem::take(row.histograms);
        }
        self.remarks.add(self.span, &notes);
        if !matches!(self.does, Does::Filters(_) | Does::Trims) {
            batch.drops_name.fill(true);
        }
        batch
    }
}
