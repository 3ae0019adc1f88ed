//! The orders of `sort`, `sort_desc`, `sort_by_label` and `sort_by_label_desc`.

use std::cmp::Ordering;

use crate::labels::Labels;

/// Ascending by value; what is no number comes last.
pub fn by_value(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Descending by value; what is no number comes last.
pub fn by_value_descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// By the values of some labels in their natural order, then by all labels. Descending is the reverse of it.
pub fn by_labels<T: AsRef<str>>(a: &Labels, b: &Labels, names: &[T]) -> Ordering {
    let in_order = names.iter().map(|name| natural(a.get(name.as_ref()), b.get(name.as_ref())));
    in_order.fold(Ordering::Equal, Ordering::then).then_with(|| a.cmp(b))
}

/// The order of texts in which runs of digits count as the numbers they are. Of two that differ only in leading zeros,
/// where Prometheus knows no order, it is that of the texts.
fn natural(a: &str, b: &str) -> Ordering {
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
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
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
