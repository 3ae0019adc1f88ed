//! How a window meets its samples at both ends: the modifiers `anchored` and `smoothed`.

use std::ops::Range;

use model::Error;

use crate::value::Window;

/// How the samples at both ends of a window count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// Only samples within count; what is missing at the ends is extrapolated.
    #[default]
    Open,
    /// The last sample at the beginning or before stands for the beginning. The samples of the window reach back beyond its
    /// beginning by the lookback.
    Anchored,
    /// Both ends have the value that lies between the samples around them. The samples of the window reach beyond both of
    /// its ends by the lookback.
    Smoothed,
}

impl Boundary {
    /// The functions that may be used with the modifier, in order of their names; all of them without one.
    fn functions(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Boundary::Open => None,
            Boundary::Anchored => Some(("anchored", &["changes", "delta", "increase", "rate", "resets"])),
            Boundary::Smoothed => Some(("smoothed", &["delta", "increase", "rate"])),
        }
    }

    /// Whether a function may be used with the modifier.
    ///
    /// # Errors
    /// `Invalid` if not, with the functions that may.
    pub fn check(self, function: &str) -> Result<(), Error> {
        match self.functions() {
            Some((modifier, functions)) if !functions.contains(&function) => Err(Error::invalid(format!(
                "{modifier} modifier can only be used with: {} - not with {function}",
                functions.join(", ")
            ))),
            _ => Ok(()),
        }
    }
}

/// The numbers of a selector with the modifier `anchored` or `smoothed` as a range of its own: the value at each end of the
/// window, at the time of that end, and the samples between the two.
pub fn samples_between_ends(window: &Window<'_>, boundary: Boundary) -> Option<Vec<(i64, f64)>> {
    let ends = bounded(window, boundary == Boundary::Smoothed, false)?;
    let between = ends.between.map(|at| (window.times_ms[at], window.values[at]));
    let first = std::iter::once((window.start_ms, ends.first));
    Some(first.chain(between).chain([(window.end_ms, ends.last)]).collect())
}

/// The number of a selector with the modifier `smoothed` at an instant: on the line between the samples around it, or the
/// last one where none has come after it.
pub fn smoothed_at(window: &Window<'_>, time_ms: i64) -> Option<f64> {
    let next = window.times_ms.partition_point(|time| *time < time_ms);
    if window.times_ms.get(next) == Some(&time_ms) {
        return Some(window.values[next]);
    }
    let before = next.checked_sub(1)?;
    Some(if next < window.times_ms.len() { on_line(window, before, time_ms, false) } else { window.values[before] })
}

/// The value at a time between a sample and the next one. A counter that fell began again at zero.
fn on_line(window: &Window<'_>, before: usize, time_ms: i64, is_counter: bool) -> f64 {
    let (low, high) = (window.values[before], window.values[before + 1]);
    let (low_ms, high_ms) = (window.times_ms[before], window.times_ms[before + 1]);
    let low = if is_counter && high < low { 0.0 } else { low };
    low + (high - low) * (time_ms - low_ms) as f64 / (high_ms - low_ms) as f64
}

/// The numbers that count in a window with samples beyond its ends.
pub(super) struct Bounded {
    /// The value where the window begins.
    pub(super) first: f64,
    /// The value where it ends.
    pub(super) last: f64,
    /// The samples between the two.
    pub(super) between: Range<usize>,
}

/// Finds the values at both ends of a window, if any sample belongs to it. `is_counter` says that a fall is a reset.
pub(super) fn bounded(window: &Window<'_>, is_smoothed: bool, is_counter: bool) -> Option<Bounded> {
    let (times, values) = (window.times_ms, window.values);
    let mut last = times.len().checked_sub(1)?;
    let mut first = times[..last].partition_point(|time| *time <= window.start_ms).saturating_sub(1);
    if is_smoothed {
        last = times[..last].partition_point(|time| *time < window.end_ms);
    }
    if times[last] <= window.start_ms {
        return None;
    }
    let between = |before, time_ms| on_line(window, before, time_ms, is_counter);
    let first_value =
        if is_smoothed && times[first] < window.start_ms { between(first, window.start_ms) } else { values[first] };
    let last_value = if is_smoothed && last > 0 && times[last] > window.end_ms {
        between(last - 1, window.end_ms)
    } else {
        values[last]
    };
    if times[first] <= window.start_ms {
        first += 1;
    }
    let end = if times[last] >= window.end_ms { last } else { last + 1 };
    Some(Bounded { first: first_value, last: last_value, between: first..end.max(first) })
}
