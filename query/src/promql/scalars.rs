//! Scalar arguments of functions and operators: constants, or a number at each step.

use std::fmt;

use datafusion::common::Result;
use futures::TryStreamExt;

use super::node::Batches;

/// Where a scalar argument comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ScalarArg {
    /// It is the same at all steps.
    Constant(f64),
    /// It is the one row of the input with this number.
    Input(usize),
}

impl fmt::Display for ScalarArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScalarArg::Constant(value) => write!(f, "{value}"),
            ScalarArg::Input(number) => write!(f, "input {number}"),
        }
    }
}

/// Scalar arguments with their numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scalars(Vec<Scalar>);

#[derive(Debug, Clone)]
enum Scalar {
    Constant(f64),
    Steps(Vec<f64>),
}

impl Scalars {
    /// Reads the arguments that are inputs; these are taken.
    ///
    /// # Errors
    /// Those of the inputs.
    pub(crate) async fn read(args: &[ScalarArg], inputs: &mut [Option<Batches>]) -> Result<Self> {
        let mut scalars = Vec::with_capacity(args.len());
        for arg in args {
            scalars.push(match arg {
                ScalarArg::Constant(value) => Scalar::Constant(*value),
                ScalarArg::Input(number) => {
                    let mut values = Vec::new();
                    let mut input = inputs.get_mut(*number).and_then(Option::take);
                    while let Some(input) = &mut input
                        && let Some(batch) = input.try_next().await?
                    {
                        values = batch.values;
                    }
                    Scalar::Steps(values)
                }
            });
        }
        Ok(Scalars(scalars))
    }

    /// The argument with this number at a step; NaN if there is none.
    pub(crate) fn at(&self, number: usize, step: usize) -> f64 {
        match self.0.get(number) {
            Some(Scalar::Constant(value)) => *value,
            Some(Scalar::Steps(values)) => values.get(step).copied().unwrap_or(f64::NAN),
            None => f64::NAN,
        }
    }

    /// Whether all are the same at all steps.
    pub(crate) fn are_constant(&self) -> bool {
        self.0.iter().all(|scalar| matches!(scalar, Scalar::Constant(_)))
    }

    /// The numbers of an argument at all steps.
    pub(crate) fn row(&self, number: usize, steps: usize) -> Vec<f64> {
        (0..steps).map(|step| self.at(number, step)).collect()
    }

    /// All arguments at a step.
    pub(crate) fn all_at(&self, step: usize) -> Vec<f64> {
        (0..self.0.len()).map(|number| self.at(number, step)).collect()
    }
}
