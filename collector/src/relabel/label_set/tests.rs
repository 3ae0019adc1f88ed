use super::*;

/// Names and values in one line.
fn text(labels: &LabelSet) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

#[test]
fn given_labels_are_sorted_unique_and_not_empty() {
    let labels = LabelSet::new([("b", "2"), ("a", "1"), ("c", ""), ("b", "3"), ("d", "4"), ("d", "")]);
    assert_eq!(text(&labels), "a=1 b=3");
    assert_eq!((labels.get("b"), labels.get("c"), labels.get("x")), ("3", "", ""));
    assert_eq!((labels.len(), labels.is_empty()), (2, false));
    assert!(LabelSet::default().is_empty());
}

#[test]
fn what_is_set_goes_behind_what_was_given_and_stays_there() {
    let mut labels = LabelSet::new([("b", "2"), ("d", "4"), ("f", "6")]);
    labels.set("c", "3");
    labels.set("a", "1");
    assert_eq!(text(&labels), "b=2 d=4 f=6 c=3 a=1");
    labels.set("c", "33");
    assert_eq!(text(&labels), "b=2 d=4 f=6 c=33 a=1");
    labels.set("b", "22");
    assert_eq!(text(&labels), "d=4 f=6 c=33 a=1 b=22");
    labels.set("f", "66");
    labels.set("b", "222");
    assert_eq!(text(&labels), "d=4 c=33 a=1 b=222 f=66");
}

#[test]
fn an_empty_value_removes() {
    let mut labels = LabelSet::new([("a", "1"), ("b", "2")]);
    labels.set("c", "3");
    labels.set("a", "");
    labels.set("c", "");
    labels.set("x", "");
    assert_eq!(text(&labels), "b=2");
    labels.set("a", "1");
    labels.set("b", "3");
    assert_eq!(text(&labels), "a=1 b=3");
    labels.remove("a");
    labels.remove("a");
    assert_eq!(text(&labels), "b=3");
}

#[test]
fn the_order_outlives_removals() {
    let mut labels = LabelSet::new([("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
    labels.set("e", "5");
    labels.set("f", "6");
    labels.retain(|name| !matches!(name, "a" | "c" | "e"));
    assert_eq!(text(&labels), "b=2 d=4 f=6");
    // Of those that were given two are left, and only one of them moves.
    labels.set("f", "66");
    labels.set("d", "44");
    assert_eq!(text(&labels), "b=2 f=66 d=44");
    labels.remove("b");
    labels.set("f", "7");
    assert_eq!(text(&labels), "f=7 d=44");
}
