//! When a source is asked: at fixed instants, spread over the interval so that sources do not come at once.
//!
//! Pure. Source of the rule: `offset` and `scrapeTimestampTolerance` of Prometheus' `scrape/scrape.go` and `target.go`.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// How far a real start may be off its instant and still carry the instant's time, so that times compress.
const TOLERANCE_MS: i64 = 2;

/// The instants `offset + n × interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    interval_ms: i64,
    offset_ms: i64,
}

impl Schedule {
    /// The schedule of the source that `identity` tells from all others, the same after each start of the program.
    pub(crate) fn new(interval: Duration, identity: &str) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let offset_ms = (xxh3_64(identity.as_bytes()) % interval_ms as u64) as i64;
        Schedule { interval_ms, offset_ms }
    }

    /// The first instant after `now_ms`.
    pub(crate) fn next_after(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(self.interval_ms - (now_ms.saturating_sub(self.offset_ms)).rem_euclid(self.interval_ms))
    }

    /// The instant to wait for at `now_ms`, after the attempt of instant `last_ms`.
    ///
    /// A timer may wake a little before its instant; that must not make the same instant come twice. A clock that was
    /// set back further than an interval begins anew.
    pub(crate) fn next_after_attempt(&self, now_ms: i64, last_ms: i64) -> i64 {
        let early_ms = last_ms.saturating_sub(now_ms);
        self.next_after(if (0..self.interval_ms).contains(&early_ms) { last_ms } else { now_ms })
    }

    /// The time that an attempt which really begins at `now_ms` carries: its instant, if that is at most 2 ms away.
    pub(crate) fn snap(&self, now_ms: i64) -> i64 {
        let tolerance_ms = TOLERANCE_MS.min(self.interval_ms / 100);
        let next_ms = self.next_after(now_ms);
        let previous_ms = next_ms.saturating_sub(self.interval_ms);
        if now_ms - previous_ms <= tolerance_ms {
            previous_ms
        } else if next_ms - now_ms <= tolerance_ms {
            next_ms
        } else {
            now_ms
        }
    }
}

#[cfg(test)]
mod tests;
