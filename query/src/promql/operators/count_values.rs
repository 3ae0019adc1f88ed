//! The aggregation `count_values`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use promql::aggregate::count_values::{Grouping, ValueCounts};
use promql::labels::Labels;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, once, take};

/// What a value of a group takes at a step, roughly.
const VALUE_BYTES: usize = 48;
/// What a series of the answer takes beside its values, roughly.
const ROW_BYTES: usize = 512;

/// How many series of a group have each value.
#[derive(Debug)]
pub(crate) struct CountValues {
    pub(crate) grouping: Grouping,
    pub(crate) steps: usize,
}

impl fmt::Display for CountValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.grouping)
    }
}

impl Operator for CountValues {
    fn name(&self) -> &'static str {
        "CountValuesExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move { self.count(take(&mut inputs, 0), &memory).await })
    }
}

impl CountValues {
    async fn count(&self, input: Option<Batches>, memory: &MemoryReservation) -> Result<StepBatch> {
        let mut groups = HashMap::<Labels, ValueCounts>::new();
        let Some(mut input) = input else { return Ok(StepBatch::new(self.steps)) };
        while let Some(batch) = input.try_next().await? {
            for row in batch.rows() {
                // Every value of every step may be another one.
                memory.try_grow((row.present.count() + row.histograms.len()) * VALUE_BYTES)?;
                let group = self.grouping.group(&Labels::from(row.labels));
                let counts = groups.entry(group).or_insert_with(|| ValueCounts::new(&self.grouping, self.steps));
                counts.fold(row.values, row.present);
                counts.fold_histograms(row.histograms);
            }
        }
        let mut made = StepBatch::new(self.steps);
        for (group, counts) in groups {
            let rows = counts.finish();
            memory.try_grow(rows.len() * (self.steps * size_of::<f64>() + ROW_BYTES))?;
            for (value, row) in rows {
                let labels = LabelSet::from(&self.grouping.result(&group, &value));
                made.push_values(labels, false, &row.values, row.present);
            }
        }
        Ok(made)
    }
}
