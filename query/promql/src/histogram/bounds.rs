//! The bounds of exponential buckets.

use model::histogram::MAX_SCHEMA;

/// From one bound of schemas 1 to 8 to the next, `2^(2^-schema)`. That of schema 1 is one unit of the last place off, as
/// it is in the tables of Prometheus and its client libraries.
const GROWTHS: [f64; 8] = [
    std::f64::consts::SQRT_2.next_down(),
    1.189207115002721,
    1.0905077326652577,
    1.0442737824274138,
    1.0218971486541166,
    1.0108892860517005,
    1.0054299011128027,
    1.0027112750502025,
];

/// How many bounds the finest schema has from a power of two to the next.
const FRACTIONS: usize = 1 << MAX_SCHEMA;

/// The bounds of the finest schema from 0.5 up to 1, that one not included. A coarser schema has every other one, every
/// fourth one and so on.
///
/// A client sorts observations into buckets by the same numbers, which are not the roundest: each is the product of its
/// left neighbour, which may belong to a coarser schema, and the growth.
const BOUNDS: [f64; FRACTIONS] = bounds();

const fn bounds() -> [f64; FRACTIONS] {
    let mut bounds = [0.5; FRACTIONS];
    let mut schema = 1;
    while schema <= MAX_SCHEMA as usize {
        let stride = FRACTIONS >> schema;
        let mut place = stride;
        while place < FRACTIONS {
            bounds[place] = bounds[place - stride] * GROWTHS[schema - 1];
            place += 2 * stride;
        }
        schema += 1;
    }
    bounds
}

/// The upper bound of a bucket of positive observations; that of the bucket before is its lower one.
///
/// The last bucket of finite numbers ends at the greatest of them, the one behind it holds infinity alone.
pub(crate) fn upper_bound(index: i64, schema: i8) -> f64 {
    let (fraction, exponent) = if schema < 0 {
        // Schemas of less than -4 do not get this far.
        (0.5, (index << (-schema).min(32)) + 1)
    } else {
        let place = index.rem_euclid(1 << schema) as usize;
        (BOUNDS[place << (MAX_SCHEMA - schema)], (index >> schema) + 1)
    };
    if fraction == 0.5 && exponent == 1025 {
        return f64::MAX;
    }
    scale(fraction, exponent)
}

/// `fraction * 2^exponent`, rounded once.
fn scale(fraction: f64, exponent: i64) -> f64 {
    let exponent = exponent.clamp(-2000, 2000);
    let half = exponent / 2;
    fraction * power_of_two(half) * power_of_two(exponent - half)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The binary logarithm of a number that is not negative: exact for powers of two, and otherwise as far off as that of
/// Prometheus.
pub(crate) fn log2(value: f64) -> f64 {
    if value == 0.0 || !value.is_normal() {
        return value.log2();
    }
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1022;
    let fraction = f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52));
    if fraction == 0.5 {
        return (exponent - 1) as f64;
    }
    fraction.ln() * (1.0 / std::f64::consts::LN_2) + exponent as f64
}

#[cfg(test)]
mod tests;
