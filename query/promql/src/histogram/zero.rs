//! A wider zero bucket, which takes in the buckets next to it.

use super::amount::Amount;
use super::bounds::upper_bound;
use super::side::{Buckets, Side};

/// What is in a wider zero bucket, and where that ends.
///
/// It ends at the threshold that is asked for, unless that is within a bucket that has something in it: then at the
/// upper end of that bucket, which is taken in as a whole.
pub(super) fn widened<T: Amount, U: Copy + Into<T>>(
    zero: T,
    positive: Buckets<'_, U>,
    negative: Buckets<'_, U>,
    schema: i8,
    threshold: f64,
) -> (T, f64) {
    let mut threshold = threshold;
    loop {
        let (zero, wider) = take_in(zero, positive, schema, threshold);
        threshold = wider;
        let (zero, wider) = take_in(zero, negative, schema, threshold);
        if wider > threshold {
            // Buckets of positive observations were taken in up to the narrower one only.
            threshold = wider;
        } else {
            return (zero, threshold);
        }
    }
}

fn take_in<T: Amount, U: Copy + Into<T>>(mut zero: T, side: Buckets<'_, U>, schema: i8, threshold: f64) -> (T, f64) {
    for (index, count) in side.indexed() {
        if upper_bound(index - 1, schema) >= threshold {
            break;
        }
        let count = count.into();
        zero = zero.plus(count);
        let upper = upper_bound(index, schema);
        if upper > threshold {
            return (zero, if count.value() == 0.0 { threshold } else { upper });
        }
    }
    (zero, threshold)
}

impl<T: Amount> Side<T> {
    /// Drops the buckets that a zero bucket has taken in, and empty ones.
    pub(super) fn drop_within(&mut self, threshold: f64, schema: i8) {
        self.retain(|index, count| !count.is_zero() && upper_bound(index - 1, schema) >= threshold);
    }
}

#[cfg(test)]
mod tests;
