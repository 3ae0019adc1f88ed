//! How much is asked for at once, and how fast the past is read.
//!
//! Pure. A source says neither how much it can answer nor how much there is, so both are found out: what came
//! decides how much is asked for next.

use std::time::Duration;

/// How long a piece is at first.
const FIRST_MS: i64 = 60_000;
/// No piece is shorter: below it, what is asked for is not what makes an answer too large.
pub(super) const LEAST_MS: i64 = 1_000;
/// No piece is longer. An empty hour costs a source as much as a full one: it looks up every series.
const MOST_MS: i64 = 6 * 3_600_000;
/// Rows that an answer is aimed at: enough to be worth a request, few enough to be held for a moment.
const ROWS: f64 = 1_000_000.0;
/// The part of an interval that one answer is aimed at, so that what is new need not wait long.
const PART: f64 = 0.25;
/// The most by which a piece becomes longer than the last.
const GROWTH: f64 = 4.0;
/// By how much of itself the length rises that is tried again after it was too much; twice as much each time it goes well.
const FIRST_RISE: f64 = 0.02;

/// The length of the next piece of one source.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    piece_ms: i64,
    /// No piece is longer for now, since a longer one was too much.
    ceiling_ms: f64,
    rise: f64,
    /// The time and the rows that an answer is aimed at.
    aim: Duration,
    aim_rows: f64,
}

impl Pace {
    /// A pace for a source that is read each `interval`, and of whose past no more than `rate` rows are read a second.
    pub(crate) fn new(interval: Duration, rate: u64) -> Self {
        let aim = interval.mul_f64(PART);
        let aim_rows = ROWS.min(rate as f64 * aim.as_secs_f64()).max(1.0);
        Pace { piece_ms: FIRST_MS, ceiling_ms: MOST_MS as f64, rise: FIRST_RISE, aim, aim_rows }
    }

    /// How long the next piece is, in milliseconds.
    pub(crate) fn piece_ms(&self) -> i64 {
        self.piece_ms
    }

    /// Takes note of an answer: how long a piece it was, its rows, the time it took.
    pub(crate) fn answered(&mut self, piece_ms: i64, rows: u64, took: Duration) {
        let by_rows = self.aim_rows / rows.max(1) as f64;
        let by_time = self.aim.as_secs_f64() / took.as_secs_f64().max(0.001);
        let wanted_ms = piece_ms as f64 * by_rows.min(by_time).min(GROWTH);
        // The rest of a hole may be short: it says nothing of a longer piece, unless it took too long.
        if piece_ms >= self.piece_ms {
            self.ceiling_ms = (self.ceiling_ms * (1.0 + self.rise)).min(MOST_MS as f64);
            self.rise *= 2.0;
            self.set(wanted_ms);
        } else if wanted_ms < piece_ms as f64 {
            self.set(wanted_ms);
        }
    }

    /// Takes note that a piece of this length was too much for the source, or for us; gives whether a shorter one is left
    /// to be tried.
    pub(crate) fn was_too_much(&mut self, piece_ms: i64) -> bool {
        self.ceiling_ms = piece_ms as f64 * 0.75;
        self.rise = FIRST_RISE;
        self.set(piece_ms as f64 / 2.0);
        self.piece_ms < piece_ms
    }

    fn set(&mut self, wanted_ms: f64) {
        self.piece_ms = (wanted_ms.min(self.ceiling_ms) as i64).clamp(LEAST_MS, MOST_MS);
    }
}

/// How long to leave a source alone after it answered `rows` of the past in `took`: as long as it worked, and so long that
/// no more than `rate` rows come a second.
pub(crate) fn pause(rows: u64, took: Duration, rate: u64) -> Duration {
    let least = Duration::from_secs_f64(rows as f64 / rate.max(1) as f64).saturating_sub(took);
    took.max(least)
}

#[cfg(test)]
mod tests;
