//! How fast something grows: `rate`, `increase` and `delta`.

use model::Error;

use super::boundary::{Boundary, bounded};
use super::{Args, Workspace, histograms};
use crate::note::Note;
use crate::value::{Value, Window};

/// What is made of a growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Per second, of a counter.
    Rate,
    /// Of a counter, over the whole window.
    Increase,
    /// Of a gauge, over the whole window.
    Delta,
}

impl Growth {
    /// Whether a fall is a reset.
    pub(super) fn is_counter(self) -> bool {
        self != Growth::Delta
    }

    /// What the growth over the whole window is divided by.
    pub(super) fn divisor(self, window: &Window<'_>) -> f64 {
        if self == Growth::Rate { (window.end_ms - window.start_ms) as f64 / 1000.0 } else { 1.0 }
    }
}

/// The growth of a counter per second.
pub(super) fn rate(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(growth(window, args, work, Growth::Rate))
}

/// The growth of a counter.
pub(super) fn increase(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(growth(window, args, work, Growth::Increase))
}

/// The growth of a gauge.
pub(super) fn delta(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(growth(window, args, work, Growth::Delta))
}

fn growth(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace, growth: Growth) -> Option<Value> {
    if window.histograms.is_empty() {
        let value = match args.boundary {
            Boundary::Open => extrapolated(window, growth),
            boundary => between_ends(window, boundary == Boundary::Smoothed, growth),
        };
        return value.map(Value::Float);
    }
    if !window.times_ms.is_empty() {
        work.notes.add(Note::MixedFloatsHistograms(args.metric.to_owned()));
        return None;
    }
    histograms::grown(window, growth, args.boundary, args.metric, &mut work.notes).map(Value::from)
}

/// The growth between the first and the last number, carried on to the ends of the window.
fn extrapolated(window: &Window<'_>, growth: Growth) -> Option<f64> {
    let (first, last) = (*window.values.first()?, *window.values.last()?);
    let intervals = window.values.len() - 1;
    if intervals == 0 {
        return None;
    }
    let mut result = last - first;
    if growth.is_counter() {
        result = corrected(result, window.values);
    }
    let sampled =
        Sampled { first_ms: window.times_ms[0], last_ms: window.times_ms[intervals], intervals, first, growth: result };
    Some(result * sampled.factor(window, growth))
}

/// What is known of a series between the first and the last sample of a window.
pub(super) struct Sampled {
    /// The time of the first sample.
    pub(super) first_ms: i64,
    /// The time of the last one.
    pub(super) last_ms: i64,
    /// How many samples there are behind the first one.
    pub(super) intervals: usize,
    /// The first number, or the observations of the first histogram.
    pub(super) first: f64,
    /// By how much it grew until the last one.
    pub(super) growth: f64,
}

impl Sampled {
    /// What the growth between the samples is multiplied by, so that it is one of the whole window, or per second of it.
    ///
    /// It is carried on to an end of the window where a sample is near enough that the series seems to go on there: nearer
    /// than 1.1 times the mean distance between two samples. Otherwise it is carried on for half that distance.
    #[inline]
    pub(super) fn factor(&self, window: &Window<'_>, growth: Growth) -> f64 {
        let seconds = |from_ms: i64, to_ms: i64| (to_ms - from_ms) as f64 / 1000.0;
        let sampled = seconds(self.first_ms, self.last_ms);
        let average = sampled / self.intervals as f64;
        let near = average * 1.1;
        let mut to_start = seconds(window.start_ms, self.first_ms);
        let mut to_end = seconds(self.last_ms, window.end_ms);
        if to_start >= near {
            to_start = average / 2.0;
        }
        if growth.is_counter() && self.growth > 0.0 && self.first >= 0.0 {
            // No counter begins below zero: it is not carried on beyond where it was zero.
            let to_zero = sampled * (self.first / self.growth);
            if to_zero < to_start {
                to_start = to_zero;
            }
        }
        if to_end >= near {
            to_end = average / 2.0;
        }
        let mut factor = 1.0;
        if sampled != 0.0 {
            factor = (sampled + to_start + to_end) / sampled;
        }
        if growth == Growth::Rate {
            factor /= growth.divisor(window);
        }
        factor
    }
}

/// Adds to a growth what a counter lost at its resets.
fn corrected(growth: f64, values: &[f64]) -> f64 {
    let pairs = || values.iter().zip(&values[1..]);
    // Resets are rare: looking for one first is a loop that runs on vectors.
    if !pairs().fold(false, |any, (before, value)| any | (value < before)) {
        return growth;
    }
    pairs().filter(|(before, value)| value < before).fold(growth, |growth, (before, _)| growth + before)
}

/// The growth between the values at both ends of a window.
fn between_ends(window: &Window<'_>, is_smoothed: bool, growth: Growth) -> Option<f64> {
    if window.times_ms.first().is_none_or(|first_ms| is_smoothed && *first_ms > window.end_ms) {
        return None;
    }
    let ends = bounded(window, is_smoothed, growth.is_counter())?;
    let mut result = ends.last - ends.first;
    if growth.is_counter() {
        let (mut lost, mut before) = (0.0, ends.first);
        for &value in window.values[ends.between].iter().chain([&ends.last]) {
            if value < before {
                lost += before;
            }
            before = value;
        }
        result += lost;
    }
    Some(result / growth.divisor(window))
}

/// What `rate` and `increase` say of a metric whose name is not that of a counter, if it gave a number.
pub fn counter_note(function: &str, metric: &str) -> Option<Note> {
    let is_counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|suffix| metric.ends_with(suffix));
    let is_asked = matches!(function, "rate" | "increase") && !metric.is_empty();
    (is_asked && !is_counter).then(|| Note::PossibleNonCounter(metric.to_owned()))
}
