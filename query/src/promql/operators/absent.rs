//! `absent` and `absent_over_time`: a series where a selector finds nothing.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use promql::presence::Presence;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, once, take};

/// One at each step at which no series has a value.
#[derive(Debug)]
pub(crate) struct Absent {
    /// The labels of the series: what the matchers say must be.
    pub(crate) labels: LabelSet,
    pub(crate) steps: usize,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.labels)
    }
}

impl Operator for Absent {
    fn name(&self) -> &'static str {
        "AbsentExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn gathers(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        once(async move { self.absent(take(&mut inputs, 0)).await })
    }
}

impl Absent {
    async fn absent(&self, input: Option<Batches>) -> Result<StepBatch> {
        let mut present = Presence::none(self.steps);
        if let Some(mut input) = input {
            while let Some(batch) = input.try_next().await? {
                batch.rows().for_each(|row| present.union_with(&row.all_present()));
            }
        }
        let mut absent = Presence::all(self.steps);
        absent.subtract(&present);
        let mut made = StepBatch::new(self.steps);
        made.push_values(self.labels.clone(), false, &vec![1.0; self.steps], absent);
        Ok(made)
    }
}
