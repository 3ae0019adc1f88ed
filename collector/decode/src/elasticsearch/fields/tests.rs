use super::*;

fn fields(text: &str) -> Result<Vec<(String, String)>, Box<Fault>> {
    let mut found = Vec::new();
    let mut reader = Reader::new(text);
    walk::<Box<Fault>>(&mut reader, &mut "x".to_owned(), 1, &mut |name, value| {
        found.push((name.to_owned(), value.written(&mut String::new())?.to_owned()));
        Ok(())
    })?;
    reader.end()?;
    Ok(found)
}

#[test]
fn nested_fields_and_dotted_names_are_the_same() {
    let expected = [("x.a.b", "1"), ("x.a.c", "t"), ("x.d.e", "1.50"), ("x.f", "true"), ("x.i", "")];
    let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let nested = r#"{"a":{"b":1,"c":"t"},"d":{"e":1.50},"f":true,"g":null,"h":{},"i":""}"#;
    let dotted = r#"{"a.b":1,"a.c":"\u0074","d.e":1.50,"f":true,"g":null,"i":""}"#;
    assert_eq!(fields(nested).unwrap(), expected);
    assert_eq!(fields(dotted).unwrap(), expected);
}

#[test]
fn arrays_are_json_without_blanks() {
    for (array, written) in [
        ("[ ]", "[]"),
        ("[1 , 2.50,\n{\"a b\" : \" \\\" ] \" } ]", "[1,2.50,{\"a b\":\" \\\" ] \"}]"),
        ("[\"\\\\\", \"ü \"]", "[\"\\\\\",\"ü \"]"),
    ] {
        assert_eq!(fields(array).unwrap(), [("x".to_owned(), written.to_owned())]);
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let names = fields(&nested(MAX_DEPTH as usize - 1)).unwrap();
    assert_eq!(names[0].0.len(), 1 + 2 * (MAX_DEPTH as usize - 1));
    assert!(fields(&nested(MAX_DEPTH as usize)).unwrap_err().what.contains("more than 64 deep"));
    assert!(fields(&"{\"a\":".repeat(1_000_000)).is_err());
}
