//! Subqueries: a function over windows of what an expression gives at steps of its own.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::super::batch::StepBatch;
use super::super::evaluate::{Evaluate, Series};
use super::super::node::{Batches, Operator, each};
use super::super::scalars::{ScalarArg, Scalars};
use super::super::steps::{Looks, Samples, Steps};

/// Evaluates a function over windows of the values of its input.
#[derive(Debug)]
pub(crate) struct OverSubquery {
    pub(crate) evaluate: Arc<dyn Evaluate>,
    pub(crate) scalars: Vec<ScalarArg>,
    /// The steps of the input.
    pub(crate) inner: Steps,
    pub(crate) looks: Looks,
}

impl fmt::Display for OverSubquery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Steps { count, step_ms, .. } = self.inner;
        write!(f, "{}, {count} steps of {step_ms} ms", self.evaluate)
    }
}

impl Operator for OverSubquery {
    fn name(&self) -> &'static str {
        "SubqueryExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        let scalars = self.scalars.clone();
        each(inputs, scalars, move |batch, scalars| self.evaluate_all(&batch, scalars))
    }
}

impl OverSubquery {
    fn evaluate_all(&self, batch: &StepBatch, scalars: &Scalars) -> Result<StepBatch> {
        let mut made = StepBatch::new(self.looks.steps().count);
        let mut samples = Samples::default();
        for row in batch.rows() {
            samples.clear();
            samples.times_ms.extend(row.present.iter().map(|step| self.inner.time_ms(step)));
            samples.values.extend(row.present.iter().map(|step| row.values[step]));
            let histograms = row.histograms.iter();
            samples.histograms.extend(histograms.map(|(step, one)| (self.inner.time_ms(*step), one.clone())));
            let series = Series { labels: row.labels, samples: &samples, looks: &self.looks, scalars };
            let mut made_row = made.push(row.labels.clone(), row.drops_name || self.evaluate.drops_name());
            self.evaluate.row(series, &mut made_row)?;
            made.pop_if_absent();
        }
        Ok(made)
    }
}
