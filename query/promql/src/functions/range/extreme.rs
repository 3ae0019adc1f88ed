//! The greatest and the least number of a window, and when they were.

use model::Error;

use super::statistics::of_numbers;
use super::{Args, Workspace};
use crate::value::{Value, Window};

/// The greatest number.
pub(super) fn max(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(of_numbers(window, args, work).map(|values| Value::Float(fold(values, |value, max| value > max))))
}

/// The least number.
pub(super) fn min(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(of_numbers(window, args, work).map(|values| Value::Float(fold(values, |value, min| value < min))))
}

/// What takes the place of whatever is no number, or else of what it is better than.
fn fold(values: &[f64], is_better: impl Fn(f64, f64) -> bool) -> f64 {
    values.iter().fold(f64::NAN, |best, &value| if is_better(value, best) || best.is_nan() { value } else { best })
}

/// When the greatest number was, in seconds; the last time if it was there more than once.
pub(super) fn time_of_max(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(time_of(window, args, work, |value, max| value >= max))
}

/// When the least number was, in seconds; the last time if it was there more than once.
pub(super) fn time_of_min(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(time_of(window, args, work, |value, min| value <= min))
}

fn time_of(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
    is_better: impl Fn(f64, f64) -> bool,
) -> Option<Value> {
    let values = of_numbers(window, args, work)?;
    let (mut best, mut best_ms) = (values[0], window.times_ms[0]);
    for (&value, &time_ms) in values.iter().zip(window.times_ms) {
        if is_better(value, best) || best.is_nan() {
            (best, best_ms) = (value, time_ms);
        }
    }
    Some(Value::Float(best_ms as f64 / 1000.0))
}
