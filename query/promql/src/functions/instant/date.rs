//! Dates in UTC of seconds since the Unix epoch, by the Gregorian calendar forwards and backwards without end.
//!
//! The day, month and year of a number of days are found as Howard Hinnant describes it ("chrono-Compatible Low-Level Date
//! Algorithms", `civil_from_days`).

const DAY_SECONDS: i128 = 86_400;
/// Days of 400 years, after which the calendar repeats.
const CYCLE_DAYS: i128 = 146_097;
/// Days from 0000-03-01 to the epoch.
const EPOCH_DAYS: i128 = 719_468;

/// Where Go's calendar begins, 292 thousand million years ago. What is before is taken for as much before its end, 2^64 seconds
/// later.
const CALENDAR_START: i128 = -9_223_372_028_741_760_000;

/// A day and the seconds since it began.
pub(super) struct Date {
    /// Days since the epoch.
    days: i128,
    second_of_day: i128,
    year: i128,
    /// From 1 on.
    month: i128,
    day: i128,
}

/// The date of some seconds; what is behind the point is cut off. What no 64 bits hold is the least number of theirs.
pub(super) fn of(seconds: f64) -> Date {
    let is_held = seconds >= i64::MIN as f64 && seconds < -(i64::MIN as f64);
    let mut seconds = i128::from(if is_held { seconds as i64 } else { i64::MIN });
    if seconds < CALENDAR_START {
        seconds += 1 << 64;
    }
    let days = seconds.div_euclid(DAY_SECONDS);
    // Years are counted from March on, so that the day that leap years have is their last.
    let shifted = days + EPOCH_DAYS;
    let (cycle, day_of_cycle) = (shifted.div_euclid(CYCLE_DAYS), shifted.rem_euclid(CYCLE_DAYS));
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Date {
        days,
        second_of_day: seconds.rem_euclid(DAY_SECONDS),
        year: cycle * 400 + year_of_cycle + i128::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
    }
}

impl Date {
    pub(super) fn year(&self) -> f64 {
        self.year as f64
    }

    /// From 1 on.
    pub(super) fn month(&self) -> f64 {
        self.month as f64
    }

    /// From 1 on.
    pub(super) fn day_of_month(&self) -> f64 {
        self.day as f64
    }

    /// Sunday is 0.
    pub(super) fn day_of_week(&self) -> f64 {
        (self.days + 4).rem_euclid(7) as f64
    }

    /// From 1 on.
    pub(super) fn day_of_year(&self) -> f64 {
        let before: i128 = (1..self.month).map(|month| days_of(self.year, month)).sum();
        (before + self.day) as f64
    }

    pub(super) fn days_in_month(&self) -> f64 {
        days_of(self.year, self.month) as f64
    }

    pub(super) fn hour(&self) -> f64 {
        (self.second_of_day / 3600) as f64
    }

    pub(super) fn minute(&self) -> f64 {
        (self.second_of_day / 60 % 60) as f64
    }
}

fn days_of(year: i128, month: i128) -> i128 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
