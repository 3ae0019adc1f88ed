//! Texts that would like to hurt. All run on the two MiB of stack that a test has.

use promql::ast::Expr;
use promql::{MAX_DEPTH, parse};

/// Goes through a tree in every way that there is.
fn exercise(expr: Expr) {
    let (line, pretty, json) = (expr.to_string(), expr.pretty(), expr.to_json());
    assert!(!line.is_empty() && !pretty.is_empty() && json.starts_with('{'));
    assert!(format!("{expr:?}").contains(&line));
    let copy = expr.clone();
    assert!(copy == expr);
    drop(expr);
    assert!(copy.selectors().count() <= line.len() && copy.depth() > 0);
    let _ = copy.value_type();
}

fn is_too_deep(text: &str) -> bool {
    match parse(text) {
        Ok(expr) => {
            exercise(expr);
            false
        }
        Err(error) => error.message.contains(&format!("more than {MAX_DEPTH} levels")),
    }
}

#[test]
fn depth_has_a_limit() {
    type Nested = fn(usize) -> String;
    let shapes: [(&str, Nested); 14] = [
        ("parentheses", |n| "(".repeat(n) + "1" + &")".repeat(n)),
        ("signs", |n| "-".repeat(n) + "foo"),
        ("signs of numbers", |n| "-+".repeat(n / 2) + "1"),
        ("powers", |n| "1^".repeat(n) + "1"),
        ("calls", |n| "abs(".repeat(n) + "foo" + &")".repeat(n)),
        ("aggregations", |n| "sum(".repeat(n) + "foo" + &")".repeat(n)),
        ("parameters", |n| "topk(scalar(".repeat(n / 2) + "foo" + &"),foo)".repeat(n / 2)),
        ("right sides", |n| "1+(".repeat(n / 2) + "1" + &")".repeat(n / 2)),
        ("subqueries", |n| "rate(".repeat(n) + "foo" + &"[5m:1m])".repeat(n)),
        ("mixed operators", |n| "1 == bool 1+1*1^(".repeat(n / 5) + "1" + &")".repeat(n / 5)),
        ("durations in parentheses", |n| format!("foo[{}1m{}]", "(".repeat(n), ")".repeat(n))),
        ("signs of durations", |n| format!("foo[{}5m]", "--".repeat(n / 2))),
        ("operators of durations", |n| format!("foo[5m{}]", "+1".repeat(n / 2))),
        ("functions of durations", |n| format!("foo[{}1m{}]", "min_of(1m,".repeat(n), ")".repeat(n))),
    ];
    for (name, nested) in shapes {
        assert!(!is_too_deep(&nested(MAX_DEPTH - 10)), "{name}");
        assert!(is_too_deep(&nested(3 * MAX_DEPTH)), "{name}");
        assert!(is_too_deep(&nested(100_000)), "{name}");
    }
}

#[test]
fn what_is_left_open_is_refused() {
    for open in
        ["(", "-", "sum(", "abs(", "1+", "foo[(", "{", "[", "1^(", "sum by (", "foo + on(", "\"", "foo offset ("]
    {
        for count in [1, 10, 100_000] {
            assert!(parse(&open.repeat(count)).is_err(), "{count} times {open}");
        }
    }
}

#[test]
fn a_long_row_of_operators_costs_no_stack() {
    for (term, count) in
        [("1+", 100_000), ("foo or ", 20_000), ("1*2+", 20_000), ("foo and on (a) ", 20_000), ("1>bool ", 20_000)]
    {
        exercise(parse(&(term.repeat(count) + "foo")).unwrap());
    }
    // Rows within rows.
    let row = format!("({}foo)", "1+".repeat(1000));
    exercise(parse(&format!("{row}{}", format!("*{row}").repeat(100))).unwrap());
}

#[test]
fn much_of_one_thing_is_read() {
    let many = |part: &str| part.repeat(50_000);
    for text in [
        format!("foo{{{}}}", many("a=\"b\",")),
        format!("sum by ({}) (foo)", many("a,")),
        format!("foo + on ({}a) group_left ({}b) foo", many("a,"), many("b,")),
        format!("label_join(foo, \"a\", \"b\"{})", many(", \"c\"")),
        format!("sort_by_label(foo{})", many(", \"c\"")),
        format!("{}1", many(" \n# comment\n")),
        format!("\"{}\"", many("\\u00e9")),
        many("a"),
        format!("foo{{a=~\"{}\"}}", "x|".repeat(2000)),
    ] {
        exercise(parse(&text).unwrap());
    }
    assert!(parse(&many("1")).is_err(), "the number is out of range");
    assert!(parse(&format!("foo{}", many("[5m:]"))).is_err());
    assert!(parse(&format!("foo{}", many(" offset 5m"))).is_err());
    exercise(parse(&format!("foo{}", many(" offset 0"))).unwrap());
}

#[test]
fn regular_expressions_that_are_large_are_refused() {
    let nested = |levels: usize| format!("{{a=~\"{}x{}y\"}}", "(".repeat(levels), ")*".repeat(levels));
    exercise(parse(&nested(30)).unwrap());
    // Both kinds of levels at once.
    let levels = MAX_DEPTH - 10;
    exercise(parse(&format!("{}{}{}", "sum(".repeat(levels), nested(30), ")".repeat(levels))).unwrap());
    for text in [nested(200), nested(20_000), "foo{a=~\"(((x{1000}){1000}){1000})\"}".to_owned()] {
        let error = parse(&text).unwrap_err();
        assert!(error.message.starts_with("error parsing regexp: "), "{error}");
    }
}
