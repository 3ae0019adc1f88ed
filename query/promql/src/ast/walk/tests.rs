use crate::parse;

#[test]
fn selectors_come_in_the_order_as_written() {
    for (text, selectors) in [
        ("1", vec![]),
        ("a", vec!["a"]),
        ("rate(a{x=\"y\"}[5m] offset 1m)", vec!["a{x=\"y\"} offset 1m"]),
        ("a + b * (c - -d) or e", vec!["a", "b", "c", "d", "e"]),
        ("topk(scalar(a), b) / label_replace(c, \"x\", \"y\", \"z\", \"\")", vec!["a", "b", "c"]),
        ("max_over_time((a + b[5m:])[1h:1m])", vec![]),
        ("info(a, {b=\"c\"})", vec!["a", "{b=\"c\"}"]),
    ] {
        // The subquery of a scalar is refused; all others are read.
        let Ok(expr) = parse(text) else {
            assert!(selectors.is_empty(), "{text}");
            continue;
        };
        let found: Vec<String> = expr.selectors().map(ToString::to_string).collect();
        assert_eq!(found, selectors, "{text}");
    }
}

#[test]
fn children_are_right_below() {
    for (text, children) in [
        ("a[5m]", vec![]),
        ("sum by (x) (a)", vec!["a"]),
        ("topk(5, a)", vec!["5", "a"]),
        ("clamp(a, 1, 2)", vec!["a", "1", "2"]),
        ("a[5m:1m]", vec!["a"]),
        ("-(a)", vec!["(a)"]),
        ("a + b + c", vec!["a + b", "c"]),
    ] {
        let expr = parse(text).unwrap();
        assert_eq!(expr.children().map(ToString::to_string).collect::<Vec<_>>(), children, "{text}");
    }
}

#[test]
fn depth_counts_levels() {
    for (text, depth) in [("a", 1), ("-a", 2), ("a + b + c", 3), ("sum(rate(a[5m]))", 3), ("((a))", 3)] {
        assert_eq!(parse(text).unwrap().depth(), depth, "{text}");
    }
}
