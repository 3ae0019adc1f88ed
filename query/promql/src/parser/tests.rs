use super::*;
use crate::ast::NAME_LABEL;

fn text_of(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// The parts of an expression as they stand in the text, from the outside in.
fn parts(text: &str) -> Vec<&str> {
    let expr = parse(text).unwrap();
    let (mut todo, mut parts) = (vec![&expr], Vec::new());
    while let Some(expr) = todo.pop() {
        parts.push(text_of(text, expr.span()));
        let at = todo.len();
        todo.extend(expr.children());
        todo[at..].reverse();
    }
    parts
}

#[test]
fn every_part_knows_its_place() {
    for (text, wanted) in [
        (" a ", vec!["a"]),
        ("- 1 + -b", vec!["- 1 + -b", "- 1", "-b", "b"]),
        ("( a ) ", vec!["( a )", "a"]),
        ("sum ( a ) by (b) + 1", vec!["sum ( a ) by (b) + 1", "sum ( a ) by (b)", "a", "1"]),
        ("sum by (b)(a)", vec!["sum by (b)(a)", "a"]),
        (
            "rate(a{b=\"c\"}[5m] offset 1m @ 3 ) * 2",
            vec![
                "rate(a{b=\"c\"}[5m] offset 1m @ 3 ) * 2",
                "rate(a{b=\"c\"}[5m] offset 1m @ 3 )",
                "a{b=\"c\"}[5m] offset 1m @ 3",
                "2",
            ],
        ),
        (
            "rate(a[5m:1m] @ end()) == b anchored",
            vec![
                "rate(a[5m:1m] @ end()) == b anchored",
                "rate(a[5m:1m] @ end())",
                "a[5m:1m] @ end()",
                "a",
                "b anchored",
            ],
        ),
        ("time ( )", vec!["time ( )"]),
        ("\"é\"", vec!["\"é\""]),
    ] {
        assert_eq!(parts(text), wanted, "{text}");
    }
}

#[test]
fn operators_matchers_and_durations_know_theirs() {
    let text = "a{b = \"c\", d!=''} [ 5m + step() ] == b";
    let error = parse(text).unwrap_err();
    assert_eq!(text_of(text, error.span), "a{b = \"c\", d!=''} [ 5m + step() ]");
    let text = "a{b = \"c\", d!~'e'} offset ( 5m + step() ) == bool b";
    let Ok(Expr::Binary(binary)) = parse(text) else { panic!("no operator") };
    assert_eq!(text_of(text, binary.op_span), "==");
    let Expr::Vector(selector) = &*binary.lhs else { panic!("no selector") };
    let matchers: Vec<&str> = selector.matchers.iter().map(|matcher| text_of(text, matcher.span)).collect();
    assert_eq!(matchers, ["b = \"c\"", "d!~'e'", "a"]);
    let offset = selector.offset.as_ref().unwrap();
    assert_eq!(text_of(text, offset.span), "( 5m + step() )");
}

#[test]
fn a_selector_may_stand_alone() {
    for (text, labels) in [
        ("a", vec![NAME_LABEL]),
        ("sum{b=\"c\",}", vec!["b", NAME_LABEL]),
        ("{b=\"\"}", vec!["b"]),
        (" {} # all", vec![]),
        ("{\"a.b\", c!=\"d\"}", vec![NAME_LABEL, "c"]),
    ] {
        let selector = parse_selector(text).unwrap();
        assert_eq!(selector.matchers.iter().map(|Matcher { label, .. }| label).collect::<Vec<_>>(), labels, "{text}");
    }
    for (text, message) in [
        ("", "unknown position: parse error: unexpected end of input"),
        ("a offset 5m", "1:3: parse error: unexpected <offset>"),
        ("a[5m]", "1:2: parse error: unexpected \"[\""),
        ("a + b", "1:3: parse error: unexpected <op:+>"),
        ("rate(a)", "1:5: parse error: unexpected \"(\""),
        ("5", "1:1: parse error: unexpected number \"5\""),
        ("a{", "1:3: parse error: unexpected end of input inside braces"),
    ] {
        assert_eq!(parse_selector(text).unwrap_err().display(text).to_string(), message, "{text}");
    }
}
