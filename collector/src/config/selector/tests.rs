use proptest::prelude::*;

use super::*;

/// The conditions, one a line: `label operator value`.
fn read(text: &str) -> Vec<String> {
    let matchers = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    matchers.iter().map(|m| format!("{} {:?} {}", m.label, m.operator, m.value)).collect()
}

#[test]
fn selectors_are_read() {
    assert_eq!(read("up"), ["__name__ Equal up"]);
    assert_eq!(read(" job:rate:5m { } "), ["__name__ Equal job:rate:5m"]);
    assert_eq!(read(r#"{__name__!=""}"#), ["__name__ NotEqual "]);
    assert_eq!(
        read(r#"node_load1{job=~"n.*", env!='', zone!~`a\d`,}"#),
        ["__name__ Equal node_load1", "job Matches n.*", "env NotEqual ", r"zone MatchesNot a\d"]
    );
    assert_eq!(read(r#"{"my.metric", "the label"="x"}"#), ["__name__ Equal my.metric", "the label Equal x"]);
    assert_eq!(read("{a=\"1\"\n,\tb = \"2\"}"), ["a Equal 1", "b Equal 2"]);
}

#[test]
fn escapes_are_those_of_go() {
    assert_eq!(read(r#"{a="\"\\\n\t'"}"#), ["a Equal \"\\\n\t'"]);
    assert_eq!(read(r"{a='\'\x41\102\u00e9\U0001F600é'}"), ["a Equal 'ABé😀é"]);
    assert_eq!(read(r#"{a="\xc3\xa9b"}"#), ["a Equal éb"]);
}

#[test]
fn what_is_wrong_is_told_with_its_column() {
    let refused = |text: &str, column: usize, what: &str| {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.contains(&format!("column {column}: {what}")), "{text}: {error}");
    };
    refused("", 1, "a metric name");
    refused("5m", 1, "a metric name");
    refused("up{", 4, "the name of a label");
    refused("up{job}", 7, "one of =");
    refused("up{job=node}", 8, "a value in quotes");
    refused(r#"up{job="node"#, 13, "a closing \"");
    refused(r#"up{job="node" env="x"}"#, 15, "a comma or }");
    refused(r#"up{job=="node"}"#, 8, "a value in quotes");
    refused(r#"up{job="\q"}"#, 9, "an escape of Go");
    refused(r#"up{job="\é"}"#, 9, "an escape of Go");
    refused(r#"up{job="\xff"}"#, 14, "a value of valid UTF-8");
    refused("up[5m]", 3, "the end of the selector");
    refused("rate(up)", 5, "the end of the selector");
    refused("up or down", 4, "the end of the selector");
    assert!(parse("{}").expect_err("no condition").to_string().contains("has no condition"));
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "[a-z{}=!~,\"'`\\\\ 0-9é]{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_value_comes_through(value in any::<String>()) {
        let matchers = parse(&format!("{{a={value:?}}}"));
        // Rust writes some characters as \u{…}, which Go does not read.
        if !format!("{value:?}").contains("\\u{") && !format!("{value:?}").contains("\\0") {
            prop_assert_eq!(&matchers.expect("written as Go does")[0].value, &value);
        }
    }
}
