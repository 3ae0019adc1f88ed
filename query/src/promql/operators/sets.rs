//! The operators on sets of series: `and`, `or`, `unless`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use promql::labels::Labels;
use promql::matching::{SetOperator, groups};

use super::super::batch::StepBatch;
use super::super::node::{Batches, Operator, collect, once, take};

/// An operator on two sets of series.
#[derive(Debug)]
pub(crate) struct Sets {
    pub(crate) operator: SetOperator,
    pub(crate) is_on: bool,
    pub(crate) names: Vec<String>,
    pub(crate) steps: usize,
}

impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_on { "on" } else { "ignoring" };
        write!(f, "{:?} {word} ({})", self.operator, self.names.join(", "))
    }
}

impl Operator for Sets {
    fn name(&self) -> &'static str {
        "SetExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let left = collect(take(&mut inputs, 0), self.steps, &memory).await?;
            let right = collect(take(&mut inputs, 1), self.steps, &memory).await?;
            self.apply(left, right)
        })
    }
}

impl Sets {
    fn apply(&self, mut left: StepBatch, mut right: StepBatch) -> Result<StepBatch> {
        let labels = |side: &StepBatch| side.labels.iter().map(Labels::from).collect::<Vec<_>>();
        for group in groups(self.is_on, &self.names, &labels(&left), &labels(&right)) {
            let mut of_left: Vec<_> = group.left.iter().map(|at| left.row(*at).all_present()).collect();
            let mut of_right: Vec<_> = group.right.iter().map(|at| right.row(*at).all_present()).collect();
            self.operator.apply(self.steps, &mut of_left, &mut of_right);
            group.left.iter().zip(of_left).for_each(|(at, kept)| left.keep(*at, &kept));
            group.right.iter().zip(of_right).for_each(|(at, kept)| right.keep(*at, &kept));
        }
        let (mut made, mut known) = (StepBatch::new(self.steps), HashMap::new());
        for row in left.rows() {
            let number = made.len();
            made.push_row(row);
            if made.len() > number {
                known.insert(row.labels, number);
            }
        }
        // A series that is now of the left side and now of the right one is one series.
        for row in right.rows().filter(|row| !row.all_present().is_empty()) {
            match known.get(row.labels) {
                Some(number) => made.join(*number, row),
                None => made.push_row(row),
            }
        }
        Ok(made)
    }
}
