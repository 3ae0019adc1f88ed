use proptest::prelude::*;
use regex::RegexBuilder;

use super::*;

/// Whether the translation of the anchored expression matches.
fn is_match(expression: &str, text: &str) -> bool {
    let translation = translate(&format!("^(?s:{expression})$")).unwrap_or_else(|e| panic!("{expression}: {e}"));
    let regex = RegexBuilder::new(&translation.text).nest_limit(1000).build();
    regex.unwrap_or_else(|e| panic!("{expression}: {e}")).is_match(text)
}

fn error(expression: &str) -> String {
    translate(expression).expect_err(expression).to_string()
}

#[test]
fn the_translation_can_be_read() {
    let cases = [
        (r"a.b|c*?", r"a[^\n]b|(?:c)*?"),
        (r"(?s)a.\.b\d", r"a(?s:.)\.b[0-9]"),
        (r"(?i)a\pL[b]", r"(?i:a)(?i:\p{gc=l})(?i:[\x{62}-\x{62}])"),
        (r"(?m)^a$(?-m)^a$", r"(?m:^)a(?m:$)\Aa\z"),
        (r"(?U)a+b+?c{2,3}", r"(?:a)+?(?:b)+(?:c){2,3}?"),
        (r"(?P<x>a)(b)(?:c)", r"(a)(b)(?:c)"),
        (r"[^a-c\d[:^alpha:]]", r"[^\x{61}-\x{63}[0-9][^A-Za-z]]"),
        (r"\Qa+b\E+", r"a\+(?:b)+"),
    ];
    for (expression, expected) in cases {
        assert_eq!(translate(expression).unwrap().text, expected, "{expression}");
    }
}

#[test]
fn groups_are_counted_and_named() {
    let groups = translate("(a)(?:b)((?P<x>c)|(?<2>d))").unwrap().groups;
    assert_eq!(groups, [None, None, None, Some("x".to_owned()), Some("2".to_owned())]);
}

#[test]
fn names_of_classes_are_read_loosely() {
    for name in ["Old_Persian", "OLD PERSIAN", "old-persian", "Xpeo"] {
        assert!(is_match(&format!(r"\p{{{name}}}"), "𐎠"), "{name}");
    }
    for name in ["Lu", "LU", "uppercase_letter"] {
        assert!(is_match(&format!(r"\p{{{name}}}"), "É") && !is_match(&format!(r"\p{{{name}}}"), "é"), "{name}");
    }
    for name in ["", "^", "isLu", "sc=Greek", "Alphabetic", "L1", "Greek:", "é"] {
        assert!(error(&format!(r"\p{{{name}}}")).starts_with("unknown class"), "{name}");
    }
}

#[test]
fn surrogates_are_a_class_of_nothing() {
    for (class, expected) in
        [(r"\p{Cs}", false), (r"\P{Surrogate}", true), (r"[\p{Cs}]", false), (r"[^\p{^Cs}]", false)]
    {
        assert_eq!(is_match(class, "a"), expected, "{class}");
    }
    assert!(is_match(r"[\p{Cs}a]", "a") && !is_match(r"[\p{Cs}a]", "b"));
}

#[test]
fn a_surrogate_between_two_characters_parts_a_range() {
    let range = r"[\x{D7FE}-\x{E001}]";
    for (text, expected) in [("\u{d7fe}", true), ("\u{d7ff}", true), ("\u{e000}", true), ("\u{e002}", false)] {
        assert_eq!(is_match(range, text), expected, "{text:?}");
    }
    assert!(is_match(r"[\x{DC00}-\x{E000}]", "\u{e000}") && !is_match(r"[\x{DC00}-\x{E000}]", "\u{d7ff}"));
}

#[test]
fn errors_show_what_is_wrong() {
    let cases = [
        ("(", "missing closing ), it is read as ("),
        ("a)b", ")b closes a group that is not open"),
        ("x**", "* repeats a repetition, put that into (?:…)"),
        ("|*", "there is nothing before * that it could repeat"),
        ("x{5,2}y", "{5,2} does not count up within 0 and 1000"),
        ("(x{40}y){30}", "{30} repeats more than 1000 times, inner ones multiplied"),
        (r"a\", "a backslash at the end escapes nothing"),
        (r"\yy", r"unknown escape \y"),
        (r"\1a", r"unknown escape \1"),
        (r"\x4", r"\x without the code point of a character, write it like \x41 or \x{1F333}"),
        (r"\p{Foo}a", r"unknown class \p{Foo}"),
        (r"\p{Foo", r"missing closing } of \p{Foo"),
        (r"\p", r"unknown class \p"),
        ("[[:foo:]]", "unknown class [:foo:]"),
        ("[z-a]", "the range z-a ends before it begins"),
        ("x[abcdefghijklmnopqrstuvw", "missing closing ] of [abcdefghijklmno…"),
        ("(?<a", "(?<a does not name a group like (?P<name>…); look-behind is not known"),
        ("(?=a)", "(?=a) is neither a group nor the flags i, m, s, U; look-around is not known"),
        ("(?", "(? is neither a group nor the flags i, m, s, U; look-around is not known"),
    ];
    for (expression, expected) in cases {
        assert_eq!(error(expression), expected, "{expression}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(is_match(&nested(MAX_NESTING - 2), "a"));
    assert_eq!(error(&nested(MAX_NESTING + 1)), "groups and repetitions are nested more than 64 deep");
    let repeated = |levels: usize| format!("a{}", "*(?i)".repeat(levels));
    assert!(is_match(&repeated(MAX_NESTING - 2), "aaa"));
    assert_eq!(error(&repeated(MAX_NESTING + 1)), "groups and repetitions are nested more than 64 deep");
    let both = |levels: usize| format!("{}{}{}", "(".repeat(levels), repeated(levels), ")".repeat(levels));
    assert!(is_match(&both(MAX_NESTING / 2 - 2), "aaa"));
    assert!(error(&both(MAX_NESTING / 2 + 2)).contains("nested"));
    assert!(error(&"(".repeat(1_000_000)).contains("nested"));
}

/// Pieces that mean something, so that texts of them come far into the translation.
const PIECES: &str = r"a b é . ^ $ | ( (?: (?i) (?i: (?P<n> (?<1> (?U) (?m-s: ) * +? ?? {2} {,3} {0,1} {1000} { } [ [^ ] - \
    [:alpha:] [:^ :] \d \W \pL \p{^Greek} \P{ \Q \E \x{D800} \x{1F333} \x4 \101 \b \B \A \C && --";

fn piece() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.split_ascii_whitespace().collect();
    prop_oneof![8 => proptest::sample::select(pieces).prop_map(str::to_owned), 1 => "(?s).".prop_map(String::from)]
}

proptest! {
    /// Any text is refused or becomes an expression that the engine takes, if it has the memory.
    #[test]
    fn what_is_translated_is_an_expression(pieces in proptest::collection::vec(piece(), 0..24)) {
        if let Ok(translation) = translate(&pieces.concat()) {
            match RegexBuilder::new(&translation.text).nest_limit(2000).size_limit(1 << 20).build() {
                Ok(regex) => prop_assert!(regex.captures_len() <= translation.groups.len()),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }

    /// What is quoted matches itself and nothing longer.
    #[test]
    fn quoted_text_is_itself(text in ".{0,12}") {
        prop_assume!(!text.contains(r"\E") && !text.ends_with('\\'));
        let quoted = format!(r"\Q{text}\E");
        prop_assert!(is_match(&quoted, &text));
        prop_assert!(!is_match(&quoted, &(text + "a")));
    }
}
