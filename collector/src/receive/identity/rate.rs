//! How much there may be in a second, on average.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A rate with a burst: credit that grows with time up to what the burst holds.
///
/// Whoever has credit is let in whatever he brings, and pays with credit that he has not earned yet. So no request is too
/// large to ever be let in, and the average is kept all the same.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: u64,
    burst: Duration,
    account: Mutex<Credit>,
}

#[derive(Debug)]
struct Credit {
    left: f64,
    at: Instant,
}

/// Somebody has no credit.
#[derive(Debug, PartialEq)]
pub(super) struct Over {
    /// What there may be in a second.
    pub(super) per_second: u64,
    /// When he has credit again.
    pub(super) wait: Duration,
}

impl Rate {
    /// A rate whose burst is full.
    pub(super) fn new(per_second: u64, burst: Duration) -> Self {
        let left = per_second as f64 * burst.as_secs_f64();
        Rate { per_second, burst, account: Mutex::new(Credit { left, at: Instant::now() }) }
    }

    /// Takes an amount.
    ///
    /// # Errors
    /// [`Over`] if there is no credit; then nothing was taken.
    pub(super) fn take(&self, amount: u64, now: Instant) -> Result<(), Over> {
        let per_second = self.per_second as f64;
        let mut credit = self.account.lock();
        let earned = now.saturating_duration_since(credit.at).as_secs_f64() * per_second;
        credit.left = (credit.left + earned).min(per_second * self.burst.as_secs_f64());
        credit.at = credit.at.max(now);
        if credit.left <= 0.0 {
            let wait = Duration::from_secs_f64((-credit.left / per_second).clamp(0.001, 86_400.0));
            return Err(Over { per_second: self.per_second, wait });
        }
        credit.left -= amount as f64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_kept_and_no_request_is_too_large() {
        let (begin, seconds) = (Instant::now(), Duration::from_secs_f64);
        let rate = Rate::new(100, seconds(2.0));
        assert_eq!(rate.take(150, begin), Ok(()));
        // 50 are left, which let in twenty times as much.
        assert_eq!(rate.take(1050, begin), Ok(()));
        assert_eq!(rate.take(1, begin), Err(Over { per_second: 100, wait: seconds(10.0) }));
        assert!(rate.take(1, begin + seconds(9.9)).is_err());
        assert_eq!(rate.take(1, begin + seconds(10.1)), Ok(()));
        // An hour of silence saves up no more than the burst.
        let late = begin + seconds(3600.0);
        assert_eq!((rate.take(200, late), rate.take(1, late).is_err()), (Ok(()), true));
        let taken = (0..1000).filter(|n| rate.take(100, late + seconds(0.1 * f64::from(*n))).is_ok()).count();
        assert!((99..=101).contains(&taken), "{taken} in 100 s");
    }
}
