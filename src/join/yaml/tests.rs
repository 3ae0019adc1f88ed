use std::collections::BTreeMap;

use super::*;

fn read_back(text: &str) -> String {
    let yaml = format!("key: {}\nnext: {} # a comment\n", scalar(text), scalar(text));
    let read: BTreeMap<String, String> = serde_saphyr::from_str(&yaml).unwrap_or_else(|e| panic!("{yaml:?}: {e}"));
    assert_eq!(read["key"], read["next"], "{yaml:?}");
    read["key"].clone()
}

#[test]
fn what_could_be_taken_for_something_else_is_quoted() {
    for plain in ["berlin", "eu-central-1", "a.b_c/d", "http://prometheus.example:9090/x", "Falsework", "note"] {
        assert_eq!(scalar(plain), plain);
    }
    let cases = [
        "",
        " ",
        "a ",
        " a",
        "a b",
        "true",
        "No",
        "NULL",
        "~",
        "y",
        "1",
        "1e3",
        "0x1f",
        "1_000",
        "12:30:45",
        "2026-11-26",
        ".inf",
        "-",
        "- a",
        "a:",
        "a: b",
        ":a",
        "a #b",
        "#a",
        "{a",
        "[a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "a\\b",
        "a\nb",
        "a\r\nb",
        "---",
        "...",
        "?",
        "? a",
        "=",
        "<<",
        "a\tb",
        "\u{feff}a",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{202e}a",
        "München",
        "日本",
        "🦀",
        "\0",
        "\x1b[31m",
    ];
    for text in cases {
        assert!(scalar(text).starts_with('"'), "{text:?}: {}", scalar(text));
        assert_eq!(read_back(text), text);
    }
}

#[test]
fn every_character_there_is_comes_back() {
    let all: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
    for part in all.chunks(1 << 14) {
        let text: String = part.iter().collect();
        assert_eq!(read_back(&text), text);
        assert!(scalar(&text).chars().all(is_visible));
    }
}

#[test]
fn nothing_that_is_shown_moves_a_cursor_or_turns_the_writing() {
    assert_eq!(printable(" a\x1b[31m\r\nb\u{2028}\u{202e}c\u{feff}\u{200b} "), "a�[31m��b��c��");
    assert_eq!(printable("Grüße 🦀"), "Grüße 🦀");
    let long = printable(&"x".repeat(1_000_000));
    assert_eq!((long.chars().count(), long.ends_with('…')), (SHOWN_CHARS + 1, true));
}
