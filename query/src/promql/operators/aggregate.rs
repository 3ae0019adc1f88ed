//! Aggregations that take series as they come: `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use model::labels::NAME_LABEL;
use promql::aggregate::{Fold, Operator as Aggregation};
use promql::note::Notes;
use promql::span::Span;

use super::super::batch::StepBatch;
use super::super::cells;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, once, take};
use super::super::remarks::Remarks;

/// What a group takes at each step, roughly.
const STEP_BYTES: usize = 24;

/// Which labels series of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grouping {
    pub(crate) is_without: bool,
    pub(crate) names: Vec<String>,
}

impl Grouping {
    /// The labels of the group of a series.
    pub(crate) fn group(&self, labels: &LabelSet) -> LabelSet {
        let is_named = |name: &str| self.names.iter().any(|other| other == name);
        match self.is_without {
            true => labels.filtered(|name| name != NAME_LABEL && !is_named(name)),
            false if self.names.is_empty() => LabelSet::default(),
            false => labels.filtered(is_named),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_without { "without" } else { "by" };
        write!(f, "{word} ({})", self.names.join(", "))
    }
}

/// Numbers groups as their first series come.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    numbers: HashMap<LabelSet, usize>,
    labels: Vec<LabelSet>,
}

impl Groups {
    /// The number of the group of a series.
    pub(crate) fn of(&mut self, grouping: &Grouping, labels: &LabelSet) -> usize {
        let group = grouping.group(labels);
        if let Some(number) = self.numbers.get(&group) {
            return *number;
        }
        let number = self.labels.len();
        self.numbers.insert(group.clone(), number);
        self.labels.push(group);
        number
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The labels of the groups, in order of their numbers.
    pub(crate) fn into_labels(self) -> Vec<LabelSet> {
        self.labels
    }
}

/// One value of all series of a group.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) aggregation: Aggregation,
    pub(crate) grouping: Grouping,
    pub(crate) steps: usize,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.aggregation.name(), self.grouping)
    }
}

impl Operator for Aggregate {
    fn name(&self) -> &'static str {
        "AggregateStepsExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn gathers(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move { self.fold(take(&mut inputs, 0), &memory).await })
    }
}

impl Aggregate {
    async fn fold(&self, input: Option<Batches>, memory: &MemoryReservation) -> Result<StepBatch> {
        let (mut groups, mut folds) = (Groups::default(), Vec::<Fold>::new());
        // If names group, and one of them is to go, that of the group is.
        let (mut drops_name, mut notes) = (Vec::new(), Notes::default());
        let Some(mut input) = input else { return Ok(StepBatch::new(self.steps)) };
        while let Some(batch) = input.try_next().await? {
            for row in batch.rows() {
                let number = groups.of(&self.grouping, row.labels);
                if number == folds.len() {
                    memory.try_grow(self.steps * STEP_BYTES + row.labels.as_bytes().len())?;
                    folds.push(Fold::new(self.aggregation, self.steps));
                    drops_name.push(false);
                }
                drops_name[number] |= row.drops_name;
                folds[number].fold(row.values, row.present);
                if !row.histograms.is_empty() {
                    memory.try_grow(cells::bytes(row.histograms))?;
                    folds[number].fold_histograms(row.histograms, row.labels.get(NAME_LABEL), &mut notes);
                }
            }
        }
        let mut made = StepBatch::new(self.steps);
        for ((labels, fold), drops_name) in groups.into_labels().into_iter().zip(folds).zip(drops_name) {
            let answer = fold.finish(&mut notes);
            let (values, present) = (answer.row.values, answer.row.present);
            made.push_all(labels, drops_name, &values, present, answer.histograms);
        }
        self.remarks.add(self.span, &notes);
        Ok(made)
    }
}
