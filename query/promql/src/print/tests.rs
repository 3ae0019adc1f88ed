use super::Seconds;
use crate::parse;

#[test]
fn layout_ends_at_some_level() {
    let row = |count: usize| parse(&("a + ".repeat(count) + "b")).unwrap().pretty();
    let lines = |text: &str| text.lines().count();
    // A hundred bytes are 25 operators.
    assert_eq!(row(24), "a + ".repeat(24) + "b");
    assert_eq!(lines(&row(25)), 3);
    assert_eq!(lines(&row(125)), 203);
    // No level is added to these, each of which would be indented by all before it.
    assert_eq!(lines(&row(1000)), 401);
    assert_eq!(lines(&row(100_000)), 401);
    assert!(row(100_000).len() < 1_000_000);
}

#[test]
fn names_are_quoted_where_they_need_it() {
    for (text, form) in [
        ("{\"a.b\"}", "{__name__=\"a.b\"}"),
        ("a{\"b c\"=\"d\"}", "a{\"b c\"=\"d\"}"),
        ("sum by (\"é\", \"b\") (a)", "sum by (\"é\", b) (a)"),
        ("a + on (\"1\") group_left (\"\\n\") b", "a + on (\"1\") group_left (\"\\n\") b"),
        ("a{c=\"1\", b!=\"2\"}", "a{b!=\"2\",c=\"1\"}"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), form, "{text}");
    }
}

#[test]
fn durations_are_whole_milliseconds_or_numbers() {
    for (seconds, text) in [
        (0.0, "0s"),
        (0.001, "1ms"),
        (1.001, "1s1ms"),
        (-5400.0, "-1h30m"),
        (9e9, "104166d16h"),
        (0.0001, "0.0001"),
        (-1.0005, "-1.0005"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(Seconds(seconds).to_string(), text);
    }
}
