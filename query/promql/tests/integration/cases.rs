//! Expressions and what Prometheus says of them, as text files beside this folder.

use promql::parse;

/// The cases of a file: lines that begin a case, each with the indented lines below it.
pub(crate) fn cases(file: &str) -> Vec<(String, String)> {
    let (_, cases) = file.split_once("\n\n").unwrap();
    let mut read: Vec<(String, Vec<&str>)> = Vec::new();
    for line in cases.lines() {
        match line.strip_prefix("    ") {
            Some(answer) => read.last_mut().unwrap().1.push(answer),
            None if line.is_empty() => {}
            None => read.push((line.replace('⏎', "\n").replace('⇥', "\t").replace('␣', " "), Vec::new())),
        }
    }
    read.into_iter().map(|(text, answer)| (text, answer.join("\n"))).collect()
}

#[test]
fn expressions_have_the_form_that_prometheus_gives_them() {
    let cases = cases(include_str!("../accepted.txt"));
    assert!(cases.len() > 350, "{}", cases.len());
    for (text, form) in cases {
        let expr = parse(&text).unwrap_or_else(|error| panic!("{text}: {}", error.display(&text)));
        assert_eq!(expr.to_string(), form, "{text}");
        assert_eq!(expr.pretty(), form, "{text}");
        let again = parse(&form).unwrap_or_else(|error| panic!("{form}: {}", error.display(&form)));
        assert_eq!(again.to_string(), form, "{text}");
    }
}

#[test]
fn long_expressions_are_laid_out_as_by_prometheus() {
    let cases = cases(include_str!("../laid_out.txt"));
    assert!(cases.len() > 10, "{}", cases.len());
    for (text, lines) in cases {
        let expr = parse(&text).unwrap();
        assert_eq!(expr.pretty(), lines, "{text}");
        assert_eq!(parse(&lines).unwrap().to_string(), expr.to_string(), "{text}");
    }
}

#[test]
fn mistakes_are_told_in_the_words_of_prometheus() {
    let cases = cases(include_str!("../refused.txt"));
    assert!(cases.len() > 450, "{}", cases.len());
    for (text, message) in cases {
        match parse(&text) {
            Ok(expr) => panic!("{text} is read as {expr}"),
            Err(error) => assert_eq!(error.display(&text).to_string(), message, "{text}"),
        }
    }
}

#[test]
fn these_are_told_in_other_words() {
    for (text, message) in [
        ("foo{a=~\"(\"}", "1:5: parse error: error parsing regexp: missing closing ), it is read as (: `(`"),
        ("foo{a=~\"a)(b\"}", "1:5: parse error: error parsing regexp: )(b closes a group that is not open: `a)(b`"),
        // The first mistake is told.
        (
            "foo{a=~\"*\"} bar",
            "1:5: parse error: error parsing regexp: there is nothing before * that it could repeat: `*`",
        ),
        ("foo bar{a=~\"*\"}", "1:5: parse error: unexpected identifier \"bar\""),
        ("rat(foo)", "1:1: parse error: unknown function with name \"rat\", did you mean \"rad\" or \"rate\""),
        ("\"\\xff\"", "1:1: parse error: the escapes of the string say bytes that are no UTF-8"),
        ("foo offset NaN", "1:12: parse error: duration out of range"),
        ("foo !", "1:5: parse error: unexpected end of input after '!'"),
    ] {
        assert_eq!(parse(text).unwrap_err().display(text).to_string(), message, "{text}");
    }
    // Prometheus refuses a colon that no number stands before.
    assert_eq!(parse("foo[step():range()]").unwrap().to_string(), "foo[step():range()]");
    // Prometheus leaves a hole there, which it cannot read itself.
    assert_eq!(parse("info(foo, {})").unwrap().to_string(), "info(foo, {})");
    // What Prometheus prints of these says something else, or less.
    for (text, form) in [
        ("a offset +(5m) + b", "a offset +(5m) + b"),
        ("a offset - -5m + 3", "a offset (5m + 3)"),
        ("a offset -+step()*2", "a offset (-step() * 2)"),
        ("a offset +-(5m)^2 @ 3", "a offset (-(5m) ^ 2) @ 3.000"),
        ("a offset (5m) @ 3 + b", "a offset (5m) @ 3.000 + b"),
        ("a @ 3 offset (5m)", "a offset (5m) @ 3.000"),
        ("1s1ms", "1s1ms"),
        ("a[1s1ms + 1]", "a[1s1ms + 1]"),
        ("a[0.0001]", "a[0.0001]"),
        ("Inf ^ 2 + Inf", "Inf ^ 2 + +Inf"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), form, "{text}");
        assert_eq!(parse(form).unwrap().to_string(), form, "{text}");
    }
    assert_eq!(
        parse("").unwrap_err().display("").to_string(),
        "unknown position: parse error: no expression found in input"
    );
}
