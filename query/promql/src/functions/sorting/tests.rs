use proptest::prelude::*;

use super::{natural, sort_by_labels, sort_by_value};
use crate::labels::Labels;

fn sorted_by_value(values: &[f64], is_descending: bool) -> String {
    let mut sorted: Vec<_> = values.iter().copied().enumerate().collect();
    sort_by_value(&mut sorted, is_descending, |(_, value)| *value);
    sorted.iter().map(|(at, _)| at.to_string()).collect()
}

/// Which element comes at which place, as in Prometheus 3.14.
#[test]
fn what_is_no_number_comes_last() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    assert_eq!(sorted_by_value(&[2.0, nan, -1.0, inf, 2.0], false), "20431");
    assert_eq!(sorted_by_value(&[2.0, nan, -1.0, inf, 2.0], true), "30421");
    let many: Vec<_> = (0..9).map(f64::from).chain([nan, 3.0, 3.0, inf, nan]).collect();
    assert_eq!(sorted_by_value(&many, false), "0123101145678129 13".replace(' ', ""));
}

fn sorted_by_label(values: &[&str], is_descending: bool) -> Vec<String> {
    let mut sorted: Vec<_> = values.iter().map(|value| Labels::from_texts([("l", *value)])).collect();
    sort_by_labels(&mut sorted, is_descending, &["l"], |labels| labels);
    sorted.iter().map(|labels| labels.get("l").to_owned()).collect()
}

#[test]
fn digits_count_as_numbers() {
    let values = ["a10", "10a", "b", "1.10", "a9", "9", "foo-bar", "foo", "1.9", "10"];
    let ascending = ["1.9", "1.10", "9", "10", "10a", "a9", "a10", "b", "foo", "foo-bar"];
    assert_eq!(sorted_by_label(&values, false), ascending);
    let descending: Vec<_> = ascending.iter().copied().rev().collect();
    assert_eq!(sorted_by_label(&values, true), descending);
}

#[test]
fn nothing_passes_an_element_without_the_label() {
    assert_eq!(sorted_by_label(&["b", "a", "", "d", "c"], false), ["a", "b", "", "c", "d"]);
    assert_eq!(sorted_by_label(&["b", "", "a"], false), ["b", "", "a"]);
}

#[test]
fn equal_labels_leave_it_to_all_labels() {
    let labels = |l, z| Labels::from_texts([("l", l), ("z", z)]);
    let mut elements = [labels("1", "b"), labels("2", "a"), labels("1", "a")];
    sort_by_labels(&mut elements, false, &["l"], |labels| labels);
    assert_eq!(elements, [labels("1", "a"), labels("1", "b"), labels("2", "a")]);
}

proptest! {
    /// Whatever the texts are, the order among many contradicts itself nowhere.
    #[test]
    fn the_natural_order_is_an_order(texts in prop::collection::vec("[a0-2]{0,4}", 3..30)) {
        let mut sorted = texts;
        sorted.sort_by(|a, b| natural(a, b));
        for (at, a) in sorted.iter().enumerate() {
            prop_assert!(sorted[at..].iter().all(|b| natural(a, b).is_le() && natural(b, a).is_ge()));
        }
    }
}
