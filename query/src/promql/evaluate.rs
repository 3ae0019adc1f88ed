//! What becomes of the samples of a series at each step: the newest one, or a function over a window.

use std::fmt;
use std::sync::Arc;

use model::batch::is_stale;
use promql::note::Notes;
use promql::value::{Value, Window};

use super::remarks::Remarks;
use super::steps::{Looks, Samples, Windows};

/// Makes the values of a series out of its samples. Its text is shown by EXPLAIN.
pub(crate) trait Evaluate: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether it is to be given staleness markers.
    fn wants_markers(&self) -> bool;

    /// Whether the values are no longer those of the metric.
    fn drops_name(&self) -> bool;

    /// The values at the steps; `present` is false where there is none.
    fn row(&self, samples: &Samples, looks: &Looks, values: &mut [f64], present: &mut [bool]);
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

    fn row(&self, samples: &Samples, looks: &Looks, values: &mut [f64], present: &mut [bool]) {
        let mut next = 0;
        let newest = |look_ms: i64| {
            while samples.times_ms.get(next).is_some_and(|time| *time <= look_ms) {
                next += 1;
            }
            let at = next.checked_sub(1)?;
            let (time_ms, value) = (samples.times_ms[at], samples.values[at]);
            let counts = time_ms > look_ms.saturating_sub(self.lookback_ms) && !is_stale(value);
            counts.then_some(if self.takes_time { time_ms as f64 / 1000.0 } else { value })
        };
        fill(looks, newest, values, present);
    }
}

/// A function over the window of a range selector.
pub(crate) type WindowFunction = dyn Fn(&Window<'_>, &mut Notes) -> Option<Value> + Send + Sync;

/// A function over a window before each step.
pub(crate) struct OverWindow {
    /// The function's name.
    pub(crate) name: &'static str,
    pub(crate) function: Box<WindowFunction>,
    /// The length of the window in milliseconds.
    pub(crate) range_ms: i64,
    pub(crate) keeps_name: bool,
    /// Where its notes go, with its place in the expression.
    pub(crate) remarks: Arc<Remarks>,
    pub(crate) span: promql::span::Span,
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
        !self.keeps_name
    }

    fn row(&self, samples: &Samples, looks: &Looks, values: &mut [f64], present: &mut [bool]) {
        let (mut windows, mut notes) = (Windows::new(samples, self.range_ms), Notes::default());
        let over = |look_ms: i64| {
            let window = windows.ending(look_ms);
            match (self.function)(&window, &mut notes).filter(|_| !window.is_empty())? {
                Value::Float(value) => Some(value),
                Value::Histogram(_) => None,
            }
        };
        fill(looks, over, values, present);
        self.remarks.add(self.span, &notes);
    }
}

/// Sets the value of each step to that of its look; looks at each instant once, in order of time.
fn fill(looks: &Looks, mut look: impl FnMut(i64) -> Option<f64>, values: &mut [f64], present: &mut [bool]) {
    let distinct = looks.distinct();
    for (number, look_ms) in distinct.iter().enumerate() {
        if let Some(value) = look(look_ms) {
            (values[number], present[number]) = (value, true);
        }
    }
    // What `@` fixes is looked at once and is the same at all steps.
    if distinct.count < values.len() {
        values.fill(values[0]);
        present.fill(present[0]);
    }
}
