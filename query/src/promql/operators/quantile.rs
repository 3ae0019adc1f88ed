//! The aggregation `quantile`.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use promql::aggregate::{Parameter, quantile};
use promql::note::{Note, Notes};
use promql::presence::Presence;
use promql::span::Span;

use super::super::batch::StepBatch;
use super::super::node::{Batches, Operator, collect, once, take};
use super::super::remarks::Remarks;
use super::super::scalars::{ScalarArg, Scalars};
use super::aggregate::{Grouping, Groups};

/// A quantile of the values of each group.
#[derive(Debug)]
pub(crate) struct Quantile {
    pub(crate) scalar: ScalarArg,
    pub(crate) grouping: Grouping,
    pub(crate) steps: usize,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
    /// Where the vector stands.
    pub(crate) vector_span: Span,
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quantile {} {}", self.scalar, self.grouping)
    }
}

impl Operator for Quantile {
    fn name(&self) -> &'static str {
        "QuantileExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let scalars = Scalars::read(&[self.scalar], &mut inputs).await?;
            let all = collect(take(&mut inputs, 0), self.steps, &memory).await?;
            self.quantiles(&all, &scalars.row(0, self.steps))
        })
    }
}

impl Quantile {
    fn quantiles(&self, all: &StepBatch, asked: &[f64]) -> Result<StepBatch> {
        let mut notes = Notes::default();
        Parameter::new(asked).check_quantile(&mut notes);
        self.remarks.add(self.span, &notes);
        if all.histograms.iter().any(|cells| !cells.is_empty()) {
            let mut notes = Notes::default();
            notes.add(Note::HistogramIgnoredInAggregation("quantile"));
            self.remarks.add(self.vector_span, &notes);
        }
        let (mut groups, mut members) = (Groups::default(), Vec::<Vec<(&[f64], &Presence)>>::new());
        for row in all.rows() {
            let group = groups.of(&self.grouping, row.labels);
            members.resize(groups.len(), Vec::new());
            members[group].push((row.values, row.present));
        }
        let mut made = StepBatch::new(self.steps);
        for (labels, members) in groups.into_labels().into_iter().zip(members) {
            let row = quantile::quantiles(asked, &members);
            made.push_values(labels, false, &row.values, row.present);
        }
        Ok(made)
    }
}
