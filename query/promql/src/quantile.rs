//! Quantiles of plain numbers.

use std::cmp::Ordering;

/// The order in which quantiles see numbers: what is no number is the least.
fn order(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// The quantile of some numbers, between two of them their weighted mean. Leaves them in another order.
///
/// A quantile below 0 is negative infinity, one above 1 positive; without numbers it is none.
pub(crate) fn quantile(quantile: f64, numbers: &mut [f64]) -> f64 {
    if numbers.is_empty() || quantile.is_nan() {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let last = numbers.len() - 1;
    let rank = quantile * last as f64;
    let lower = rank.floor();
    let weight = rank - lower;
    let (at, upper_at) = (lower as usize, (lower as usize + 1).min(last));
    let (below, upper, _) = numbers.select_nth_unstable_by(upper_at, order);
    let upper = *upper;
    let lower = if at == upper_at { upper } else { below.iter().copied().max_by(order).unwrap_or(upper) };
    lower * (1.0 - weight) + upper * weight
}

#[cfg(test)]
mod tests;
