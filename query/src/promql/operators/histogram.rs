//! Functions of histograms: of one native histogram, and quantiles and fractions, which know classic ones too.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use model::labels::NAME_LABEL;
use promql::aggregate::Parameter;
use promql::functions::histogram::classic::{ClassicBucket, bucket_bound, bucket_fraction, bucket_quantile};
use promql::functions::histogram::fraction::fraction;
use promql::functions::histogram::moments;
use promql::functions::histogram::quantile::{quantile, quantile_label};
use promql::histogram::FloatHistogram;
use promql::note::{Note, Notes};
use promql::span::Span;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, collect, each, once, take};
use super::super::remarks::Remarks;
use super::super::scalars::{ScalarArg, Scalars};
use super::super::steps::Steps;

/// The label that tells the upper bound of a classic bucket.
const BOUND_LABEL: &str = "le";

/// A number of a native histogram.
type MomentFunction = fn(&FloatHistogram) -> f64;

/// The function of a name, if it makes a number of a native histogram.
pub(crate) fn moment(name: &str) -> Option<MomentFunction> {
    Some(match name {
        "histogram_avg" => moments::avg,
        "histogram_count" => moments::count,
        "histogram_stddev" => moments::stddev,
        "histogram_stdvar" => moments::stdvar,
        "histogram_sum" => moments::sum,
        _ => return None,
    })
}

/// A number of each native histogram; numbers are passed over.
pub(crate) struct Moment {
    pub(crate) name: &'static str,
    pub(crate) function: MomentFunction,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Operator for Moment {
    fn name(&self) -> &'static str {
        "HistogramExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, Vec::new(), move |batch, _| {
            let mut made = StepBatch::new(batch.steps);
            for row in batch.rows() {
                let mut numbers = made.push(row.labels.clone(), true);
                for (step, histogram) in row.histograms {
                    numbers.set(*step, promql::value::Value::Float((self.function)(histogram)));
                }
                made.pop_if_absent();
            }
            Ok(made)
        })
    }
}

/// What is sought in histograms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sought {
    /// The observation below which a share of all is; the share is the argument.
    Quantile,
    /// The share of the observations between two values, the arguments.
    Fraction,
    /// Several quantiles, the arguments, with a label that tells which one it is.
    Quantiles {
        /// The name of the label.
        label: String,
    },
}

/// Quantiles and fractions of native and of classic histograms.
#[derive(Debug)]
pub(crate) struct OfHistograms {
    pub(crate) sought: Sought,
    pub(crate) scalars: Vec<ScalarArg>,
    pub(crate) steps: Steps,
    pub(crate) remarks: Arc<Remarks>,
    /// Where the histograms stand in the expression, and each scalar.
    pub(crate) span: Span,
    pub(crate) scalar_spans: Vec<Span>,
}

impl fmt::Display for OfHistograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.sought)?;
        self.scalars.iter().try_for_each(|scalar| write!(f, ", {scalar}"))
    }
}

impl Operator for OfHistograms {
    fn name(&self) -> &'static str {
        "HistogramExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        once(async move {
            let scalars = Scalars::read(&self.scalars, &mut inputs).await?;
            let all = collect(take(&mut inputs, 0), self.steps.count, &memory).await?;
            self.evaluate(&all, &scalars)
        })
    }
}

/// Series that are one classic histogram, and the native histogram that has the same labels.
#[derive(Debug, Default)]
struct Family {
    /// Upper bounds, and numbers of rows.
    buckets: Vec<(f64, usize)>,
    native: Option<usize>,
}

impl OfHistograms {
    fn evaluate(&self, all: &StepBatch, scalars: &Scalars) -> Result<StepBatch> {
        self.check_shares(scalars);
        let mut notes = Notes::default();
        let mut made = StepBatch::new(self.steps.count);
        for (labels, family) in families(all, &mut notes) {
            match &self.sought {
                Sought::Quantiles { label } => {
                    for number in 0..self.scalars.len() {
                        // The label tells the share, which is the same at all steps in all but odd queries.
                        let label = labels.with(label, &quantile_label(scalars.at(number, 0)));
                        let ask = |step: usize| [scalars.at(number, step), 0.0];
                        self.family(all, &label, &family, ask, &mut made, &mut notes);
                    }
                }
                _ => {
                    let ask = |step: usize| [scalars.at(0, step), scalars.at(1, step)];
                    self.family(all, &labels, &family, ask, &mut made, &mut notes);
                }
            }
        }
        self.remarks.add(self.span, &notes);
        Ok(made)
    }

    /// Says which shares are none.
    fn check_shares(&self, scalars: &Scalars) {
        if self.sought == Sought::Fraction {
            return;
        }
        for (number, span) in self.scalar_spans.iter().enumerate() {
            let mut notes = Notes::default();
            Parameter::new(&scalars.row(number, self.steps.count)).check_quantile(&mut notes);
            self.remarks.add(*span, &notes);
        }
    }

    fn family(
        &self,
        all: &StepBatch,
        labels: &LabelSet,
        family: &Family,
        ask: impl Fn(usize) -> [f64; 2],
        made: &mut StepBatch,
        notes: &mut Notes,
    ) {
        let metric = labels.get(NAME_LABEL).to_owned();
        let mut row = made.push(labels.clone(), true);
        let mut buckets = Vec::with_capacity(family.buckets.len());
        let mut cells = family.native.map(|number| all.histograms[number].iter().peekable());
        for (step, time_ms) in self.steps.iter().enumerate() {
            let native = cells.as_mut().and_then(|cells| cells.next_if(|cell| cell.0 == step)).map(|cell| &cell.1);
            buckets.clear();
            let there = family.buckets.iter().filter(|(_, number)| all.present[*number].has(step));
            buckets.extend(
                there.map(|(upper, number)| ClassicBucket { upper: *upper, count: all.row(*number).values[step] }),
            );
            let [first, second] = ask(step);
            let value = match (native, buckets.is_empty(), &self.sought) {
                (Some(_), false, _) => {
                    notes.add(Note::MixedClassicNativeHistograms(metric.clone()));
                    continue;
                }
                (None, true, _) => continue,
                (Some(native), true, Sought::Fraction) => fraction(first, second, native, &metric, notes),
                (Some(native), true, _) => quantile(first, native, &metric, notes),
                (None, false, Sought::Fraction) => bucket_fraction(first, second, &mut buckets),
                (None, false, _) => bucket_quantile(first, &mut buckets, &metric, time_ms, notes),
            };
            row.set(step, promql::value::Value::Float(value));
        }
        made.pop_if_absent();
    }
}

/// The histograms by their labels without the bound, in the order in which they come.
fn families(all: &StepBatch, notes: &mut Notes) -> Vec<(LabelSet, Family)> {
    let (mut numbers, mut families) = (HashMap::new(), Vec::<(LabelSet, Family)>::new());
    let mut family = |labels: LabelSet| {
        let number = *numbers.entry(labels.clone()).or_insert(families.len());
        if number == families.len() {
            families.push((labels, Family::default()));
        }
        number
    };
    let mut found = Vec::new();
    for (number, row) in all.rows().enumerate() {
        if !row.histograms.is_empty() {
            found.push((family(row.labels.clone()), number, None));
        }
        if row.present.is_empty() {
            continue;
        }
        let metric = row.labels.get(NAME_LABEL);
        if let Some(upper) = bucket_bound(row.labels.get(BOUND_LABEL), metric, notes) {
            found.push((family(row.labels.filtered(|name| name != BOUND_LABEL)), number, Some(upper)));
        }
    }
    for (of, number, upper) in found {
        match upper {
            Some(upper) => families[of].1.buckets.push((upper, number)),
            None => families[of].1.native = Some(number),
        }
    }
    families
}
