//! Aggregations that keep some series of a group: `topk`, `bottomk`, `limitk`, `limit_ratio`.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use promql::aggregate::{Parameter, selection};
use promql::labels::Labels;
use promql::note::{Note, Notes};
use promql::presence::Presence;
use promql::span::Span;

use super::super::batch::StepBatch;
use super::super::node::{Batches, Operator, collect, once, take};
use super::super::remarks::Remarks;
use super::super::scalars::{ScalarArg, Scalars};
use super::aggregate::{Grouping, Groups};
use crate::error::external;

/// Which series are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// `topk`
    Greatest,
    /// `bottomk`
    Least,
    /// `limitk`
    First,
    /// `limit_ratio`
    Share,
}

/// Keeps some series of each group at each step.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) kept: Kept,
    /// How many, or which share.
    pub(crate) scalar: ScalarArg,
    pub(crate) grouping: Grouping,
    pub(crate) steps: usize,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
    /// Where the scalar stands.
    pub(crate) param_span: Span,
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.kept, self.scalar, self.grouping)
    }
}

impl Operator for Pick {
    fn name(&self) -> &'static str {
        "PickExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let scalars = Scalars::read(&[self.scalar], &mut inputs).await?;
            let all = collect(take(&mut inputs, 0), self.steps, &memory).await?;
            self.pick(all, &scalars.row(0, self.steps))
        })
    }
}

impl Pick {
    /// At which steps each series can be picked. A histogram is neither great nor small, which is said.
    fn candidates(&self, all: &StepBatch) -> Vec<Presence> {
        let name = match self.kept {
            Kept::Greatest => "topk",
            Kept::Least => "bottomk",
            Kept::First | Kept::Share => return all.rows().map(|row| row.all_present()).collect(),
        };
        if all.histograms.iter().any(|cells| !cells.is_empty()) {
            let mut notes = Notes::default();
            notes.add(Note::HistogramIgnoredInAggregation(name));
            self.remarks.add(self.span, &notes);
        }
        all.present.clone()
    }

    fn pick(&self, mut all: StepBatch, amounts: &[f64]) -> Result<StepBatch> {
        let (parameter, mut notes) = (Parameter::new(amounts), Notes::default());
        let gives_any = match self.kept {
            Kept::Share => parameter.check_ratio(&mut notes),
            _ => parameter.check_count(),
        };
        self.remarks.add(self.param_span, &notes);
        if !gives_any.map_err(external)? {
            return Ok(StepBatch::new(self.steps));
        }
        let labels: Vec<Labels> = all.labels.iter().map(Labels::from).collect();
        // Of equal values those count that come first in the order of the labels.
        let mut in_order: Vec<usize> = (0..all.len()).collect();
        in_order.sort_by(|a, b| labels[*a].cmp(&labels[*b]));
        let (mut groups, mut members) = (Groups::default(), Vec::<Vec<usize>>::new());
        for number in in_order {
            let group = groups.of(&self.grouping, &all.labels[number]);
            members.resize(groups.len(), Vec::new());
            members[group].push(number);
        }
        let takes = self.candidates(&all);
        let mut kept = vec![Presence::none(self.steps); all.len()];
        // An instant query shows them in this order.
        let mut order = Vec::new();
        for members in &members {
            for (step, amount) in amounts.iter().enumerate() {
                let there = members.iter().filter(|number| takes[**number].has(step));
                // A histogram counts as zero.
                let value =
                    |number: usize| if all.present[number].has(step) { all.row(number).values[step] } else { 0.0 };
                let candidates = there.map(|number| (*number, value(*number)));
                let picked = match self.kept {
                    Kept::Greatest => selection::top(*amount, candidates),
                    Kept::Least => selection::bottom(*amount, candidates),
                    Kept::First => selection::limit(*amount, candidates),
                    Kept::Share => {
                        let candidates = candidates.map(|candidate| (candidate, &labels[candidate.0]));
                        selection::in_ratio(*amount, candidates)
                    }
                };
                for (number, _) in picked {
                    if kept[number].is_empty() {
                        order.push(number);
                    }
                    kept[number].insert(step);
                }
            }
        }
        kept.iter().enumerate().for_each(|(number, kept)| all.keep(number, kept));
        let mut made = StepBatch::new(self.steps);
        order.into_iter().for_each(|number| made.push_row(all.row(number)));
        Ok(made)
    }
}
