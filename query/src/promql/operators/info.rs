//! `info`: labels of info series are added to those of other series.

mod groups;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use model::Error;
use model::labels::NAME_LABEL;
use promql::presence::Presence;
use storage::Matcher;

use super::super::batch::{Row, StepBatch};
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, collect, once, take};
use crate::error::external;
use groups::Groups;

/// The labels that a series has in common with its info series.
pub(crate) const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// Adds to each series the labels of its info series, the second input, whose values are the times of their samples.
#[derive(Debug)]
pub(crate) struct Info {
    /// What the names of info series fulfil. A series of the first input with such a name stays as it is.
    pub(crate) names: Vec<Matcher>,
    /// The labels that are added; all, if none is named.
    pub(crate) labels: Vec<String>,
    /// Whether a series without an info series is left out.
    pub(crate) is_needed: bool,
    pub(crate) steps: usize,
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.labels.is_empty() {
            true => f.write_str("all labels")?,
            false => f.write_str(&self.labels.join(", "))?,
        }
        f.write_str(if self.is_needed { ", needed" } else { "" })
    }
}

impl Operator for Info {
    fn name(&self) -> &'static str {
        "InfoExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let series = collect(take(&mut inputs, 0), self.steps, &memory).await?;
            if series.is_empty() {
                return Ok(series);
            }
            let info = collect(take(&mut inputs, 1), self.steps, &memory).await?;
            self.apply(&series, &info)
        })
    }
}

impl Info {
    fn apply(&self, series: &StepBatch, info: &StepBatch) -> Result<StepBatch> {
        let is_info = |labels: &LabelSet| {
            let name = labels.get(NAME_LABEL);
            self.names.iter().all(|matcher| matcher.condition.holds(name))
        };
        let to_be_joined: Vec<Option<&LabelSet>> =
            series.labels.iter().map(|labels| Some(labels).filter(|labels| !is_info(labels))).collect();
        let mut groups = Groups::new(info, &to_be_joined)?;
        let present: Vec<Presence> = series.rows().map(|row| row.all_present()).collect();
        let mut made = Joined::new(self, series.len());
        for step in 0..self.steps {
            if !present.iter().any(|present| present.has(step)) {
                continue;
            }
            groups.look(step)?;
            for (number, row) in series.rows().enumerate().filter(|(number, _)| present[*number].has(step)) {
                match to_be_joined[number] {
                    Some(_) => made.join(number, row, &groups, step)?,
                    None => {
                        let into = made.series(row.labels.clone(), row.drops_name);
                        made.set(into, row, step)?;
                    }
                }
            }
        }
        Ok(made.batch)
    }

    /// The labels of a series with those of its info series, one a name.
    fn add(&self, labels: &LabelSet, info: &[&LabelSet]) -> Result<LabelSet> {
        let mut added = BTreeMap::new();
        for (name, value) in info.iter().flat_map(|info| info.iter()) {
            let is_wanted = self.labels.is_empty() || self.labels.iter().any(|wanted| wanted == name);
            // What a series has it keeps.
            if name == NAME_LABEL || !is_wanted || !labels.get(name).is_empty() {
                continue;
            }
            if added.insert(name, value).is_some_and(|other| other != value) {
                return Err(external(Error::invalid(format!("conflicting label: {name}"))));
            }
        }
        Ok(added.into_iter().fold(labels.clone(), |all, (name, value)| all.with(name, value)))
    }
}

/// The series that are made: one for each set of labels, whichever series has it at a step.
struct Joined<'a> {
    info: &'a Info,
    batch: StepBatch,
    numbers: HashMap<LabelSet, usize>,
    /// The info series that each series had last, and which one it became with them, if it is not left out.
    last: Vec<Option<(Vec<usize>, Option<usize>)>>,
}

impl<'a> Joined<'a> {
    fn new(info: &'a Info, series: usize) -> Self {
        Joined { info, batch: StepBatch::new(info.steps), numbers: HashMap::new(), last: vec![None; series] }
    }

    /// Adds the value of a series at a step, with the labels that its info series has there.
    fn join(&mut self, number: usize, row: Row<'_>, groups: &Groups<'_>, step: usize) -> Result<()> {
        // Info series seldom change: what came of them at the step before mostly holds.
        let known = self.last[number].take_if(|(last, _)| groups.newest(number).eq(last.iter().copied()));
        let (info, into) = match known {
            Some(known) => known,
            None => {
                let info: Vec<usize> = groups.newest(number).collect();
                let into = match info.is_empty() && self.info.is_needed {
                    true => None,
                    false => {
                        let sets: Vec<&LabelSet> = info.iter().map(|at| groups.labels(*at)).collect();
                        Some(self.series(self.info.add(row.labels, &sets)?, row.drops_name))
                    }
                };
                (info, into)
            }
        };
        self.last[number] = Some((info, into));
        into.map_or(Ok(()), |into| self.set(into, row, step))
    }

    /// The number of the series with these labels.
    fn series(&mut self, labels: LabelSet, drops_name: bool) -> usize {
        if let Some(number) = self.numbers.get(&labels) {
            return *number;
        }
        let number = self.batch.len();
        self.batch.push(labels.clone(), drops_name);
        self.numbers.insert(labels, number);
        number
    }

    fn set(&mut self, into: usize, row: Row<'_>, step: usize) -> Result<()> {
        let made = self.batch.row(into);
        let is_taken = made.present.has(step) || made.histograms.last().is_some_and(|(last, _)| *last == step);
        if is_taken {
            return Err(external(Error::invalid("vector cannot contain metrics with the same labelset")));
        }
        self.batch.row_mut(into).set(step, row.value(step));
        Ok(())
    }
}
