//! What becomes of the samples of a series at each step: the newest one, or a function over a window.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use model::batch::is_stale;
use promql::functions::range::{Args, Boundary, RangeFunction, Workspace, counter_note};
use promql::presence::Presence;
use promql::span::Span;
use promql::value::Value;

use super::labels::LabelSet;
use super::remarks::Remarks;
use super::scalars::Scalars;
use super::steps::{Looks, Samples, Windows};
use crate::error::external;

/// Makes the values of a series out of its samples. Its text is shown by EXPLAIN.
pub(crate) trait Evaluate: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether it is to be given staleness markers.
    fn wants_markers(&self) -> bool;

    /// Whether the values are no longer those of the metric.
    fn drops_name(&self) -> bool;

    /// The values at the steps.
    ///
    /// # Errors
    /// `Invalid` for arguments that a function refuses.
    fn row(&self, series: Series<'_>, values: &mut [f64], present: &mut Presence) -> Result<()>;
}

/// A series with what its values are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series<'a> {
    pub(crate) labels: &'a LabelSet,
    pub(crate) samples: &'a Samples,
    pub(crate) looks: &'a Looks,
    /// The scalar arguments.
    pub(crate) scalars: &'a Scalars,
}

/// The newest sample, unless it is too old or ends its series: an instant selector.
#[derive(Debug)]
pub(crate) struct Newest {
    /// A sample counts for so long, in milliseconds; one that is just as old does not.
    pub(crate) lookback_ms: i64,
    /// The time of the sample instead of its value, in seconds.
    pub(crate) takes_time: bool,
}

impl fmt::Display for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.takes_time { "time of the newest" } else { "newest" };
        write!(f, "{what} within {} ms", self.lookback_ms)
    }
}

impl Evaluate for Newest {
    fn wants_markers(&self) -> bool {
        true
    }

    fn drops_name(&self) -> bool {
        self.takes_time
    }

    fn row(&self, series: Series<'_>, values: &mut [f64], present: &mut Presence) -> Result<()> {
        let (times_ms, numbers) = (&series.samples.times_ms, &series.samples.values);
        let mut next = 0;
        let newest = |_: usize, look_ms: i64| {
            while times_ms.get(next).is_some_and(|time| *time <= look_ms) {
                next += 1;
            }
            let Some(at) = next.checked_sub(1) else { return Ok(None) };
            let counts = times_ms[at] > look_ms.saturating_sub(self.lookback_ms) && !is_stale(numbers[at]);
            Ok(counts.then(|| if self.takes_time { times_ms[at] as f64 / 1000.0 } else { numbers[at] }))
        };
        fill(series.looks, series.scalars, newest, values, present)
    }
}

/// A function over a window before each step.
pub(crate) struct OverWindow {
    /// The function's name.
    pub(crate) name: &'static str,
    pub(crate) function: RangeFunction,
    /// The length of the window in milliseconds.
    pub(crate) range_ms: i64,
    /// How the window meets its samples at both ends.
    pub(crate) boundary: Boundary,
    /// How far samples count beyond the ends of a window whose ends are not open, in milliseconds.
    pub(crate) lookback_ms: i64,
    /// Where its notes go, with its place in the expression.
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
}

impl OverWindow {
    /// How far before the beginning and behind the end of a window it looks, in milliseconds.
    pub(crate) fn reach(&self) -> (i64, i64) {
        match self.boundary {
            Boundary::Open => (0, 0),
            Boundary::Anchored => (self.lookback_ms, 0),
            Boundary::Smoothed => (self.lookback_ms, self.lookback_ms),
        }
    }
}

impl fmt::Debug for OverWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for OverWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {} ms", self.name, self.range_ms)
    }
}

impl Evaluate for OverWindow {
    fn wants_markers(&self) -> bool {
        false
    }

    fn drops_name(&self) -> bool {
        !matches!(self.name, "first_over_time" | "last_over_time")
    }

    fn row(&self, series: Series<'_>, values: &mut [f64], present: &mut Presence) -> Result<()> {
        let mut windows = Windows::new(series.samples, self.range_ms, self.reach());
        let mut workspace = Workspace::default();
        let (metric, steps) = (series.labels.get(model::labels::NAME_LABEL), series.looks.steps());
        let over = |step: usize, look_ms: i64| {
            let window = windows.ending(look_ms);
            if window.is_empty() {
                return Ok(None);
            }
            let scalars = [series.scalars.at(0, step), series.scalars.at(1, step)];
            let args = Args { scalars, eval_ms: steps.time_ms(step), boundary: self.boundary, metric };
            match (self.function)(&window, &args, &mut workspace).map_err(external)? {
                Some(Value::Float(value)) => Ok(Some(value)),
                Some(Value::Histogram(_)) | None => Ok(None),
            }
        };
        fill(series.looks, series.scalars, over, values, present)?;
        if !present.is_empty()
            && let Some(note) = counter_note(self.name, metric)
        {
            workspace.notes.add(note);
        }
        self.remarks.add(self.span, &workspace.notes);
        Ok(())
    }
}

/// Sets the value of each step to that of its look, given the step and the instant; in order of time.
fn fill(
    looks: &Looks,
    scalars: &Scalars,
    mut look: impl FnMut(usize, i64) -> Result<Option<f64>>,
    values: &mut [f64],
    present: &mut Presence,
) -> Result<()> {
    let is_fixed = looks.is_fixed();
    // What `@` fixes is the same at all steps, unless arguments differ.
    let evaluated = if is_fixed && scalars.are_constant() { 1 } else { values.len() };
    for (step, value) in values.iter_mut().enumerate().take(evaluated) {
        if let Some(found) = look(step, looks.time_ms(step))? {
            *value = found;
            present.insert(step);
        }
    }
    if evaluated < values.len() && present.has(0) {
        values.fill(values[0]);
        *present = Presence::all(values.len());
    }
    Ok(())
}
