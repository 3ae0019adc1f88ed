//! How many series of a group have the same value: `count_values`.

use std::collections::HashMap;

use model::Error;

use super::Row;
use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::number::plain_text;
use crate::presence::Presence;
use crate::quote::Quoted;

/// How series are grouped, and which label tells their value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    label: String,
    is_without: bool,
    names: Vec<String>,
}

impl Grouping {
    /// Of `by` or `without` some names.
    ///
    /// # Errors
    /// `Invalid` for a label without a name.
    pub fn new(label: &str, is_without: bool, names: Vec<String>) -> Result<Self, Error> {
        if label.is_empty() {
            return Err(Error::invalid(format!("invalid label name {}", Quoted(label))));
        }
        Ok(Grouping { label: label.to_owned(), is_without, names })
    }

    /// The labels of the group that a series belongs to.
    pub fn group(&self, series: &Labels) -> Labels {
        let mut labels = series.grouped(self.is_without, &self.names);
        labels.set(&self.label, "");
        labels
    }

    /// Whether `without` takes the label away that would tell the value: all values are counted together then.
    fn hides_value(&self) -> bool {
        self.is_without && self.names.contains(&self.label)
    }

    /// The labels of a value of a group.
    pub fn result(&self, group: &Labels, value: &str) -> Labels {
        let mut labels = group.clone();
        labels.set(&self.label, value);
        labels
    }
}

/// One group while its series come in.
#[derive(Debug, Clone)]
pub struct ValueCounts {
    /// By the text of a value and the step.
    counts: HashMap<String, HashMap<usize, u32>>,
    steps: usize,
    hides_value: bool,
}

impl ValueCounts {
    /// A group of nothing yet.
    pub fn new(grouping: &Grouping, steps: usize) -> Self {
        ValueCounts { counts: HashMap::new(), steps, hides_value: grouping.hides_value() }
    }

    /// Takes the numbers of a series.
    pub fn fold(&mut self, values: &[f64], present: &Presence) {
        present.for_each(|step| self.add(step, plain_text(values[step])));
    }

    /// Takes the histograms of a series with their steps: those of the same text are one value.
    pub fn fold_histograms(&mut self, histograms: &[(usize, FloatHistogram)]) {
        histograms.iter().for_each(|(step, histogram)| self.add(*step, histogram.to_string()));
    }

    fn add(&mut self, step: usize, text: String) {
        let text = if self.hides_value { String::new() } else { text };
        *self.counts.entry(text).or_default().entry(step).or_default() += 1;
    }

    /// The count of each value, step by step, in order of the texts; a row is made as it is asked for.
    pub fn finish(self) -> impl ExactSizeIterator<Item = (String, Row)> {
        let steps = self.steps;
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        counts.into_iter().map(move |(text, counts)| (text, row(steps, &counts)))
    }
}

fn row(steps: usize, counts: &HashMap<usize, u32>) -> Row {
    let mut row = Row { values: vec![0.0; steps], present: Presence::none(steps) };
    for (&step, &count) in counts {
        row.values[step] = f64::from(count);
        row.present.insert(step);
    }
    row
}
