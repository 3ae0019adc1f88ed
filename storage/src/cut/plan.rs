//! Which rows leave the head in a cut, and as what. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use model::time::Date;

/// Blocks begin and end on UTC quarter-hours unless cuts come more often.
const QUARTER_MS: i64 = 15 * 60 * 1000;
/// Rows may arrive this late and still go into the block of their time.
const GRACE_MS: i64 = 60 * 1000;
/// Rows further above the window than this do not wait for their time: a wrong clock must not pin the journal.
pub(crate) const FUTURE_MS: i64 = 60 * 60 * 1000;
/// At most this many dates leave in one cut.
pub(crate) const MAX_DATES: usize = 32;

/// What a cut makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// It goes into the block of the window.
    Window,
    /// It goes into the late block of its date.
    Late,
    /// It stays in the head and is carried to the new generation.
    Stay,
}

/// The window of a cut, [start, end) in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Where the window of the cut before ended.
    pub(crate) start_ms: i64,
    /// The watermark W.
    pub(crate) end_ms: i64,
    /// Rows from `end_ms` up to here stay in the head; a cut that drains leaves none behind.
    pub(crate) stay_until_ms: i64,
}

impl Window {
    /// The window of a regular cut.
    pub(crate) fn new(start_ms: i64, end_ms: i64) -> Self {
        Window { start_ms, end_ms, stay_until_ms: end_ms.saturating_add(FUTURE_MS) }
    }

    /// The window of a cut after which nothing is left in the head.
    pub(crate) fn draining(start_ms: i64, end_ms: i64) -> Self {
        Window { start_ms, end_ms, stay_until_ms: end_ms.saturating_sub(1) }
    }

    /// What becomes of a row with this time, dates left aside.
    pub(crate) fn class(self, time_ms: i64) -> Class {
        if time_ms < self.start_ms {
            Class::Late
        } else if time_ms < self.end_ms {
            Class::Window
        } else if time_ms <= self.stay_until_ms {
            Class::Stay
        } else {
            Class::Late
        }
    }

    /// Whether all rows from `min_ms` to `max_ms` are of one class and one date, and which.
    pub(crate) fn uniform(self, min_ms: i64, max_ms: i64) -> Option<(Class, Date)> {
        let (first, last) = (self.class(min_ms), self.class(max_ms));
        let date = Date::of_ms(min_ms);
        // Past and future rows are both late, with the window between them.
        let same_side = (min_ms < self.start_ms) == (max_ms < self.start_ms);
        (first == last && same_side && date == Date::of_ms(max_ms)).then_some((first, date))
    }
}

/// The step on which windows end: the quarter-hour, or the time between cuts if that is shorter.
pub(crate) fn step_ms(cut_every: Duration) -> i64 {
    (cut_every.as_millis() as i64).clamp(1, QUARTER_MS)
}

/// How long a cut waits for rows of its window after the window has ended.
pub(crate) fn grace_ms(cut_every: Duration) -> i64 {
    GRACE_MS.min(cut_every.as_millis() as i64)
}

/// The last step that is at least the grace past: the watermark of a regular cut at `now_ms`.
pub(crate) fn watermark(now_ms: i64, cut_every: Duration) -> i64 {
    let step = step_ms(cut_every);
    (now_ms - grace_ms(cut_every)).div_euclid(step) * step
}

/// The dates that may leave in this cut, out of the dates of all rows that would: those of the window first, then the
/// oldest, so that none waits for ever.
pub(crate) fn admitted(dates: &BTreeMap<Date, bool>) -> Vec<Date> {
    if dates.len() <= MAX_DATES {
        return dates.keys().copied().collect();
    }
    let of_window = dates.iter().filter(|(_, in_window)| **in_window);
    let of_late = dates.iter().filter(|(_, in_window)| !**in_window);
    let mut admitted: Vec<Date> = of_window.chain(of_late).map(|(date, _)| *date).take(MAX_DATES).collect();
    admitted.sort_unstable();
    admitted
}

#[cfg(test)]
mod tests;
