use proptest::prelude::*;

use super::*;
use crate::chance::Chance;

fn random(seed: u64) -> (Vec<f64>, Curve) {
    let rates: Vec<f64> = (0..CELLS as u64).map(|cell| 1000.0 * Chance::new(seed).of(cell).fraction()).collect();
    let curve = Curve::new(rates.iter().copied());
    (rates, curve)
}

/// The integral of the rates, added up millisecond by millisecond but for whole cells.
fn integral(rates: &[f64], from_ms: i64, to_ms: i64) -> f64 {
    let mut at = from_ms;
    let mut sum = 0.0;
    while at < to_ms {
        let end = ((at.div_euclid(CELL_MS) + 1) * CELL_MS).min(to_ms);
        let cell = (at.rem_euclid(DAY_MS) / CELL_MS) as usize;
        sum += rates[cell] * (end - at) as f64 / 1000.0;
        at = end;
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_difference_is_the_integral_of_the_rate(seed: u64, from_ms in -3 * DAY_MS..30_000 * DAY_MS, long in 0..3 * DAY_MS) {
        let (rates, curve) = random(seed);
        let passed = curve.until(from_ms + long).wrapping_sub(curve.until(from_ms)) as f64 / MICRO;
        let expected = integral(&rates, from_ms, from_ms + long);
        // Each cell is rounded to a millionth.
        let tolerance = 1e-6 * (3 + long / CELL_MS) as f64 + 1e-9 * expected;
        prop_assert!((passed - expected).abs() <= tolerance, "{passed} is not {expected}");
    }

    #[test]
    fn a_millisecond_later_is_never_less(seed: u64, time_ms: i64) {
        let (_, curve) = random(seed);
        let time_ms = time_ms / 2;
        let passed = curve.until(time_ms + 1).wrapping_sub(curve.until(time_ms));
        // At most the greatest rate.
        prop_assert!((0..=1_000_001).contains(&passed), "{passed}");
    }
}

#[test]
fn a_day_passes_at_midnight_as_at_any_other_time() {
    let (_, curve) = random(5);
    let day = curve.until(DAY_MS).wrapping_sub(curve.until(0));
    for into in [1, 9_999, 10_000, DAY_MS / 3, DAY_MS - 1] {
        assert_eq!(curve.until(7 * DAY_MS + into).wrapping_sub(curve.until(6 * DAY_MS + into)), day);
    }
}

#[test]
fn the_rate_is_that_of_the_cell() {
    let (rates, curve) = random(6);
    for cell in [0, 1, 4_000, CELLS - 1] {
        let time_ms = 11 * DAY_MS + cell as i64 * CELL_MS + 1;
        assert!((curve.rate(time_ms) - rates[cell]).abs() < 1e-6);
    }
}
