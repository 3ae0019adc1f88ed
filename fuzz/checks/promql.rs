//! Any text is an expression that is read or refused; what is read is printed, and read back as the same.

use promql::parse;

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let expr = match parse(text) {
        Ok(expr) => expr,
        Err(error) => {
            assert!(!error.message.is_empty() && error.span.end as usize <= text.len(), "{error}");
            let (line, column) = error.span.position(text);
            assert!(line > 0 && column > 0);
            return;
        }
    };
    let line = expr.to_string();
    for printed in [line.clone(), expr.pretty()] {
        match parse(&printed) {
            Ok(again) => assert_eq!(again.to_string(), line, "{text} is printed as {printed}"),
            // What is printed has blanks that may not have been there, but no levels more.
            Err(error) => panic!("{text} is printed as {printed}: {}", error.display(&printed)),
        }
    }
    let span = expr.span();
    assert!(span.start < span.end && span.end as usize <= text.len());
    assert!(expr.selectors().count() <= text.len());
    let json = expr.to_json();
    // Not compared themselves: a tree with NaN in it is not equal to itself.
    assert_eq!(expr.clone().to_json(), json);
    // A reader of JSON stops at so many levels.
    if expr.depth() < 40 {
        let tree: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert!(tree["type"].is_string());
    }
}
