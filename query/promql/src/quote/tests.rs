use super::*;

#[test]
fn texts_are_escaped_like_go_has_it() {
    for (text, quoted) in [
        ("", r#""""#),
        ("a\"b'c`d", r#""a\"b'c`d""#),
        ("\x07\x08\x0c\n\r\t\x0b\\", r#""\a\b\f\n\r\t\v\\""#),
        ("\0\x1f\x7f", r#""\x00\x1f\x7f""#),
        ("é漢😀", r#""é漢😀""#),
        ("e\u{301}\u{301}", "\"e\u{301}\u{301}\""),
        ("\u{80}\u{a0}\u{200b}\u{feff}", r#""\u0080\u00a0\u200b\ufeff""#),
        ("\u{e0001}", r#""\U000e0001""#),
        ("Größe_日本", r#""Größe_日本""#),
        ("a\u{200b}b\u{e0001}", r#""a\u200bb\U000e0001""#),
    ] {
        assert_eq!(Quoted(text).to_string(), quoted, "{text:?}");
    }
    assert_eq!(QuotedChar('\'').to_string(), r"'\''");
    assert_eq!(QuotedChar('"').to_string(), "'\"'");
}
