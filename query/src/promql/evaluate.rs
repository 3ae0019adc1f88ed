//! What becomes of the samples of a series at each step: the newest one, or a function over a window.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use model::batch::is_stale;
use promql::functions::range::{Args, Boundary, RangeFunction, Workspace, counter_note, histograms, smoothed_at};
use promql::histogram::FloatHistogram;
use promql::note::Notes;
use promql::presence::Presence;
use promql::span::Span;
use promql::value::Value;

use super::batch::RowMut;
use super::labels::LabelSet;
use super::remarks::Remarks;
use super::scalars::Scalars;
use super::steps::{Looks, Samples, Windows};
use crate::error::external;
use crate::run::Halt;

/// After so many samples in windows of one series it is asked whether the query is over.
const SAMPLES_UNASKED: usize = 1 << 16;

/// Makes the values of a series out of its samples. Its text is shown by EXPLAIN.
pub(crate) trait Evaluate: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether it is to be given staleness markers.
    fn wants_markers(&self) -> bool;

    /// Whether it asks since when samples count.
    fn wants_starts(&self) -> bool {
        false
    }

    /// How far before a look samples count, in milliseconds.
    fn range_ms(&self) -> i64;

    /// Whether the values are no longer those of the metric.
    fn drops_name(&self) -> bool;

    /// The values at the steps.
    ///
    /// # Errors
    /// `Invalid` for arguments that a function refuses.
    fn row(&self, series: Series<'_>, row: &mut RowMut<'_>) -> Result<()>;
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

/// What an instant selector takes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its value.
    Value,
    /// Its time in seconds.
    Time,
    /// Since when it counts, in seconds, if that is known.
    Start,
    /// Its time in seconds if it is a number, itself if it is a histogram: for series that are to have none.
    TimeOfNumber,
}

/// The newest sample, unless it is too old or ends its series: an instant selector.
#[derive(Debug)]
pub(crate) struct Newest {
    /// A sample counts for so long, in milliseconds; one that is just as old does not.
    pub(crate) lookback_ms: i64,
    pub(crate) taken: Taken,
}

impl fmt::Display for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.taken {
            Taken::Value => "newest",
            Taken::Start => "start of the newest",
            Taken::Time | Taken::TimeOfNumber => "time of the newest",
        };
        write!(f, "{what} within {} ms", self.lookback_ms)
    }
}

impl Evaluate for Newest {
    fn wants_markers(&self) -> bool {
        true
    }

    fn wants_starts(&self) -> bool {
        self.taken == Taken::Start
    }

    fn range_ms(&self) -> i64 {
        self.lookback_ms
    }

    fn drops_name(&self) -> bool {
        matches!(self.taken, Taken::Time | Taken::Start)
    }

    fn row(&self, series: Series<'_>, row: &mut RowMut<'_>) -> Result<()> {
        let Samples { times_ms, values, histograms, .. } = series.samples;
        let (mut next, mut next_histogram) = (0, 0);
        let newest = |_: usize, look_ms: i64| {
            while times_ms.get(next).is_some_and(|time| *time <= look_ms) {
                next += 1;
            }
            while histograms.get(next_histogram).is_some_and(|(time, _)| *time <= look_ms) {
                next_histogram += 1;
            }
            let number = next.checked_sub(1).map(|at| (times_ms[at], values[at]));
            let histogram = next_histogram.checked_sub(1).map(|at| &histograms[at]);
            let is_newer = |(time_ms, _): &&(i64, FloatHistogram)| number.is_none_or(|number| *time_ms > number.0);
            let (time_ms, sum, histogram) = match (histogram.filter(is_newer), number) {
                (Some((time_ms, histogram)), _) => (*time_ms, histogram.sum, Some(histogram)),
                (None, Some((time_ms, value))) => (time_ms, value, None),
                (None, None) => return Ok(None),
            };
            if is_stale(sum) || time_ms <= look_ms.saturating_sub(self.lookback_ms) {
                return Ok(None);
            }
            let start_ms = series.samples.start_ms(time_ms).filter(|_| self.taken == Taken::Start);
            Ok(Some(match (self.taken, histogram) {
                (Taken::Start, _) => return Ok(start_ms.map(|start_ms| Value::Float(start_ms as f64 / 1000.0))),
                (Taken::Time, _) | (Taken::TimeOfNumber, None) => Value::Float(time_ms as f64 / 1000.0),
                (_, Some(histogram)) => Value::Histogram(Box::new(histogram.clone())),
                (Taken::Value, None) => Value::Float(sum),
            }))
        };
        fill(series.looks, series.scalars, false, newest, row)
    }
}

/// What lies on the line between the samples around each look: an instant selector with `smoothed`.
#[derive(Debug)]
pub(crate) struct Smoothed {
    /// How far away a sample may be, in milliseconds.
    pub(crate) lookback_ms: i64,
    /// The time of the look instead of the value, in seconds.
    pub(crate) takes_time: bool,
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
}

impl fmt::Display for Smoothed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "smoothed within {} ms", self.lookback_ms)
    }
}

impl Evaluate for Smoothed {
    fn wants_markers(&self) -> bool {
        false
    }

    fn range_ms(&self) -> i64 {
        self.lookback_ms
    }

    fn drops_name(&self) -> bool {
        self.takes_time
    }

    fn row(&self, series: Series<'_>, row: &mut RowMut<'_>) -> Result<()> {
        let mut windows = Windows::new(series.samples, self.lookback_ms, (0, self.lookback_ms));
        let (metric, mut notes) = (series.labels.get(model::labels::NAME_LABEL), Notes::default());
        let between = |_: usize, look_ms: i64| {
            let window = windows.ending(look_ms);
            let mut histogram = || histograms::smoothed(&window, look_ms, metric, &mut notes);
            let value = match smoothed_at(&window, look_ms) {
                Some(value) => Some(Value::Float(value)),
                None => histogram().map(|histogram| Value::Histogram(Box::new(histogram))),
            };
            let at_or_before = window.times_ms.partition_point(|time_ms| *time_ms <= look_ms).checked_sub(1);
            let time_ms = at_or_before.map_or(look_ms, |at| window.times_ms[at]);
            let time = || Value::Float(time_ms as f64 / 1000.0);
            Ok(value.map(|value| if self.takes_time { time() } else { value }))
        };
        fill(series.looks, series.scalars, false, between, row)?;
        self.remarks.add(self.span, &notes);
        Ok(())
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
    /// Whether the query is over: windows of many samples at many steps take longer than an operator may go on for.
    pub(crate) halt: Halt,
    /// Where its notes go, with its place in the expression.
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: Span,
    /// Where it is said that a metric is no counter.
    pub(crate) counter_span: Span,
}

impl OverWindow {
    /// How far before the beginning and behind the end of a window it looks, in milliseconds.
    pub(crate) fn reach(&self) -> (i64, i64) {
        reach(self.boundary, self.lookback_ms)
    }
}

/// How far samples count before the beginning and behind the end of a window, in milliseconds.
pub(crate) fn reach(boundary: Boundary, lookback_ms: i64) -> (i64, i64) {
    match boundary {
        Boundary::Open => (0, 0),
        Boundary::Anchored => (lookback_ms, 0),
        Boundary::Smoothed => (lookback_ms, lookback_ms),
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

    fn range_ms(&self) -> i64 {
        self.range_ms
    }

    fn drops_name(&self) -> bool {
        !matches!(self.name, "first_over_time" | "last_over_time")
    }

    fn row(&self, series: Series<'_>, row: &mut RowMut<'_>) -> Result<()> {
        let mut windows = Windows::new(series.samples, self.range_ms, self.reach());
        let mut workspace = Workspace::default();
        let (metric, steps) = (series.labels.get(model::labels::NAME_LABEL), series.looks.steps());
        let mut unasked = 0;
        let over = |step: usize, look_ms: i64| {
            let window = windows.ending(look_ms);
            if window.is_empty() {
                return Ok(None);
            }
            unasked += window.times_ms.len() + window.histograms.len();
            if unasked > SAMPLES_UNASKED {
                self.halt.check()?;
                unasked = 0;
            }
            let scalars = [series.scalars.at(0, step), series.scalars.at(1, step)];
            let args = Args { scalars, eval_ms: steps.time_ms(step), boundary: self.boundary, metric };
            (self.function)(&window, &args, &mut workspace).map_err(external)
        };
        fill(series.looks, series.scalars, self.name == "predict_linear", over, row)?;
        self.remarks.add(self.span, &workspace.notes);
        if !row.present.is_empty()
            && let Some(note) = counter_note(self.name, metric)
        {
            let mut notes = Notes::default();
            notes.add(note);
            self.remarks.add(self.counter_span, &notes);
        }
        Ok(())
    }
}

/// Sets the value of each step to that of its look, given the step and the instant; in order of time. `depends_on_step` says
/// that the value may differ from step to step although the look is the same.
fn fill(
    looks: &Looks,
    scalars: &Scalars,
    depends_on_step: bool,
    mut look: impl FnMut(usize, i64) -> Result<Option<Value>>,
    row: &mut RowMut<'_>,
) -> Result<()> {
    let steps = row.values.len();
    // What `@` fixes is the same at all steps, unless arguments differ.
    let evaluated = if looks.is_fixed() && scalars.are_constant() && !depends_on_step { 1 } else { steps };
    for step in 0..evaluated {
        if let Some(value) = look(step, looks.time_ms(step))? {
            row.set(step, value);
        }
    }
    if evaluated == steps {
        return Ok(());
    }
    if row.present.has(0) {
        row.values.fill(row.values[0]);
        *row.present = Presence::all(steps);
    }
    if let Some((_, histogram)) = row.histograms.pop() {
        row.histograms.extend((0..steps).map(|step| (step, histogram.clone())));
    }
    Ok(())
}
