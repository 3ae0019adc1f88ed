use super::*;

fn flat(groups: &[Group]) -> Vec<String> {
    let targets = groups.iter().flat_map(Group::targets);
    targets.map(|labels| labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")).collect()
}

#[test]
fn json_and_yaml_say_the_same() {
    let json = br#"[{"targets": ["a:1", "b:2"], "labels": {"zone": "x"}}, {"targets": []}]"#;
    let yaml = b"- targets: ['a:1', 'b:2']\n  labels: {zone: x}\n- targets: []\n";
    let expected = ["__meta_x=y,zone=x,__address__=a:1", "__meta_x=y,zone=x,__address__=b:2"];
    assert_eq!(flat(&read_json(json, "__meta_x", "y").unwrap()), expected);
    assert_eq!(flat(&read_yaml(yaml, "__meta_x", "y").unwrap()), expected);
}

#[test]
fn what_is_half_written_or_unknown_is_refused() {
    for text in [
        &br#"[{"targets": ["a:1"], "lab"#[..],
        br#"{"targets": ["a:1"]}"#,
        br#"[{"target": ["a:1"]}]"#,
        br#"[{"targets": ["a"], "labels": {"x": {}}}]"#,
        b"",
        b"\xff",
    ] {
        assert!(read_json(text, "a", "b").is_err(), "{}", String::from_utf8_lossy(text));
        assert!(read_yaml(text, "a", "b").is_err(), "{}", String::from_utf8_lossy(text));
    }
    // A number is a text in YAML where a text is expected.
    assert!(read_json(br#"[{"targets": [1]}]"#, "a", "b").is_err());
}
