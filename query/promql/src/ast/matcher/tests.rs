use super::*;

fn matcher(op: MatchOp, value: &str) -> Matcher {
    Matcher { label: "a".to_owned(), op, value: value.to_owned(), span: Span::default() }
}

#[test]
fn expressions_match_whole_values() {
    for (pattern, matching, other) in [
        ("a|b", vec!["a", "b"], vec!["", "ab", "a\n"]),
        ("a.*", vec!["a", "ab", "a\nb"], vec!["ba"]),
        ("", vec![""], vec!["a"]),
        ("(?i)berlin", vec!["Berlin"], vec!["xBerlin"]),
        ("a$|^b", vec!["a", "b"], vec!["ab"]),
        ("[é-ü]+", vec!["é"], vec!["e"]),
        ("/api/{id}", vec!["/api/{id}"], vec!["/api/1"]),
        (r"\d\w", vec!["1a"], vec!["١a", "1é"]),
    ] {
        let regex = matcher(MatchOp::Regex, pattern).regex().unwrap();
        assert!(matching.iter().all(|value| regex.is_match(value)), "{pattern}");
        assert!(!other.iter().any(|value| regex.is_match(value)), "{pattern}");
    }
    for pattern in ["(", "a)(b", "a)|(b", "*", "[", "\\", "(?=a)", "a**", "((x{100}){10}){10}"] {
        assert!(matcher(MatchOp::Regex, pattern).regex().is_err(), "{pattern}");
    }
}

#[test]
fn some_are_fulfilled_without_a_label() {
    for (op, value, matches) in [
        (MatchOp::Equal, "", true),
        (MatchOp::Equal, "x", false),
        (MatchOp::NotEqual, "", false),
        (MatchOp::NotEqual, "x", true),
        (MatchOp::Regex, "x*", true),
        (MatchOp::Regex, "x+", false),
        (MatchOp::NotRegex, "x*", false),
        (MatchOp::NotRegex, "x+", true),
        (MatchOp::Regex, "(", false),
        (MatchOp::NotRegex, "(", false),
    ] {
        assert_eq!(matcher(op, value).matches_empty(), matches, "{op:?} {value}");
    }
}
