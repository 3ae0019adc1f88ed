use super::*;

#[test]
fn a_table_aligns_numbers_right_and_keeps_quoted_text() {
    let text = table::render("name,value\r\n\"a, \"\"b\"\"\",1.5\r\nlong name,20\r\n");
    assert_eq!(text, "name       value\n---------  -----\na, \"b\"       1.5\nlong name     20\n(2 rows)\n");
    assert_eq!(table::render("n\n"), "n\n-\n(0 rows)\n");
}

#[test]
fn a_table_lets_no_control_character_through() {
    let text = table::render("v\n\"\u{1b}[31mred\nline\"\n");
    assert!(text.contains("\u{fffd}[31mred\u{fffd}line"), "{text:?}");
}

#[test]
fn an_error_of_the_server_is_told_in_its_own_words() {
    let error = ask::refused(400, r#"{"kind":"invalid","message":"no table x, there is metrics"}"#);
    assert_eq!((error.kind(), error.message()), (ErrorKind::Invalid, "no table x, there is metrics"));
    let error = ask::refused(502, "<html>bad gateway</html>");
    assert!(error.message().contains("502"), "{error}");
}
