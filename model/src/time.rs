//! Time: the range we accept, UTC days, and the clock that tests can hold still.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The first accepted instant, 0001-01-01T00:00:00Z, in milliseconds since the Unix epoch.
pub const MIN_TIME_MS: i64 = -62_135_596_800_000;
/// The last accepted instant, 9999-12-31T23:59:59.999Z, in milliseconds since the Unix epoch.
pub const MAX_TIME_MS: i64 = 253_402_300_799_999;
/// One UTC day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
/// One millisecond in nanoseconds.
pub const MS_NANOS: i64 = 1_000_000;

/// Whether every table can hold this instant.
pub fn in_range(time_ms: i64) -> bool {
    (MIN_TIME_MS..=MAX_TIME_MS).contains(&time_ms)
}

/// A UTC day as the number of days since 1970-01-01: the partition of every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(pub i32);

impl Date {
    /// The day that contains `time_ms`, which must be [`in_range`].
    pub fn of_ms(time_ms: i64) -> Self {
        Date(time_ms.div_euclid(DAY_MS) as i32)
    }

    /// The first millisecond of the day.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// Year, month (1 to 12) and day (1 to 31) in the proleptic Gregorian calendar.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub fn civil(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month, day)
    }

    /// The day of a year, month and day; the inverse of [`Date::civil`]. `None` if there is no such day.
    pub fn from_civil(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let year_shifted = i64::from(year) - i64::from(month <= 2);
        let era = year_shifted.div_euclid(400);
        let year_of_era = year_shifted.rem_euclid(400);
        let shifted_month = i64::from(if month > 2 { month - 3 } else { month + 9 });
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Date((era * 146_097 + day_of_era - 719_468) as i32);
        (date.civil() == (year, month, day)).then_some(date)
    }

    /// Reads `YYYY-MM-DD`, the text that [`std::fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Self::from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Where the present comes from. Code of the product never asks the system directly, so that tests can decide.
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }
}

/// A clock that stands still until it is told otherwise.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        ManualClock(AtomicI64::new(now_ms))
    }

    /// Sets the time shown.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    /// Moves the time shown by `by_ms`.
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Puts rows in order of their times, in milliseconds; of those with the same time the one that was added last stays.
pub fn sort_keep_last<T>(rows: &mut Vec<(i64, T)>) {
    // They mostly come as they were made.
    if rows.is_sorted_by(|a, b| a.0 < b.0) {
        return;
    }
    rows.sort_by_key(|(time_ms, _)| *time_ms);
    // The first argument is the one that is dropped, so the later row moves forward first.
    rows.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
}

#[cfg(test)]
mod tests;
