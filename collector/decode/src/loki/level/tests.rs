fn level_of(line: &str) -> (&'static str, Option<&str>) {
    let (level, value) = super::level_of(line);
    (level.as_str(), value)
}

#[test]
fn fields_of_json_say_the_level() {
    for (line, level, value) in [
        (r#"{"level":"ERROR","msg":"info"}"#, "error", Some("ERROR")),
        (r#" {"a":1,"b":[{"level":"x"}],"c":{"lvl":"dbg"}} "#, "debug", Some("dbg")),
        // What is deeper is no field, but its words count.
        (r#"{"a":{"b":{"level":"fatal"}}}"#, "fatal", None),
        (r#"{"a":{"b":{"level":"dbg"}}}"#, "unknown", None),
        // Only texts count, and keys as they are written.
        (r#"{"level":30,"Severity":"Warning"}"#, "warn", Some("Warning")),
        (r#"{"LeVel":"err"}"#, "error", None),
        (r#"{"LeVel":"wrn"}"#, "unknown", None),
        // The first that is there, known or not; then words.
        (r#"{"level":"audit","severity":"error","x":"debug"}"#, "error", None),
        (r#"{"level":"er"#, "unknown", None),
        (r#"{"level":"er debug: }"#, "debug", None),
        // What is broken before its level has words.
        (r#"{"a":1,,"level":"error"}"#, "error", None),
        (r#"{"msg":"a "quoted" word","level":"error"}"#, "error", None),
        (r#"{"level":"error","msg":"a "quoted" word"}"#, "error", Some("error")),
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
        ("msg=\"a level=dbg \\\" level=trc\" level=crit lvl=wrn", "unknown", None),
        ("msg=\"a level=dbg \\\" level=trace\" level=crit lvl=wrn", "trace", None),
        ("msg=\"level=dbg", "unknown", None),
        ("x=1 level=", "unknown", None),
        ("level==wrn", "unknown", None),
        ("level =wrn", "unknown", None),
        ("a=b ERR: no", "error", None),
        ("=", "unknown", None),
        ("level=\"", "unknown", None),
    ] {
        assert_eq!(level_of(line), (level, value), "{line}");
    }
}

#[test]
fn the_first_word_that_stands_by_itself_says_the_level() {
    for (line, level) in [
        ("ERROR failed", "error"),
        ("error: disk", "error"),
        ("2026-01-01 Error\tx", "error"),
        ("an INFO and [error]", "info"),
        ("warning: then err: no", "warn"),
        ("critical, fatal", "critical"),
        ("a fatal one in debug mode", "fatal"),
        ("a warning", "warn"),
        ("WARN", "warn"),
        ("(Info)", "info"),
        ("err", "error"),
        ("error!", "error"),
        ("\"error\"", "error"),
        ("{debug}", "debug"),
        ("errors, and one error", "error"),
        ("information info", "info"),
        ("errno error", "error"),
        ("error1 warn", "warn"),
        ("ü error ü", "error"),
        // What is behind a colon is a value, and other signs make a longer word.
        ("misc:error", "unknown"),
        ("a debugger:info", "unknown"),
        ("x-err.y", "unknown"),
        ("err-", "unknown"),
        ("error.", "unknown"),
        ("]error", "unknown"),
        ("}warn,", "unknown"),
        // Parts of words say nothing.
        ("information", "unknown"),
        ("terror errors err_no 5xx_info warned", "unknown"),
        ("errorü", "unknown"),
        (":]", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(level_of(line), (level, None), "{line}");
    }
}

#[test]
fn the_start_of_a_long_line_is_looked_at() {
    let (blanks, umlauts) = (" ".repeat(64 << 10), "ü".repeat(40_000));
    assert_eq!(level_of(&format!("[info]{blanks}error")).0, "info");
    assert_eq!(level_of(&format!("x{umlauts} info")).0, "unknown");
    assert_eq!(level_of(&format!("{{\"level\":\"warn\",\"x\":\"{umlauts}\"}}")).0, "warn");
    // Nested as deep as there is room for.
    assert_eq!(level_of(&format!("{}}}", "{\"a\":".repeat(1_000_000))).0, "unknown");
}
