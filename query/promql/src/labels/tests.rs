use super::{Labels, is_of_metric};

#[test]
fn labels_are_sorted_and_have_values() {
    let mut labels = Labels::from_texts([("job", "a"), ("__name__", "up"), ("empty", ""), ("job", "b")]);
    assert_eq!(labels.to_string(), r#"{__name__="up", job="b"}"#);
    labels.set("instance", "x");
    labels.set("job", "");
    labels.set("none", "");
    assert_eq!(labels.to_string(), r#"{__name__="up", instance="x"}"#);
    assert_eq!((labels.get("instance"), labels.get("job"), labels.metric(), labels.len()), ("x", "", "up", 2));
    labels.remove_metric();
    assert_eq!(labels, Labels::from_texts([("instance", "x")]));
}

#[test]
fn groups_keep_or_lose_names() {
    let labels = Labels::from_texts([("__name__", "up"), ("a", "1"), ("b", "2")]);
    assert_eq!(labels.grouped(false, &["a", "c"]).to_string(), r#"{a="1"}"#);
    assert_eq!(labels.grouped(true, &["a"]).to_string(), r#"{b="2"}"#);
    assert_eq!(labels.grouped::<&str>(false, &[]), Labels::default());
    assert!(is_of_metric("__unit__") && !is_of_metric("unit"));
}

#[test]
fn labels_have_an_order() {
    let ascending = [
        Labels::default(),
        Labels::from_texts([("__name__", "up")]),
        Labels::from_texts([("__name__", "up"), ("a", "1")]),
        Labels::from_texts([("__name__", "up"), ("a", "2")]),
        Labels::from_texts([("__name__", "up"), ("b", "1")]),
        Labels::from_texts([("a", "0")]),
    ];
    assert!(ascending.is_sorted_by(|a, b| a < b));
}

/// As an error of Prometheus 3.14 shows it.
#[test]
fn what_does_not_print_is_escaped() {
    let labels = Labels::from_texts([("a", "1"), ("é", "x\"y\\z\n\t\u{a0}\u{200b}\x01"), ("b c", "日本")]);
    assert_eq!(labels.to_string(), r#"{a="1", "b c"="日本", "é"="x\"y\\z\n\t\u00a0\u200b\x01"}"#);
}

/// Between which two ratios Prometheus 3.14 begins to take a series, found by halving.
#[test]
fn ratios_are_those_of_prometheus() {
    let long = "z".repeat(300);
    for (labels, below, above) in [
        (Labels::from_texts([("__name__", "ratio_a")]), 0.5862941424454846, 0.5862941424454847),
        (
            Labels::from_texts([("__name__", "ratio_b"), ("x", "y"), ("job", &long)]),
            0.7334694909849413,
            0.7334694909849414,
        ),
        (
            Labels::from_texts([("__name__", "ratio_c"), ("instance", "a:1"), ("job", "ü")]),
            0.41718661232043364,
            0.4171866123204337,
        ),
    ] {
        assert!((below..=above).contains(&labels.ratio()), "{labels}: {}", labels.ratio());
    }
}
