use super::*;

fn level_of(line: &str) -> (&'static str, Option<&str>) {
    let (level, value) = Words::default().level_of(line);
    (level.as_str(), value)
}

#[test]
fn fields_of_json_say_the_level() {
    for (line, level, value) in [
        (r#"{"level":"ERROR","msg":"info"}"#, "error", Some("ERROR")),
        (r#" {"a":1,"b":[{"level":"x"}],"c":{"lvl":"dbg"}} "#, "debug", Some("dbg")),
        (r#"{"a":{"b":{"level":"fatal"}}}"#, "unknown", None),
        // Only texts count, and keys as they are written.
        (r#"{"level":30,"Severity":"Warning"}"#, "warn", Some("Warning")),
        (r#"{"LeVel":"error"}"#, "unknown", None),
        // The first that is there, known or not; then words.
        (r#"{"level":"audit","severity":"error","x":"debug"}"#, "debug", None),
        (r#"{"level":"er"#, "unknown", None),
        (r#"{"level":"er debug: }"#, "debug", None),
        ("{}", "unknown", None),
    ] {
        assert_eq!(level_of(line), (level, value), "{line}");
    }
}

#[test]
fn fields_of_logfmt_say_the_level() {
    for (line, level, value) in [
        ("level=info", "info", Some("info")),
        ("ts=1 LEVEL=\"Error\" msg=x", "error", Some("Error")),
        ("lvl=debug severity=warn x=1", "warn", Some("warn")),
        ("msg=\"a level=fatal \\\" level=trace\" level=crit lvl=wrn", "unknown", None),
        ("msg=\"level=fatal", "unknown", None),
        ("x=1 level=", "unknown", None),
        ("level==error", "unknown", None),
        ("level =error", "unknown", None),
        ("a=b ERR: no", "error", None),
        ("=", "unknown", None),
        ("level=\"", "unknown", None),
    ] {
        assert_eq!(level_of(line), (level, value), "{line}");
    }
}

#[test]
fn words_say_the_level_in_the_order_of_loki() {
    for (line, level) in [
        ("an INFO and [error]", "info"),
        ("warning: then err: no", "error"),
        ("[ERROR] x", "error"),
        ("ERROR x", "unknown"),
        ("a warning", "warn"),
        ("WARN: x", "warn"),
        ("WARN x", "unknown"),
        ("[CRITICAL]", "critical"),
        ("critical: and debug", "critical"),
        ("critical", "unknown"),
        ("in debug mode", "debug"),
        ("Debug", "unknown"),
        ("err", "unknown"),
        (":]", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(level_of(line), (level, None), "{line}");
    }
}

#[test]
fn the_start_of_a_long_line_is_looked_at() {
    let (blanks, umlauts) = (" ".repeat(64 << 10), "ü".repeat(40_000));
    assert_eq!(level_of(&format!("[error]{blanks}info")).0, "error");
    assert_eq!(level_of(&format!("x{umlauts}info")).0, "unknown");
    assert_eq!(level_of(&format!("{{\"level\":\"warn\",\"x\":\"{umlauts}\"}}")).0, "warn");
    // Nested as deep as there is room for.
    assert_eq!(level_of(&format!("{}}}", "{\"a\":".repeat(1_000_000))).0, "unknown");
}
