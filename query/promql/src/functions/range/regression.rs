//! The straight line through the numbers of a window: `deriv` and `predict_linear`.

use model::Error;

use super::{Args, Workspace};
use crate::note::Note;
use crate::summation::Sum;
use crate::value::{Value, Window};

/// The slope per second.
pub(super) fn slope(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    // Times are counted from near the samples, so that their squares keep their digits.
    Ok(with_two(window, args, work).map(|()| Value::Float(line(window, window.times_ms[0]).slope)))
}

/// Where the line is a number of seconds after the step.
pub(super) fn prediction(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    let [duration_s, _] = args.scalars;
    Ok(with_two(window, args, work).map(|()| {
        let line = line(window, args.eval_ms);
        Value::Float(line.slope * duration_s + line.intercept)
    }))
}

/// Whether there are two numbers, with a note where histograms are passed over.
pub(super) fn with_two(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Option<()> {
    if !window.values.is_empty() && !window.histograms.is_empty() {
        work.notes.add(Note::HistogramIgnoredInMixedRange(args.metric.to_owned()));
    }
    (window.values.len() > 1).then_some(())
}

/// A straight line.
struct Line {
    /// Per second.
    slope: f64,
    /// The value at the origin.
    intercept: f64,
}

/// The line of least squares, with the origin at a time.
fn line(window: &Window<'_>, origin_ms: i64) -> Line {
    let first = window.values[0];
    if window.values.iter().all(|value| *value == first) {
        let slope = if first.is_infinite() { f64::NAN } else { 0.0 };
        return Line { slope, intercept: if first.is_infinite() { f64::NAN } else { first } };
    }
    let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
    for (&time_ms, &value) in window.times_ms.iter().zip(window.values) {
        let seconds = (time_ms - origin_ms) as f64 / 1e3;
        x.add(seconds);
        y.add(value);
        xy.add(seconds * value);
        xx.add(seconds * seconds);
    }
    let count = window.values.len() as f64;
    let [x, y, xy, xx] = [x, y, xy, xx].map(Sum::total);
    let slope = (xy - x * y / count) / (xx - x * x / count);
    Line { slope, intercept: y / count - slope * x / count }
}
