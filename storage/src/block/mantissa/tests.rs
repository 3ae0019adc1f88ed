use model::batch::STALE_NAN_BITS;
use proptest::prelude::*;

use super::*;

fn scale_of(values: &[f64]) -> Option<i8> {
    let samples: Vec<(i64, u64)> = values.iter().zip(0..).map(|(value, time)| (time, value.to_bits())).collect();
    let mut mantissas = Vec::new();
    let scale = encode(&samples, &mut mantissas)?;
    for (sample, mantissa) in values.iter().zip(&mantissas) {
        assert!(mantissa.unsigned_abs() < 1 << 53, "{mantissa} of {sample} is not exact");
        // What any other engine does: mantissa / power(10e0, scale).
        let back = *mantissa as f64 / 10f64.powi(i32::from(scale));
        assert_eq!(back.to_bits(), sample.to_bits(), "{sample} came back as {back} at scale {scale}");
        assert_eq!(value(*mantissa, scale).map(f64::to_bits), Some(sample.to_bits()));
    }
    Some(scale)
}

#[test]
fn takes_the_smallest_scale_that_fits_all() {
    assert_eq!(scale_of(&[]), Some(0));
    assert_eq!(scale_of(&[0.0, 1.0, -7.0, 9e15]), Some(0));
    assert_eq!(scale_of(&[1.0, 0.5]), Some(1));
    assert_eq!(scale_of(&[1.0, 0.25, 100.125]), Some(3));
    assert_eq!(scale_of(&[0.1, 1e-9]), Some(9));
    assert_eq!(scale_of(&[1e-22]), Some(22));
    assert_eq!(scale_of(&[-0.001]), Some(3));
    // 17 digits that are a sum, not a decimal anyone wrote.
    assert_eq!(scale_of(&[0.1 + 0.2]), None);
}

#[test]
fn leaves_to_doubles_what_integers_cannot_hold() {
    for value in [
        -0.0,
        f64::NAN,
        -f64::NAN,
        f64::from_bits(0x7ff8_0000_dead_beef),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        1e22,
        1e23,
        9_007_199_254_740_992.0,
        -9_007_199_254_740_992.0,
        9_007_199_254_740_994.0,
        1e-23,
        std::f64::consts::PI * 1e-5,
    ] {
        assert_eq!(scale_of(&[value]), None, "{value}");
        assert_eq!(scale_of(&[1.0, value, 2.0]), None, "{value} among integers");
    }
    assert_eq!(scale_of(&[9_007_199_254_740_991.0]), Some(0));
    assert_eq!(scale_of(&[-9_007_199_254_740_991.0]), Some(0));
}

#[test]
fn a_value_that_grows_too_large_at_a_higher_scale_fails_the_series() {
    assert_eq!(scale_of(&[9e15, 0.5]), None);
    assert_eq!(scale_of(&[9e14, 0.5]), Some(1));
}

#[test]
fn staleness_markers_fit_any_scale() {
    let samples = [(0, STALE_NAN_BITS), (1, 1.5f64.to_bits()), (2, STALE_NAN_BITS)];
    let mut mantissas = Vec::new();
    assert_eq!(encode(&samples, &mut mantissas), Some(1));
    assert_eq!(mantissas, [0, 15, 0]);
    assert_eq!(encode(&samples[..1], &mut mantissas), Some(0));
}

#[test]
fn a_scale_out_of_range_has_no_value() {
    assert_eq!(value(1, 22), Some(1e-22));
    assert_eq!(value(1, 23), None);
    assert_eq!(value(1, -1), None);
}

/// Whether any integer below 2^53 gives the value back, tried around the exact quotient in wider arithmetic.
fn exists(value: f64, scale: usize) -> bool {
    let near = (value * POWERS[scale]).round();
    near.abs() <= 1e16
        && (-4..=4).any(|off| {
            let mantissa = near as i64 + off;
            mantissa.unsigned_abs() < 1 << 53 && (mantissa as f64 / POWERS[scale]).to_bits() == value.to_bits()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bits_come_back_or_are_left_alone(bits in any::<u64>()) {
        prop_assume!(bits != STALE_NAN_BITS);
        scale_of(&[f64::from_bits(bits)]);
    }

    #[test]
    fn decimals_are_found(mantissas in prop::collection::vec(-(1i64 << 50)..1 << 50, 1..20), scale in 0usize..=22) {
        let values: Vec<f64> = mantissas.iter().map(|m| *m as f64 / POWERS[scale]).collect();
        let found = scale_of(&values);
        prop_assert!(found.is_some_and(|found| found as usize <= scale));
    }

    #[test]
    fn the_scale_is_the_smallest(mantissa in -(1i64 << 53) + 1..1 << 53, scale in 0usize..=22) {
        let value = mantissa as f64 / POWERS[scale];
        let smallest = (0..POWERS.len()).find(|scale| exists(value, *scale)).map(|scale| scale as i8);
        prop_assert_eq!(scale_of(&[value]), smallest);
    }
}
