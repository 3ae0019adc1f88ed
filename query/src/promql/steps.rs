//! The instants at which an expression is evaluated, and those at which its selectors look.

use std::ops::Range;

use model::time::{DAY_MS, sort_keep_last};
use promql::histogram::FloatHistogram;
use promql::value::Window;

/// Instants at equal distances; an instant query has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The first instant, in milliseconds.
    pub(crate) start_ms: i64,
    /// The distance from one to the next, in milliseconds; above zero.
    pub(crate) step_ms: i64,
    /// How many there are; at least one.
    pub(crate) count: usize,
}

impl Steps {
    /// One instant.
    pub(crate) fn at(time_ms: i64) -> Self {
        Steps { start_ms: time_ms, step_ms: 1, count: 1 }
    }

    /// From a first instant on, none after `end_ms`.
    pub(crate) fn between(start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let count = (end_ms.saturating_sub(start_ms) / step_ms.max(1)).max(0) as usize + 1;
        Steps { start_ms, step_ms: step_ms.max(1), count }
    }

    /// The instant with this number, from 0 on.
    pub(crate) fn time_ms(&self, number: usize) -> i64 {
        self.start_ms + self.step_ms * number as i64
    }

    /// The instants in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> + use<> {
        let Steps { start_ms, step_ms, count } = *self;
        (0..count as i64).map(move |number| start_ms + step_ms * number)
    }
}

/// At which instants a selector looks while an expression is evaluated at its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Looks {
    steps: Steps,
    /// What `@` says, in milliseconds; it then looks at one instant for all.
    at_ms: Option<i64>,
    /// How much earlier than that it looks, in milliseconds.
    offset_ms: i64,
}

impl Looks {
    /// The looks of a selector with these modifiers.
    pub(crate) fn new(steps: Steps, at_ms: Option<i64>, offset_ms: i64) -> Self {
        Looks { steps, at_ms, offset_ms }
    }

    /// The instants at which the expression is evaluated.
    pub(crate) fn steps(&self) -> Steps {
        self.steps
    }

    /// Whether it looks at one instant whatever the step.
    pub(crate) fn is_fixed(&self) -> bool {
        self.at_ms.is_some()
    }

    /// The instant at which it looks for a step.
    pub(crate) fn time_ms(&self, step: usize) -> i64 {
        self.at_ms.unwrap_or_else(|| self.steps.time_ms(step)) - self.offset_ms
    }
}

/// Samples of one series in order of time.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples {
    pub(crate) times_ms: Vec<i64>,
    pub(crate) values: Vec<f64>,
    /// Native histograms with their times in milliseconds.
    pub(crate) histograms: Vec<(i64, FloatHistogram)>,
    /// Since when the samples from a time on count, both in milliseconds, if that was asked: told anew each day.
    pub(crate) starts_ms: Vec<(i64, i64)>,
}

impl Samples {
    /// Since when the sample of a time counts, in milliseconds, if its sender said so on that day.
    pub(crate) fn start_ms(&self, time_ms: i64) -> Option<i64> {
        let known = self.starts_ms.partition_point(|(told_ms, _)| *told_ms <= time_ms).checked_sub(1)?;
        let (told_ms, start_ms) = self.starts_ms[known];
        (told_ms.div_euclid(DAY_MS) == time_ms.div_euclid(DAY_MS)).then_some(start_ms)
    }

    pub(crate) fn clear(&mut self) {
        self.starts_ms.clear();
        self.times_ms.clear();
        self.values.clear();
        self.histograms.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.times_ms.len() + self.histograms.len()
    }

    /// Puts the numbers in order of time. Of those with the same time, the one that was added last counts.
    pub(crate) fn settle(&mut self) {
        // They mostly come as they were written: one block behind the other.
        if self.times_ms.is_sorted_by(|a, b| a < b) {
            return;
        }
        let mut pairs: Vec<(i64, f64)> = self.times_ms.drain(..).zip(self.values.drain(..)).collect();
        sort_keep_last(&mut pairs);
        (self.times_ms, self.values) = pairs.into_iter().unzip();
    }

    /// Bytes of memory taken.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.times_ms.capacity() * size_of::<i64>() + self.values.capacity() * size_of::<f64>()
    }

    /// Takes out the staleness markers.
    pub(crate) fn drop_markers(&mut self) {
        self.histograms.retain(|(_, histogram)| !model::batch::is_stale(histogram.sum));
        if !self.values.iter().any(|value| model::batch::is_stale(*value)) {
            return;
        }
        let mut values = self.values.iter();
        self.times_ms.retain(|_| values.next().is_some_and(|value| !model::batch::is_stale(*value)));
        self.values.retain(|value| !model::batch::is_stale(*value));
    }
}

/// Walks windows of equal length over samples; each call goes on from the window before.
#[derive(Debug)]
pub(crate) struct Windows<'a> {
    samples: &'a Samples,
    range_ms: i64,
    /// How far before its beginning and behind its end samples belong to a window, in milliseconds.
    reach_ms: (i64, i64),
    numbers: Range<usize>,
    histograms: Range<usize>,
}

impl<'a> Windows<'a> {
    /// Windows of a length in milliseconds over samples without staleness markers.
    pub(crate) fn new(samples: &'a Samples, range_ms: i64, reach_ms: (i64, i64)) -> Self {
        Windows { samples, range_ms, reach_ms, numbers: 0..0, histograms: 0..0 }
    }

    /// The window that ends at an instant, which must not be before that of the last call.
    pub(crate) fn ending(&mut self, end_ms: i64) -> Window<'a> {
        let Samples { times_ms, values, histograms, .. } = self.samples;
        let start_ms = end_ms.saturating_sub(self.range_ms);
        let wanted = (start_ms.saturating_sub(self.reach_ms.0), end_ms.saturating_add(self.reach_ms.1));
        slide(&mut self.numbers, wanted, |at| times_ms.get(at).copied());
        slide(&mut self.histograms, wanted, |at| histograms.get(at).map(|(time_ms, _)| *time_ms));
        Window {
            start_ms,
            end_ms,
            times_ms: &times_ms[self.numbers.clone()],
            values: &values[self.numbers.clone()],
            histograms: &histograms[self.histograms.clone()],
        }
    }
}

/// Moves a range of samples forward to those after one time and up to another.
fn slide(range: &mut Range<usize>, (after_ms, until_ms): (i64, i64), time_ms: impl Fn(usize) -> Option<i64>) {
    while time_ms(range.end).is_some_and(|time| time <= until_ms) {
        range.end += 1;
    }
    while range.start < range.end && time_ms(range.start).is_some_and(|time| time <= after_ms) {
        range.start += 1;
    }
}
