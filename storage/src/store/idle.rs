//! When series that nobody writes any more leave memory.
//!
//! Owns: the rounds of eviction, how long a series may be idle, what else is forgotten with it.
//! Does not own: what may be evicted (`head::evict`).

use std::collections::VecDeque;
use std::sync::Arc;

use model::Error;
use model::time::Date;

use super::Inner;
use super::admit::is_pressed;

/// A series stays for no longer than this when the memory budget is nearly used up. Else it stays for `storage.series_idle`: one
/// scrape missed, or a pod that comes back, should cost nothing.
const PRESSED_IDLE_MS: i64 = 60 * 1000;
/// Rounds are not begun more often than this.
const ROUND_MS: i64 = 1000;

/// The rounds that began lately, each with its beginning in milliseconds, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    began: VecDeque<(u32, i64)>,
    /// The day on which what was said of families was last gone through.
    day: Option<Date>,
}

impl Rounds {
    /// Whether it is time for another round.
    fn is_due(&self, now_ms: i64) -> bool {
        // A clock that was set back must not stop the rounds.
        self.began.back().is_none_or(|(_, began_ms)| !(*began_ms..*began_ms + ROUND_MS).contains(&now_ms))
    }

    /// Notes that a round has begun.
    fn begin(&mut self, round: u32, now_ms: i64) {
        for (_, began_ms) in &mut self.began {
            *began_ms = now_ms.min(*began_ms);
        }
        self.began.push_back((round, now_ms));
    }

    /// The round before which a series must have been written last to be idle for so long.
    fn idle_before(&mut self, now_ms: i64, idle_ms: i64) -> Option<u32> {
        let long_ago = self.began.partition_point(|(_, began_ms)| *began_ms <= now_ms.saturating_sub(idle_ms));
        // Of those long ago only the newest will be asked for again.
        let last = long_ago.checked_sub(1)?;
        let found = self.began.get(last).map(|(round, _)| *round);
        self.began.drain(..last);
        found
    }

    /// Whether this day was not seen before.
    fn is_new_day(&mut self, today: Date) -> bool {
        self.day.replace(today) != Some(today)
    }
}

/// How long a series may be idle when so many bytes of the budget are used, and `usual_ms` when there is room.
fn idle_ms(used: u64, budget: u64, usual_ms: i64) -> i64 {
    if used > budget {
        // Rows are refused already: better to make entries anew than to take none.
        0
    } else if is_pressed(used, budget) {
        usual_ms.min(PRESSED_IDLE_MS)
    } else {
        usual_ms
    }
}

/// Lets go of the series that are idle. Called after a cut, which is what leaves series without rows.
///
/// # Errors
/// `Internal` if it panicked.
pub(super) async fn evict(inner: &Arc<Inner>) -> Result<(), Error> {
    let inner = inner.clone();
    tokio::task::spawn_blocking(move || evict_now(&inner))
        .await
        .map_err(|e| Error::internal("evicting series panicked").with_source(e))
}

fn evict_now(inner: &Inner) {
    let now_ms = inner.clock.now_ms();
    let today = Date::of_ms(now_ms);
    let usual_ms = i64::try_from(inner.config.series_idle.as_millis()).unwrap_or(i64::MAX);
    let idle_ms = idle_ms(inner.head.usage().bytes(), inner.config.memory_bytes, usual_ms);
    let (before, new_day) = {
        let mut rounds = inner.rounds.lock();
        if !rounds.is_due(now_ms) {
            return;
        }
        rounds.begin(inner.head.begin_round(), now_ms);
        (rounds.idle_before(now_ms, idle_ms), rounds.is_new_day(today))
    };
    if new_day {
        // What was said yesterday may be on its way still; before that nobody compares with it any more.
        inner.metadata.lock().retain(|_, (date, _)| date.0 >= today.0 - 1);
    }
    let Some(before) = before else { return };
    inner.stretches.release(before);
    let evicted = inner.head.evict(before);
    if evicted > 0 {
        inner.raw.sweep();
        tracing::debug!(evicted, "idle series have left memory");
    }
}

#[cfg(test)]
mod tests;
