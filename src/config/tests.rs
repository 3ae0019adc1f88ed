use std::path::Path;
use std::time::Duration;

use super::units::{Bytes, Span};
use super::{Config, LogFormat};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("f.yaml")).map_err(|mistake| mistake.to_string())
}

#[test]
fn durations_read_as_in_prometheus() {
    let read = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
    assert_eq!(read("15d"), Ok(15 * 86_400_000));
    assert_eq!(read("1h30m"), Ok(5_400_000));
    assert_eq!(read("1m5s500ms"), Ok(65_500));
    assert_eq!(read("0"), Ok(0));
    for wrong in
        ["", "1", "s", "1.5h", "-1s", "5s1h", "1s1s", "1 s", "1fortnight", "99999999999999999999s", "9999999999999y"]
    {
        assert!(read(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn sizes_count_in_steps_of_1024() {
    let read = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0);
    assert_eq!(read("65536"), Ok(65_536));
    assert_eq!(read("512MB"), Ok(512 << 20));
    assert_eq!(read("1GiB"), Ok(1 << 30));
    assert_eq!(read("10B"), Ok(10));
    for wrong in ["", "MB", "1mb", "1.5GB", "-1MB", "1XB", "99999999999TB", "1M"] {
        assert!(read(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn every_key_is_read_and_absent_ones_have_their_default() {
    assert_eq!(parse(""), Ok(Config::default()));
    assert_eq!(parse("# nothing yet\n"), Ok(Config::default()));
    let config = parse(
        "listen: 127.0.0.1:0\nlog: {level: debug, format: json}\nstorage:\n  url: /tmp/s\n  cut_every: 1s\n  \
         retention: 30d\n  memory_bytes: 512MB\n  journal_bytes: 2097152\nclusters:\n  - name: berlin\n    \
         region: eu-central-1\n    services: {shop: passive}\n",
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
    assert_eq!((config.log.level.as_str(), config.log.format), ("debug", LogFormat::Json));
    assert_eq!((config.storage.url.as_str(), config.storage.cut_every), ("/tmp/s", Duration::from_secs(1)));
    assert_eq!((config.storage.memory_bytes, config.storage.journal_bytes), (512 << 20, 2 << 20));
    assert_eq!(config.storage.retention, Duration::from_secs(30 * 86_400));
    assert_eq!((config.clusters[0].name.as_str(), config.clusters[0].services["shop"].as_str()), ("berlin", "passive"));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_key_that_was_meant() {
    let message = parse("listen: 127.0.0.1:1\nstorage:\n  urll: x\n").unwrap_err();
    assert_eq!(message, "f.yaml:3:3: unknown key \"urll\", did you mean \"url\"");
    let message = parse("storge:\n  url: x\n").unwrap_err();
    assert_eq!(message, "f.yaml:1:1: unknown key \"storge\", did you mean \"storage\"");
    let message = parse("clusters:\n  - name: a\n    colour: red\n").unwrap_err();
    assert!(message.starts_with("f.yaml:3:5: unknown key \"colour\", known here: name, region,"), "{message}");
    let message = parse("log: {format: yaml}\n").unwrap_err();
    assert_eq!(message, "f.yaml:1:15: unknown value \"yaml\", known here: text, json");
}

#[test]
fn wrong_values_are_named_with_their_place() {
    let cases = [
        ("storage: {cut_every: soon}\n", "f.yaml:1:22: \"soon\" is not a duration: write 500ms, 15s, 1h30m or 15d"),
        ("storage: {cut_every: 10ms}\n", "f.yaml:1:22: storage.cut_every must be at least 1 seconds"),
        ("storage:\n  memory_bytes: 3 MB\n", "f.yaml:2:17: \"3 MB\" is not a size: write 65536, 512MB or 1GiB"),
        ("clusters:\n  - name: a\n  - name: a\n", "f.yaml:3:5: cluster \"a\" comes twice"),
        ("clusters:\n  - region: a\n", "f.yaml:2:5: the key \"name\" is missing"),
        ("listen: nowhere\n", "f.yaml:1:9: invalid socket address syntax"),
        ("log: {}\nlog: {}\n", "f.yaml:2:1: the key \"log\" comes twice"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap_err(), expected);
    }
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_place() {
    let message = parse("storage: [\n").unwrap_err();
    assert!(message.starts_with("f.yaml:"), "{message}");
    assert!(parse("just words\n").is_err());
    let bomb = (0..30).fold("a0: &a0 [x,x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [*a{n},*a{n},*a{n},*a{n}]\n", n + 1, n + 1)
    });
    assert!(parse(&bomb).is_err());
}
