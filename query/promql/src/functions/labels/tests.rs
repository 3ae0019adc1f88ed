use proptest::prelude::*;
use regex::Regex;

use super::{LabelJoin, LabelReplace, invalid_expression};
use crate::labels::Labels;

fn replace(expression: &str, replacement: &str, value: &str) -> Option<String> {
    let regex = Regex::new(&format!("^(?s:{expression})$")).expect("an expression");
    let groups: Vec<_> = regex.capture_names().map(|name| name.map(str::to_owned)).collect();
    let replace = LabelReplace::new("to", replacement, "from", regex, &groups).expect("a target");
    replace.apply(&Labels::from_texts([("from", value)])).map(|labels| labels.get("to").to_owned())
}

/// Expression, replacement, value, and what Prometheus 3.14 makes of it.
const REPLACEMENTS: &[(&str, &str, &str, &str)] = &[
    ("(.*)", "$1", "foo", "foo"),
    ("(.*)", "${1}x", "foo", "foox"),
    ("(.*)", "$1x", "foo", ""),
    ("(.*)", "$2", "foo", ""),
    ("(.*)", "$01", "foo", ""),
    ("(.*)", "$$", "foo", "$"),
    ("(.*)", "a$", "foo", "a$"),
    ("(.*)", "${", "foo", "${"),
    ("(.*)", "${1", "foo", "${1"),
    ("(.*)", "${w.}", "foo", "${w.}"),
    ("(.*)", "$-", "foo", "$-"),
    ("(.*)", "$1-x", "foo", "foo-x"),
    ("(.*)", "$99999999999", "foo", ""),
    ("(.*)", "$é", "foo", ""),
    ("(?P<w>[a-z]+)(.*)", "$w", "foo-bar", "foo"),
    ("(?P<w>[a-z]+)(.*)", "pre $2 post", "foo-bar", "pre -bar post"),
    ("(?P<w_1>.)(?P<w2>.*)", "${w_1}-$w2", "foo", "f-oo"),
    ("(a)|(f.*)", "$1$2", "foo", "foo"),
    ("(.+)\n(.*)", "$2", "multi\nline", "line"),
];

#[test]
fn labels_are_replaced_as_in_prometheus() {
    for (expression, replacement, value, expected) in REPLACEMENTS {
        assert_eq!(replace(expression, replacement, value).as_deref(), Some(*expected), "{expression} {replacement}");
    }
    assert_eq!(replace("fo", "x", "foo"), None);
    assert_eq!(replace("", "x", ""), Some("x".to_owned()));
}

#[test]
fn labels_are_joined() {
    let labels = Labels::from_texts([("__name__", "up"), ("a", "1"), ("c", "3")]);
    let join = |target, sources: &[&str]| {
        LabelJoin::new(target, "-", sources.iter().map(|name| (*name).to_owned()).collect()).expect("names")
    };
    assert_eq!(join("d", &["a", "b", "c"]).apply(&labels).get("d"), "1--3");
    assert_eq!(join("a", &[]).apply(&labels).get("a"), "");
    assert_eq!(join("__name__", &["a", "c"]).apply(&labels).metric(), "1-3");
}

#[test]
fn names_and_expressions_are_refused() {
    let regex = Regex::new("").expect("an expression");
    let error = LabelReplace::new("", "a", "b", regex, &[None]).expect_err("no target");
    assert_eq!(error.to_string(), "invalid destination label name in label_replace(): ");
    assert_eq!(invalid_expression("(").to_string(), "invalid regular expression in label_replace(): (");
    let error = LabelJoin::new("", "a", vec!["b".to_owned()]).expect_err("no target");
    assert_eq!(error.to_string(), "invalid destination label name in label_join(): ");
    let error = LabelJoin::new("x", "a", vec!["b".to_owned(), String::new()]).expect_err("no source");
    assert_eq!(error.to_string(), "invalid source label name in label_join(): ");
}

proptest! {
    /// Whatever a replacement is, it is read; what has no dollar stands for itself, and two of them for one.
    #[test]
    fn every_replacement_is_read(text in "[${}a1_é ]{0,12}", plain in "[^$]{0,12}") {
        prop_assert!(replace("(?P<a>.)(.*)", &text, "foo").is_some());
        prop_assert_eq!(replace("(.*)", &plain, "foo"), Some(plain.clone()));
        prop_assert_eq!(replace("(.*)", &plain.replace('a', "$$"), "foo"), Some(plain.replace('a', "$")));
    }
}
