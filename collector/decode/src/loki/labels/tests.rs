use super::*;

fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut labels = Labels::default();
    labels.parse(text.as_bytes()).map_err(|bad| bad.what)?;
    Ok(labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[test]
fn labels_are_read_as_promql_writes_them() {
    for (text, labels) in [
        ("{}", &[][..]),
        (" { a = \"b\" , } ", &[("a", "b")]),
        (
            r#"{a="b",c_1='d',"e.f g"="h",i.j="k",l=`m\n"`}"#,
            &[("a", "b"), ("c_1", "d"), ("e.f g", "h"), ("i.j", "k"), ("l", "m\\n\"")],
        ),
        (r#"{a="\"\\\n\t\a\x41\101\u00e9\U0001f600"}"#, &[("a", "\"\\\n\t\u{7}AAé😀")]),
        (r#"{a='\'"'}"#, &[("a", "'\"")]),
        (r#"{a="\xc3\xa9\xff"}"#, &[("a", "é\u{fffd}")]),
        (r#"{a="",b="c"}"#, &[("b", "c")]),
        ("{a=\"\0\n\"}", &[("a", "\0\n")]),
    ] {
        let labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(parsed(text), Ok(labels), "{text}");
    }
}

#[test]
fn broken_labels_are_told_with_their_place() {
    for (text, what) in [
        ("a=\"b\"", "expected '{', got 'a' at byte 0"),
        ("{a}", "expected '=', got '}' at byte 2"),
        ("{a=b}", "expected a quoted value, got 'b' at byte 3"),
        ("{a=\"b}", "a quote has no end at byte 3"),
        ("{a=`b}", "a quote has no end at byte 3"),
        ("{a=\"b\\", "a quote has no end at byte 3"),
        ("{a=\"\\q\"}", "a value has an escape that is none at byte 3"),
        ("{a=\"\\x4\"}", "a value has an escape that is none at byte 3"),
        ("{a=\"\\777\"}", "a value has an escape that is none at byte 3"),
        ("{a=\"\\ud800\"}", "a value has an escape that is none at byte 3"),
        ("{a=\"b\"}}", "expected nothing more, got '}' at byte 7"),
        ("{a=\"b\" c=\"d\"}", "expected '}', got 'c' at byte 7"),
        ("{1a=\"b\"}", "expected the name of a label, got '1' at byte 1"),
        ("{,}", "expected the name of a label, got ',' at byte 1"),
        ("{\"\"=\"b\"}", "a label has no name at byte 3"),
        ("{a=~\"b\"}", "expected a quoted value, got '~' at byte 3"),
        ("{ü=\"b\"}", "expected the name of a label, got 'ü' at byte 1"),
    ] {
        let message = parsed(text).unwrap_err();
        assert!(message.starts_with(what), "{text}: {message}");
    }
    let mut labels = Labels::default();
    assert!(labels.parse(b"{a=\"\xff\"}").unwrap_err().what.contains("not UTF-8"));
}

#[test]
fn the_service_is_derived_unless_it_is_named() {
    assert_eq!(derived_service(&[("service_name", "a"), ("app", "b")]), None);
    assert_eq!(derived_service(&[("job", "a"), ("container", "b"), ("app", "")]), Some("b"));
    assert_eq!(derived_service(&[("service_name", ""), ("filename", "x")]), Some("unknown_service"));
}
