use super::*;
use crate::ast::AggregateOp;
use crate::token::Preprocessor;

/// The tokens of a text, each with its words.
fn tokens(text: &str) -> Result<Vec<(TokenKind, &str)>, ParseError> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    loop {
        let Token { kind, span } = lexer.token()?;
        if kind == TokenKind::End {
            assert_eq!((span.start as usize, span.end as usize), (text.len(), text.len()));
            return Ok(tokens);
        }
        tokens.push((kind, &text[span.start as usize..span.end as usize]));
    }
}

#[test]
fn words_are_keywords_by_their_place() {
    use TokenKind as T;
    let cases: [(&str, &[(TokenKind, &str)]); 10] = [
        ("Sum sum_", &[(T::Aggregate(AggregateOp::Sum), "Sum"), (T::Identifier, "sum_")]),
        ("a:b :c d", &[(T::MetricIdentifier, "a:b"), (T::MetricIdentifier, ":c"), (T::Identifier, "d")]),
        (
            "{sum,on}",
            &[
                (T::LeftBrace, "{"),
                (T::Identifier, "sum"),
                (T::Comma, ","),
                (T::Identifier, "on"),
                (T::RightBrace, "}"),
            ],
        ),
        ("fill fill (", &[(T::Identifier, "fill"), (T::Keyword(Keyword::Fill), "fill"), (T::LeftParen, "(")]),
        ("NaN iNf", &[(T::Number, "NaN"), (T::Number, "iNf")]),
        (
            "[step:5]",
            &[
                (T::LeftBracket, "["),
                (T::Preprocessor(Preprocessor::Step), "step"),
                (T::Colon, ":"),
                (T::Number, "5"),
                (T::RightBracket, "]"),
            ],
        ),
        ("5m 5 .5e1 0x_1f", &[(T::Duration, "5m"), (T::Number, "5"), (T::Number, ".5e1"), (T::Number, "0x_1f")]),
        ("5m-3", &[(T::Duration, "5m"), (T::Operator(BinaryOp::Sub), "-"), (T::Number, "3")]),
        (
            "<</<=",
            &[
                (T::Operator(BinaryOp::Less), "<"),
                (T::Operator(BinaryOp::TrimUpper), "</"),
                (T::Operator(BinaryOp::LessOrEqual), "<="),
            ],
        ),
        ("'a\"' # b\n@", &[(T::String, "'a\"'"), (T::At, "@")]),
    ];
    for (text, wanted) in cases {
        // What is left open does not matter here.
        match tokens(text) {
            Ok(found) => assert_eq!(found, wanted, "{text}"),
            Err(error) => assert_eq!(error.message, "unclosed left parenthesis", "{text}"),
        }
    }
}

#[test]
fn strings_have_the_escapes_of_go() {
    for (text, value) in [
        (r#""a\"b\\\n\t\a\b\f\r\v""#, "a\"b\\\n\t\x07\x08\x0c\r\x0b"),
        (r#""\x41\101\u00e9\U0001F600""#, "AAé😀"),
        (r#""\xc3\xa9""#, "é"),
        (r"'\''", "'"),
        (r"`\n`", r"\n"),
        ("`a\nb`", "a\nb"),
        ("\"é\" x", "é"),
    ] {
        let (found, length) = unquote(text).unwrap();
        assert_eq!(found, value, "{text}");
        assert!(text[..length].ends_with(&text[..1]) && length > 1, "{text}");
    }
    for (text, message) in [
        ("\"a", "unterminated quoted string"),
        ("\"a\n\"", "unterminated quoted string"),
        ("`a", "unterminated raw string"),
        (r#""\q""#, "unknown escape sequence U+0071 'q'"),
        (r#""\'""#, "unknown escape sequence U+0027 '''"),
        (r#""\x4g""#, "illegal character U+0067 'g' in escape sequence"),
        (r#""\400""#, "escape sequence is an invalid Unicode code point"),
        (r#""\ud800""#, "escape sequence is an invalid Unicode code point"),
        (r#""\U00110000""#, "escape sequence is an invalid Unicode code point"),
        (r#""\"#, "escape sequence not terminated"),
        (r#""\xff""#, "the escapes of the string say bytes that are no UTF-8"),
        ("\"\u{fffd}\"", "invalid UTF-8 rune"),
    ] {
        assert_eq!(unquote(text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn numbers_have_the_forms_of_go() {
    for (text, value) in [
        ("0", 0.0),
        ("017", 15.0),
        ("0_17", 15.0),
        ("08", 8.0),
        ("08.5", 8.5),
        ("0x1F", 31.0),
        ("0X_1f_0", 496.0),
        ("1_000.5", 1000.5),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("5.", 5.0),
        ("9223372036854775807", 9_223_372_036_854_775_807.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ("inf", f64::INFINITY),
    ] {
        assert_eq!(parse_number(text), Ok(value), "{text}");
    }
    assert!(parse_number("NAN").unwrap().is_nan());
    for text in ["", "_1", "1__0", "1_", "1_.5", "0x", "0xg", "0x1.5", "1e999", "0xFFFFFFFFFFFFFFFFFF", "1e", "0x1e+5"]
    {
        assert!(parse_number(text).is_err(), "{text}");
    }
}
