//! What a histogram was between two samples.

use super::{FloatHistogram, MixedBuckets};
use crate::note::{Note, Notes, Operation};

/// The histogram at a time between two samples, on the straight line from one to the other; of a counter that was reset
/// meanwhile on that from zero.
///
/// # Errors
/// One has custom buckets and the other exponential ones.
pub(crate) fn interpolate(
    before: &(i64, FloatHistogram),
    after: &(i64, FloatHistogram),
    time_ms: i64,
    is_counter: bool,
    notes: &mut Notes,
) -> Result<FloatHistogram, MixedBuckets> {
    let ((start_ms, first), (end_ms, last)) = (before, after);
    if time_ms == *start_ms {
        return Ok(first.clone());
    }
    let mut between = last.clone();
    if time_ms == *end_ms {
        return Ok(between);
    }
    let share = (time_ms - start_ms) as f64 / (end_ms - start_ms) as f64;
    if is_counter && last.is_reset_since(first) {
        between.multiply(share);
        return Ok(between);
    }
    if between.subtract(first)?.bounds_reconciled {
        notes.add(Note::MismatchedCustomBuckets(Operation::Subtraction));
    }
    between.multiply(share);
    if between.add(first)?.bounds_reconciled {
        notes.add(Note::MismatchedCustomBuckets(Operation::Addition));
    }
    Ok(between)
}
