//! Smoothing by level and trend, after Holt: `double_exponential_smoothing`.

use model::Error;

use super::regression::with_two;
use super::{Args, Workspace};
use crate::number::fixed_text;
use crate::value::{Value, Window};

/// The smoothed value at the end of the window.
pub(super) fn double_exponential_smoothing(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
) -> Result<Option<Value>, Error> {
    let [smoothing, trend_factor] = args.scalars;
    check("smoothing", "sf", smoothing)?;
    check("trend", "tf", trend_factor)?;
    if with_two(window, args, work).is_none() {
        return Ok(None);
    }
    let values = window.values;
    let (mut before, mut level, mut trend) = (0.0, values[0], values[1] - values[0]);
    for (at, value) in values[1..].iter().enumerate() {
        let measured = smoothing * value;
        if at > 0 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let expected = (1.0 - smoothing) * (level + trend);
        (before, level) = (level, measured + expected);
    }
    Ok(Some(Value::Float(level)))
}

fn check(what: &str, name: &str, factor: f64) -> Result<(), Error> {
    if factor <= 0.0 || factor >= 1.0 {
        let factor = fixed_text(factor);
        return Err(Error::invalid(format!("invalid {what} factor. Expected: 0 < {name} < 1, got: {factor}")));
    }
    Ok(())
}
