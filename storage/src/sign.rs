//! Which rows are a sign of life of their cluster.

use model::batch::is_stale;

/// What scrapers write of themselves begins so, and is written whether the target lives or not.
const OF_SCRAPES: &str = "scrape_";
/// 0 where a target did not answer.
const UP: &str = "up";

/// What the rows of a series say of the life of their cluster. A fetch that fails is told in rows of that cluster too, which
/// must not make a dead cluster look alive; nor does a staleness marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// That it lives.
    Always,
    /// That it lives, where the value is not 0.
    IfNotZero,
    /// Nothing.
    Never,
}

impl Sign {
    /// What the rows of a series of this name say.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            UP => Sign::IfNotZero,
            name if name.starts_with(OF_SCRAPES) => Sign::Never,
            _ => Sign::Always,
        }
    }

    /// Whether a row with this value says that the cluster lives.
    #[inline]
    pub(crate) fn is_of_life(self, value: f64) -> bool {
        match self {
            Sign::Always => !is_stale(value),
            Sign::IfNotZero => !is_stale(value) && value != 0.0,
            Sign::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::batch::STALE_NAN_BITS;

    use super::*;

    #[test]
    fn what_a_scraper_says_of_a_dead_target_is_no_sign_of_life() {
        let stale = f64::from_bits(STALE_NAN_BITS);
        let says = |name: &str, value| Sign::of(name).is_of_life(value);
        assert!(says("node_load1", 0.0) && says("node_load1", f64::NAN) && says("upper", 0.0));
        assert!(says("up", 1.0) && !says("up", 0.0) && !says("up", -0.0));
        assert!(!says("scrape_duration_seconds", 1.0) && !says("scrape_samples_scraped", 5.0));
        assert!(!says("node_load1", stale) && !says("up", stale));
    }
}
