use super::*;

#[test]
fn durations_read_as_prometheus_reads_them() {
    let good = [
        ("0", 0),
        ("0s", 0),
        ("1ms", 1),
        ("15s", 15_000),
        ("1m", 60_000),
        ("1h30m", 5_400_000),
        ("1d", 86_400_000),
        ("1w", 604_800_000),
        ("1y", 31_536_000_000),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
        ("90s", 90_000),
    ];
    for (text, ms) in good {
        assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
    }
}

#[test]
fn what_is_no_duration_is_refused_with_the_text_in_the_message() {
    for text in
        ["", "1", "s", "-1s", "1.5s", "1s1m", "1s1s", "1 s", " 1s", "1µs", "1S", "99999999999999999999s", "400000000y"]
    {
        let error = parse(text).unwrap_err();
        assert!(error.message().contains(&format!("{text:?}")), "{text}: {error}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    for ms in [0, 1, 999, 1000, 15_000, 61_001, 5_400_000, 86_400_000, 15 * 86_400_000, 604_800_000, 31_536_000_001] {
        let duration = Duration::from_millis(ms);
        assert_eq!(parse(&format(duration)).unwrap(), duration, "{}", format(duration));
    }
    assert_eq!(format(Duration::from_secs(5400)), "1h30m");
    assert_eq!(format(Duration::from_secs(15 * 86_400)), "15d");
}
