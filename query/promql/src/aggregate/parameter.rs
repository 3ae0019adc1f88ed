//! The parameter of an aggregation over all steps: which `k`, ratios and quantiles are refused or remarked on.

use model::Error;

use crate::note::{Note, Notes};
use crate::number::short_text;

/// The first number whose whole part no signed 64 bits hold, less a rounding: Prometheus refuses it.
const COUNT_LIMIT: f64 = 9_223_372_036_854_774_784.0;

/// The range that a parameter has over all steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    least: f64,
    greatest: f64,
    is_nan_somewhere: bool,
}

impl Parameter {
    /// Of the value at each step, or of a literal number alone.
    pub fn new(values: &[f64]) -> Self {
        let is_nan_somewhere = values.iter().any(|value| value.is_nan());
        // A step that is no number hides the bounds of all others.
        let bound = |pick: fn(f64, f64) -> f64| {
            if is_nan_somewhere { f64::NAN } else { values.iter().copied().reduce(pick).unwrap_or(0.0) }
        };
        Parameter { least: bound(f64::min), greatest: bound(f64::max), is_nan_somewhere }
    }

    /// Whether `topk`, `bottomk` or `limitk` can give anything at all.
    ///
    /// # Errors
    /// `Invalid` for what is no whole number of 64 bits.
    pub fn check_count(&self) -> Result<bool, Error> {
        if self.greatest < 1.0 {
            return Ok(false);
        }
        if self.is_nan_somewhere {
            return Err(Error::invalid("Parameter value is NaN"));
        }
        if self.least <= i64::MIN as f64 {
            return Err(Error::invalid(format!("Scalar value {} underflows int64", short_text(self.least))));
        }
        if self.greatest >= COUNT_LIMIT {
            return Err(Error::invalid(format!("Scalar value {} overflows int64", short_text(self.greatest))));
        }
        Ok(true)
    }

    /// Whether `limit_ratio` can give anything at all.
    ///
    /// # Errors
    /// `Invalid` for what is no number.
    pub fn check_ratio(&self, notes: &mut Notes) -> Result<bool, Error> {
        if self.greatest == 0.0 && self.least == 0.0 {
            return Ok(false);
        }
        if self.is_nan_somewhere {
            return Err(Error::invalid("Ratio value is NaN"));
        }
        if self.greatest > 1.0 {
            notes.add(Note::InvalidRatio(short_text(self.greatest), 1));
        }
        if self.least < -1.0 {
            notes.add(Note::InvalidRatio(short_text(self.least), -1));
        }
        Ok(true)
    }

    /// Remarks on what is no quantile.
    pub fn check_quantile(&self, notes: &mut Notes) {
        if self.is_nan_somewhere {
            notes.add(Note::InvalidQuantile(short_text(f64::NAN)));
        }
        if self.greatest > 1.0 {
            notes.add(Note::InvalidQuantile(short_text(self.greatest)));
        }
        if self.least < 0.0 {
            notes.add(Note::InvalidQuantile(short_text(self.least)));
        }
    }
}
