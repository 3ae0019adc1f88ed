//! Doubles as decimal integers: value = mantissa / 10^scale, bit for bit or not at all.
//!
//! Most series measure bytes, counts or seconds with a few decimals. As integers their deltas pack into a few bits,
//! which a double's bits never do. The reader's arithmetic is one division of two exact doubles, which IEEE 754
//! rounds correctly everywhere, so every engine gets the same bits.

use model::batch::STALE_NAN_BITS;

/// The powers of ten that a double holds exactly, 10^0 to 10^22.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// 2^53: below it every integer is a double.
const LIMIT: f64 = 9_007_199_254_740_992.0;
/// 2^51: below it at most one integer can come back as a given double, and it is the nearest to `value * 10^scale`.
///
/// Product and quotient are each off by at most 2^-53 of the mantissa, which is half an integer together at 2^52.
const UNAMBIGUOUS: f64 = 2_251_799_813_685_248.0;

/// The value of a mantissa and a scale; `None` if the scale is outside 0 to 22.
#[inline]
pub fn value(mantissa: i64, scale: i8) -> Option<f64> {
    Some(mantissa as f64 / power(scale)?)
}

/// What mantissas of a scale are divided by; `None` if the scale is outside 0 to 22.
#[inline]
pub fn power(scale: i8) -> Option<f64> {
    POWERS.get(usize::try_from(scale).ok()?).copied()
}

/// Puts the mantissa of each sample into `mantissas` (cleared before) and returns the smallest scale at which every
/// value comes back bit-exact; `None` if there is no such scale.
///
/// A staleness marker fits any scale; its mantissa is 0 and means nothing.
pub fn encode(samples: &[(i64, u64)], mantissas: &mut Vec<i64>) -> Option<i8> {
    let mut scale = 0;
    'search: loop {
        mantissas.clear();
        for &(_, bits) in samples {
            if bits == STALE_NAN_BITS {
                mantissas.push(0);
                continue;
            }
            let value = f64::from_bits(bits);
            match mantissa(value, scale) {
                Some(mantissa) => mantissas.push(mantissa),
                None => {
                    // Every scale in between fails for this very value, so none that could do is skipped.
                    scale = (scale + 1..POWERS.len()).find(|s| mantissa(value, *s).is_some())?;
                    continue 'search;
                }
            }
        }
        return i8::try_from(scale).ok();
    }
}

/// The integer below 2^53 in size that gives `value` back when divided by 10^scale.
fn mantissa(value: f64, scale: usize) -> Option<i64> {
    let power = POWERS[scale];
    let comes_back = |m: &i64| (*m as f64) / power == value && (*m as f64).abs() < LIMIT && (*m != 0 || is_zero(value));
    let scaled = value * power;
    if scaled.is_nan() || scaled.abs() > LIMIT {
        return None;
    }
    let nearest = (scaled + 0.5f64.copysign(scaled)) as i64;
    if comes_back(&nearest) {
        return Some(nearest);
    }
    if scaled.abs() < UNAMBIGUOUS {
        return None;
    }
    [nearest - 1, nearest + 1].into_iter().find(comes_back)
}

/// Whether it is 0 and not −0.
fn is_zero(value: f64) -> bool {
    value.to_bits() == 0
}

#[cfg(test)]
mod tests;
