//! Operators between two vectors: which series meet, and what comes of them.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use model::labels::NAME_LABEL;
use promql::ast::BinaryOp;
use promql::binary::Operand;
use promql::labels::Labels;
use promql::matching::{Cardinality, Join, Matching, Outcome, Pair, Plan, Side};
use promql::note::Notes;
use promql::span::Span;
use promql::value::Value;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, collect, once, take};
use super::super::remarks::Remarks;
use super::elementwise::{Combined, Does, combined};
use crate::error::external;

/// An operator between two vectors.
#[derive(Debug)]
pub(crate) struct Vectors {
    pub(crate) op: BinaryOp,
    pub(crate) does: Does,
    pub(crate) matching: Matching,
    pub(crate) steps: usize,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.matching.is_on { "on" } else { "ignoring" };
        write!(f, "{} {word} ({})", self.op.as_str(), self.matching.labels.join(", "))?;
        match self.matching.cardinality {
            Cardinality::OneToOne => Ok(()),
            Cardinality::ManyToOne => write!(f, " group_left ({})", self.matching.include.join(", ")),
            Cardinality::OneToMany => write!(f, " group_right ({})", self.matching.include.join(", ")),
        }
    }
}

impl Operator for Vectors {
    fn name(&self) -> &'static str {
        "VectorsExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let left = collect(take(&mut inputs, 0), self.steps, &memory).await?;
            let right = collect(take(&mut inputs, 1), self.steps, &memory).await?;
            self.apply(&left, &right)
        })
    }
}

impl Vectors {
    fn apply(&self, left: &StepBatch, right: &StepBatch) -> Result<StepBatch> {
        let labels = |side: &StepBatch| side.labels.iter().map(Labels::from).collect::<Vec<_>>();
        let plan = Plan::new(self.matching.clone(), &labels(left), &labels(right));
        let has_histograms = |side: &StepBatch| side.histograms.iter().any(|cells| !cells.is_empty());
        let is_of_numbers = self.does != Does::Trims && !has_histograms(left) && !has_histograms(right);
        match plan.pairs_of_rows().filter(|_| is_of_numbers) {
            Some(pairs) => Ok(self.whole_rows(&plan, &pairs, left, right)),
            None => self.step_by_step(&plan, left, right),
        }
    }

    /// Whether the name of what comes of a pair goes at the end.
    fn drops_name(&self, pair: &Pair, left: &StepBatch, right: &StepBatch) -> bool {
        let (of_many, many) = match self.matching.cardinality {
            Cardinality::OneToMany => (right, pair.right),
            _ => (left, pair.left),
        };
        let many = match many {
            Side::Element(at) => Some(of_many.drops_name[at]),
            Side::Filled(_) => None,
        };
        let is_another_metric = !matches!(self.does, Does::Filters(_) | Does::Trims);
        // A name that was asked for stays.
        let takes_name = self.matching.include.iter().any(|label| label == NAME_LABEL);
        !takes_name && (is_another_metric || many.unwrap_or(false))
    }

    fn whole_rows(&self, plan: &Plan, pairs: &[Pair], left: &StepBatch, right: &StepBatch) -> StepBatch {
        let (mut made, mut values) = (StepBatch::new(self.steps), vec![0.0; self.steps]);
        for pair in pairs {
            let (Side::Element(of_left), Side::Element(of_right)) = (pair.left, pair.right) else { continue };
            let (one, other) = (left.row(of_left), right.row(of_right));
            let mut present = one.present.clone();
            present.intersect_with(other.present);
            let operands = (Operand::Row(one.values), Operand::Row(other.values));
            match self.does {
                Does::Calculates(arithmetic) => arithmetic.combine(operands.0, operands.1, &mut values),
                Does::Flags(comparison) => comparison.flag(operands.0, operands.1, &mut values),
                Does::Filters(comparison) => {
                    comparison.filter(operands.0, operands.1, &mut present);
                    values.copy_from_slice(one.values);
                }
                Does::Trims => continue,
            }
            let labels = LabelSet::from(&plan.results()[pair.result]);
            made.push_values(labels, self.drops_name(pair, left, right), &values, present);
        }
        made
    }

    fn step_by_step(&self, plan: &Plan, left: &StepBatch, right: &StepBatch) -> Result<StepBatch> {
        let mut made = StepBatch::new(self.steps);
        for labels in plan.results() {
            made.push(LabelSet::from(labels), false);
        }
        let (mut join, mut notes) = (Join::new(plan), Notes::default());
        let all = |side: &StepBatch| side.rows().map(|row| row.all_present()).collect::<Vec<_>>();
        let (on_left, on_right) = (all(left), all(right));
        for step in 0..self.steps {
            let combine = |pair: Pair| {
                let (one, other) = (value(left, pair.left, step), value(right, pair.right, step));
                let kept = match self.combine(&one, &other, &mut notes) {
                    Combined::Nothing => return Outcome::Incompatible,
                    Combined::Filtered => return Outcome::Filtered,
                    Combined::Value(value) => value,
                };
                made.drops_name[pair.result] = self.drops_name(&pair, left, right);
                made.row_mut(pair.result).set(step, kept);
                Outcome::Kept
            };
            let (has_left, has_right) = (|at: usize| on_left[at].has(step), |at: usize| on_right[at].has(step));
            join.step(has_left, has_right, combine).map_err(external)?;
        }
        self.remarks.add(self.span, &notes);
        let mut there = StepBatch::new(self.steps);
        made.rows().for_each(|row| there.push_row(row));
        Ok(there)
    }

    fn combine(&self, one: &Value, other: &Value, notes: &mut Notes) -> Combined {
        if let (Value::Float(left), Value::Float(right)) = (one, other) {
            match self.does {
                Does::Calculates(arithmetic) => return Combined::Value(Value::Float(arithmetic.apply(*left, *right))),
                Does::Flags(comparison) => {
                    let flag = f64::from(u8::from(comparison.holds(*left, *right)));
                    return Combined::Value(Value::Float(flag));
                }
                Does::Filters(comparison) if comparison.holds(*left, *right) => return Combined::Value(one.clone()),
                Does::Filters(_) => return Combined::Filtered,
                Does::Trims => {}
            }
        }
        combined(self.op, self.does, one, other, notes).unwrap_or(Combined::Nothing)
    }
}

/// The value of a side at a step.
fn value(batch: &StepBatch, side: Side, step: usize) -> Value {
    match side {
        Side::Element(at) => batch.row(at).value(step),
        Side::Filled(value) => Value::Float(value),
    }
}
