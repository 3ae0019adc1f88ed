//! Scalars: one number at each step, as a row without labels.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use promql::presence::Presence;

use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, once, take};
use super::super::scalars::{ScalarArg, Scalars};
use super::super::steps::Steps;
use super::elementwise::Does;

fn row(values: Vec<f64>) -> StepBatch {
    let steps = values.len();
    let mut batch = StepBatch::new(steps);
    batch.push_values(LabelSet::default(), false, &values, Presence::all(steps));
    batch
}

/// A scalar that is the same at all steps, where an input is needed. Also `vector(…)`: its one series has no labels either.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) scalar: ScalarArg,
    pub(crate) steps: usize,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scalar)
    }
}

impl Operator for Given {
    fn name(&self) -> &'static str {
        "ScalarExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        once(async move { Ok(row(Scalars::read(&[self.scalar], &mut inputs).await?.row(0, self.steps))) })
    }
}

/// No series at all.
#[derive(Debug)]
pub(crate) struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl Operator for Nothing {
    fn name(&self) -> &'static str {
        "NothingExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, _inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        Box::pin(futures::stream::empty())
    }
}

/// `time()`.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) steps: Steps,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time()")
    }
}

impl Operator for Time {
    fn name(&self) -> &'static str {
        "TimeExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, _inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        once(async move { Ok(row(self.steps.iter().map(|time_ms| time_ms as f64 / 1000.0).collect())) })
    }
}

/// An operator between two scalars.
#[derive(Debug)]
pub(crate) struct OfScalars {
    /// The operator or function as written.
    pub(crate) text: &'static str,
    pub(crate) apply: fn(&OfScalars, f64, f64) -> f64,
    pub(crate) does: Option<Does>,
    pub(crate) scalars: [ScalarArg; 2],
    pub(crate) steps: usize,
}

impl OfScalars {
    /// What the operator makes of two numbers.
    pub(crate) fn operate(&self, left: f64, right: f64) -> f64 {
        match self.does {
            Some(Does::Calculates(arithmetic)) => arithmetic.apply(left, right),
            Some(Does::Flags(comparison) | Does::Filters(comparison)) => {
                f64::from(u8::from(comparison.holds(left, right)))
            }
            Some(Does::Trims) | None => f64::NAN,
        }
    }
}

impl fmt::Display for OfScalars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.scalars[0], self.text, self.scalars[1])
    }
}

impl Operator for OfScalars {
    fn name(&self) -> &'static str {
        "ScalarExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        once(async move {
            let scalars = Scalars::read(&self.scalars, &mut inputs).await?;
            let numbers = (0..self.steps).map(|step| (self.apply)(&self, scalars.at(0, step), scalars.at(1, step)));
            Ok(row(numbers.collect()))
        })
    }
}

/// `scalar(…)`: the value of the only series that has one, else NaN.
#[derive(Debug)]
pub(crate) struct OfVector {
    pub(crate) steps: usize,
}

impl fmt::Display for OfVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scalar")
    }
}

impl Operator for OfVector {
    fn name(&self) -> &'static str {
        "ScalarExec"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(self: Arc<Self>, mut inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        once(async move { only(take(&mut inputs, 0), self.steps).await })
    }
}

async fn only(input: Option<Batches>, steps: usize) -> Result<StepBatch> {
    let (mut values, mut counts) = (vec![f64::NAN; steps], vec![0u32; steps]);
    let Some(mut input) = input else { return Ok(row(values)) };
    while let Some(batch) = input.try_next().await? {
        for series in batch.rows() {
            for step in series.present.iter() {
                counts[step] = counts[step].saturating_add(1);
                values[step] = if counts[step] == 1 { series.values[step] } else { f64::NAN };
            }
        }
    }
    Ok(row(values))
}
