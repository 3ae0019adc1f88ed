use super::*;
use crate::exposition::{Bound, bounds};

static BOUNDS: &[Bound] = bounds![0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

#[test]
fn the_normal_distribution_has_its_known_shares() {
    for (x, share) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.0, 0.158_655_3), (1.959_964, 0.975), (-3.0, 0.001_349_9)] {
        assert!((normal(x) - share).abs() < 1e-7, "{x}: {}", normal(x));
    }
}

#[test]
fn half_of_all_take_the_median_and_shares_rise() {
    let latency = Latency::new(BOUNDS, 0.1, 0.8);
    assert!((latency.shares[3] - 0.5).abs() < 1e-7);
    assert!(latency.shares.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(latency.shares.iter().all(|share| (0.0..1.0).contains(share)));
    // exp(0.8² / 2) times the median.
    assert!((latency.mean - 0.137_713).abs() < 1e-6, "{}", latency.mean);
}

#[test]
fn counts_are_whole_and_below_all() {
    let counts: Vec<f64> = Latency::new(BOUNDS, 0.02, 0.5).counts(1_001.0).collect();
    assert!(counts.iter().all(|count| count.fract() == 0.0 && *count <= 1_001.0), "{counts:?}");
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
}

#[test]
fn what_is_drawn_is_distributed_as_the_shares_say() {
    const DRAWN: usize = 100_000;
    let latency = Latency::new(BOUNDS, 0.1, 0.8);
    let drawn: Vec<f64> = (0..DRAWN as u64).map(|i| latency.draw(Chance::new(7).of(i))).collect();
    for (bound, share) in BOUNDS.iter().zip(&latency.shares) {
        let found = drawn.iter().filter(|seconds| **seconds <= bound.seconds).count() as f64 / DRAWN as f64;
        assert!((found - share).abs() < 0.005, "{found} at {}, not {share}", bound.text);
    }
    let mean = drawn.iter().sum::<f64>() / DRAWN as f64;
    assert!((mean / latency.mean - 1.0).abs() < 0.02, "{mean}, not {}", latency.mean);
}
