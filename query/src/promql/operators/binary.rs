//! Operators between two vectors: which series meet, and what comes of them.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use promql::binary::Operand;
use promql::labels::Labels;
use promql::matching::{Cardinality, Join, Matching, Outcome, Pair, Plan};
use promql::presence::Presence;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, collect, once};
use super::elementwise::Does;
use crate::error::external;

/// An operator between two vectors.
#[derive(Debug)]
pub(crate) struct Vectors {
    /// The operator as written.
    pub(crate) text: &'static str,
    pub(crate) does: Does,
    pub(crate) matching: Matching,
    pub(crate) steps: usize,
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.matching.is_on { "on" } else { "ignoring" };
        write!(f, "{} {word} ({})", self.text, self.matching.labels.join(", "))?;
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
            let mut side = |number: usize| inputs.get_mut(number).and_then(Option::take);
            let (left, right) = (side(0), side(1));
            let left = collect(left, self.steps, &memory).await?;
            let right = collect(right, self.steps, &memory).await?;
            self.apply(&left, &right)
        })
    }
}

impl Vectors {
    fn apply(&self, left: &StepBatch, right: &StepBatch) -> Result<StepBatch> {
        let labels = |side: &StepBatch| side.labels.iter().map(Labels::from).collect::<Vec<_>>();
        let plan = Plan::new(self.matching.clone(), &labels(left), &labels(right));
        match plan.pairs_of_rows() {
            Some(pairs) => Ok(self.whole_rows(&plan, &pairs, left, right)),
            None => self.step_by_step(&plan, left, right),
        }
    }

    /// Whether the name of what comes of a pair goes at the end.
    fn drops_name(&self, pair: &Pair, left: &StepBatch, right: &StepBatch) -> bool {
        let many = match self.matching.cardinality {
            Cardinality::OneToMany => pair.right.map(|at| right.drops_name[at]),
            _ => pair.left.map(|at| left.drops_name[at]),
        };
        !matches!(self.does, Does::Filters(_)) || many.unwrap_or(false)
    }

    fn whole_rows(&self, plan: &Plan, pairs: &[Pair], left: &StepBatch, right: &StepBatch) -> StepBatch {
        let (mut made, mut values) = (StepBatch::new(self.steps), vec![0.0; self.steps]);
        for pair in pairs {
            let (Some(of_left), Some(of_right)) = (pair.left, pair.right) else { continue };
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
            }
            let labels = LabelSet::from(&plan.results()[pair.result]);
            made.push_values(labels, self.drops_name(pair, left, right), &values, present);
        }
        made
    }

    fn step_by_step(&self, plan: &Plan, left: &StepBatch, right: &StepBatch) -> Result<StepBatch> {
        let (results, steps) = (plan.results().len(), self.steps);
        let (mut values, mut present) = (vec![0.0; results * steps], vec![Presence::none(steps); results]);
        let mut drops_name = vec![false; results];
        let mut join = Join::new(plan);
        for step in 0..steps {
            let has_left = |at: usize| left.present[at].has(step);
            let has_right = |at: usize| right.present[at].has(step);
            let combine = |pair: Pair| {
                let value = |side: &StepBatch, at: Option<usize>, fill: Option<f64>| match at {
                    Some(at) => side.values[at * steps + step],
                    None => fill.unwrap_or(f64::NAN),
                };
                let one = value(left, pair.left, self.matching.fill_left);
                let other = value(right, pair.right, self.matching.fill_right);
                let (value, is_kept) = match self.does {
                    Does::Calculates(arithmetic) => (arithmetic.apply(one, other), true),
                    Does::Flags(comparison) => (f64::from(u8::from(comparison.holds(one, other))), true),
                    Does::Filters(comparison) => (one, comparison.holds(one, other)),
                };
                if !is_kept {
                    return Outcome::Filtered;
                }
                values[pair.result * steps + step] = value;
                present[pair.result].insert(step);
                drops_name[pair.result] = self.drops_name(&pair, left, right);
                Outcome::Kept
            };
            join.step(has_left, has_right, combine).map_err(external)?;
        }
        let mut made = StepBatch::new(steps);
        let rows = values.chunks(steps).zip(present).zip(drops_name);
        for (labels, ((values, present), drops_name)) in plan.results().iter().zip(rows) {
            made.push_values(LabelSet::from(labels), drops_name, values, present);
        }
        Ok(made)
    }
}
