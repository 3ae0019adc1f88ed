//! Sorting as Go does it (packages `sort` and `slices`), where an answer shows the difference.

use std::cmp::Ordering;

/// How many elements Go puts in order one by one, by insertion. More of them it sorts by other ways.
const FEW: usize = 12;

/// Sorts elements by a relation that need not be an order: what Prometheus says of values that are no numbers and of labels
/// without a value contradicts itself, and the place of each follows from how few elements are sorted. More of them are sorted
/// by a true order, which keeps ties as they came.
pub(crate) fn sort_few<T>(
    elements: &mut [T],
    is_before: impl Fn(&T, &T) -> bool,
    order: impl FnMut(&T, &T) -> Ordering,
) {
    if elements.len() > FEW {
        elements.sort_by(order);
        return;
    }
    for end in 1..elements.len() {
        let mut at = end;
        while at > 0 && is_before(&elements[at], &elements[at - 1]) {
            elements.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
