use proptest::prelude::*;

use super::*;

/// Reads a whole text and writes it anew, by steps into every value.
fn rewritten(text: &str) -> Result<String, Box<Fault>> {
    fn value(reader: &mut Reader<'_>, out: &mut String) -> Result<(), Box<Fault>> {
        let mut is_first = true;
        match reader.kind()? {
            Kind::Object => {
                reader.enter_object()?;
                out.push('{');
                let mut mark = "";
                while let Some(key) = reader.next_key(&mut is_first)? {
                    let mut name = String::new();
                    key.resolve(&mut name)?;
                    out.push_str(mark);
                    out.push_str(&serde_json::to_string(&name).unwrap());
                    out.push(':');
                    value(reader, out)?;
                    mark = ",";
                }
                out.push('}');
            }
            Kind::Array => {
                reader.enter_array()?;
                out.push('[');
                let mut mark = "";
                while reader.next_item(&mut is_first)? {
                    out.push_str(mark);
                    value(reader, out)?;
                    mark = ",";
                }
                out.push(']');
            }
            Kind::Text => {
                let mut text = String::new();
                reader.text()?.resolve(&mut text)?;
                out.push_str(&serde_json::to_string(&text).unwrap());
            }
            Kind::Number => out.push_str(reader.number()?),
            Kind::Bool | Kind::Null => out.push_str(reader.word()?),
        }
        Ok(())
    }
    let mut reader = Reader::new(text);
    let mut out = String::new();
    value(&mut reader, &mut out)?;
    reader.end()?;
    Ok(out)
}

fn skipped(text: &str) -> Result<&str, Box<Fault>> {
    let mut reader = Reader::new(text);
    let skipped = reader.skip()?;
    reader.end()?;
    Ok(skipped)
}

#[test]
fn values_are_read_as_they_are_written() {
    for (text, read) in [
        (r#" { "a" : [ 1 , -0.5e+10 , 0 , true , false , null , "x\n\"" ] , "b":{}, "":[] } "#, None),
        (r#""\u0041\ud83d\ude00\ud83dx\udc00\/\b\f""#, Some("\"A😀\u{fffd}x\u{fffd}/\\b\\f\"")),
        ("\"\x1b[31m red \t \0\"", Some(r#""\u001b[31m red \t \u0000""#)),
        ("0", None),
        ("1E5", None),
    ] {
        let read = read.map_or_else(|| text.chars().filter(|c| *c != ' ').collect::<String>(), |read| read.to_owned());
        assert_eq!(rewritten(text).unwrap(), read);
        assert_eq!(skipped(text).unwrap(), text.trim_matches(' '));
    }
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (text, place, what) in [
        ("", 0, "expected a value, got the end"),
        ("{", 1, "expected a key or '}', got the end"),
        ("{\"a\"", 4, "expected ':', got the end"),
        ("{\"a\":1,}", 7, "expected a key, got '}'"),
        ("{\"a\":1 \"b\"", 7, "expected ',' or '}', got '\"'"),
        ("{,", 1, "expected a key or '}', got ','"),
        ("[1,]", 3, "expected a value, got ']'"),
        ("[,1]", 1, "expected a value, got ','"),
        ("[1 2]", 3, "expected ',' or ']', got '2'"),
        ("[1}", 2, "expected ',' or ']', got '}'"),
        ("-", 1, "expected a digit, got the end"),
        ("01", 1, "expected nothing more, got '1'"),
        ("1.", 2, "expected a digit, got the end"),
        ("1e+x", 3, "expected a digit, got 'x'"),
        ("tru", 0, "expected true, false or null, got 't'"),
        ("\"abc", 0, "a text has no end"),
        ("\"abc\\\"", 0, "a text has no end"),
        ("\"abc\\", 0, "a text has no end"),
        ("ü", 0, "expected a value, got 'ü'"),
    ] {
        for fault in [rewritten(text).unwrap_err(), skipped(text).unwrap_err()] {
            assert_eq!((fault.at, fault.what.as_str()), (place, what), "{text}");
        }
    }
    for (text, place, shown) in [
        (r#""ab\x""#, 3, r#""\\x""#),
        (r#""\n\u12""#, 3, r#""\\u12""#),
        (r#""\u12g4""#, 1, r#""\\u12g4""#),
        (r#""\n\é""#, 3, r#""\\é""#),
    ] {
        let fault = rewritten(text).unwrap_err();
        assert_eq!((fault.at, fault.what), (place, format!("{shown} is no escape of JSON")));
    }
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(skipped(&nested(MAX_DEPTH as usize)).is_ok());
        let fault = skipped(&nested(MAX_DEPTH as usize + 1)).unwrap_err();
        assert_eq!(fault.what, "values are nested more than 64 deep");
        assert!(skipped(&open.repeat(1_000_000)).is_err());
    }
}

proptest! {
    /// What serde_json takes is taken and is the same; of what it refuses only control characters are taken.
    #[test]
    fn it_is_the_json_of_others(text in "[ {}\\[\\]:,\"\\\\untrfalse0-9.eE+x\u{1}é-]{0,24}") {
        let ours = rewritten(&text);
        let skipped = skipped(&text);
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(value) => {
                let ours = ours.unwrap();
                prop_assert_eq!(skipped.unwrap(), text.trim());
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ours).unwrap(), value);
            }
            Err(error) => {
                let may = ["control character", "surrogate", "unexpected end of hex escape", "number out of range"];
                let may = may.iter().any(|what| error.to_string().contains(what));
                prop_assert!(ours.is_err() || may, "{} {}", text, error);
            }
        }
    }
}
