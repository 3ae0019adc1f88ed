//! The orders of `sort`, `sort_desc`, `sort_by_label` and `sort_by_label_desc`.

use std::cmp::Ordering;

use crate::go_sort::sort_few;
use crate::labels::Labels;

/// Sorts elements by value; what is no number comes last either way.
pub fn sort_by_value<T>(elements: &mut [T], is_descending: bool, value: impl Fn(&T) -> f64) {
    let follows = |a: f64, b: f64| if is_descending { b < a } else { a < b };
    let is_before = |a: &T, b: &T| value(b).is_nan() || follows(value(a), value(b));
    sort_few(elements, is_before, |a, b| {
        let (a, b) = (value(a), value(b));
        let order = a.partial_cmp(&b).map(|order| if is_descending { order.reverse() } else { order });
        order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    });
}

/// Sorts elements by the values of some labels in their natural order, then by all labels.
pub fn sort_by_labels<T, N: AsRef<str>>(
    elements: &mut [T],
    is_descending: bool,
    names: &[N],
    labels: impl Fn(&T) -> &Labels,
) {
    let is_before = |a: &T, b: &T| {
        let (a, b) = (labels(a), labels(b));
        for name in names {
            let (left, right) = (a.get(name.as_ref()), b.get(name.as_ref()));
            if left != right {
                return is_naturally_before(left, right) != is_descending;
            }
        }
        if is_descending { b < a } else { a < b }
    };
    sort_few(elements, is_before, |a, b| {
        let order = by_labels(labels(a), labels(b), names);
        if is_descending { order.reverse() } else { order }
    });
}

fn by_labels<N: AsRef<str>>(a: &Labels, b: &Labels, names: &[N]) -> Ordering {
    let in_order = names.iter().map(|name| natural(a.get(name.as_ref()), b.get(name.as_ref())));
    in_order.fold(Ordering::Equal, Ordering::then).then_with(|| a.cmp(b))
}

/// Whether Prometheus says that a text comes before another one. No text comes before or after the empty one, and of two that
/// differ in leading zeros each comes before the other.
fn is_naturally_before(a: &str, b: &str) -> bool {
    let differs_in_zeros = natural_runs(a, b).is_eq();
    !a.is_empty() && !b.is_empty() && (differs_in_zeros || natural_runs(a, b).is_lt())
}

/// An order of texts in which runs of digits count as the numbers they are.
fn natural(a: &str, b: &str) -> Ordering {
    natural_runs(a, b).then_with(|| a.cmp(b))
}

/// As [`natural`], without an order of texts that differ in leading zeros alone.
fn natural_runs(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (x, y) = (next_run(&mut left), next_run(&mut right));
        let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if starts_with_digit(x) && starts_with_digit(y) {
            let [x, y] = [x, y].map(|digits| digits.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
    right.is_empty().cmp(&left.is_empty())
}

/// Takes the digits from the beginning of a text, or all up to the next digit.
fn next_run<'a>(text: &mut &'a str) -> &'a str {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.bytes().position(|byte| byte.is_ascii_digit() != is_number).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    run
}

#[cfg(test)]
mod tests;
