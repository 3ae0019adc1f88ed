//! How durations are distributed: log-normally, as shares of observations at or below the bounds of buckets.

use crate::chance::Chance;
use crate::exposition::Bound;

/// A distribution of durations over the bounds of a histogram.
#[derive(Debug, Clone)]
pub(crate) struct Latency {
    /// For each bound, the share of observations not above it. They rise, and none reaches 1.
    pub(crate) shares: Box<[f64]>,
    /// The mean, in seconds.
    pub(crate) mean: f64,
    median: f64,
    spread: f64,
}

impl Latency {
    /// Half of the observations take `median` seconds at most; `spread` is the deviation of their logarithm.
    pub(crate) fn new(bounds: &[Bound], median: f64, spread: f64) -> Self {
        let share = |bound: &Bound| normal((bound.seconds.ln() - median.ln()) / spread).min(0.999_999_9);
        let mut shares: Vec<f64> = bounds.iter().map(share).collect();
        // The approximation is not monotone to the last digit.
        for i in 1..shares.len() {
            shares[i] = shares[i].max(shares[i - 1]);
        }
        Latency { shares: shares.into(), mean: median * (spread * spread / 2.0).exp(), median, spread }
    }

    /// Counts of `observations` at or below each bound, whole numbers.
    pub(crate) fn counts(&self, observations: f64) -> impl Iterator<Item = f64> {
        self.shares.iter().map(move |share| (share * observations).floor())
    }

    /// One observation, in seconds.
    ///
    /// Source: Box and Muller, "A Note on the Generation of Random Normal Deviates".
    pub(crate) fn draw(&self, chance: Chance) -> f64 {
        let (length, angle) = (1.0 - chance.named("length").fraction(), chance.named("angle").fraction());
        let deviate = (-2.0 * length.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        self.median * (self.spread * deviate).exp()
    }
}

/// The normal distribution's share below `x`, to seven digits.
///
/// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17.
fn normal(x: f64) -> f64 {
    const B: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let polynomial = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let tail = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * polynomial;
    (if x >= 0.0 { 1.0 - tail } else { tail }).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
