use super::*;

#[test]
fn the_formula_is_near_what_was_measured() {
    // docs/scraping.md: 2,000 targets of 507 samples at 15 s took 1.21 GB before the first seal of a tail, 0.9 KB a series later.
    let million = Estimate { series: 1_014_000.0, samples_per_second: 67_600.0, unknown: 0 };
    assert!((1.21e9..2.5e9).contains(&million.memory_bytes()), "{}", million.memory_bytes());
    // The run that HEADS_IN_A_CUT tells of, with a sixth of the time between two cuts.
    let run = Estimate { series: 101_000.0, samples_per_second: 50_500.0 / 6.0, unknown: 0 };
    assert!((305e6..400e6).contains(&run.memory_bytes()), "{}", run.memory_bytes());
    assert!((700e6..900e6).contains(&run.cut_memory_bytes()), "{}", run.cut_memory_bytes());
    // docs/performance.md: 0.529 bytes a sample where a series' row is paid by 240 samples.
    let day = Estimate { series: 1000.0, samples_per_second: 1000.0 * 240.0 / DAY_SECONDS, unknown: 0 };
    let a_sample = day.disk_bytes_per_day() / 240_000.0;
    assert!((0.5..0.75).contains(&a_sample), "{a_sample}");
}

#[test]
fn numbers_are_for_the_eye() {
    let cases = [
        (0.0, "0 bytes"),
        (999.0, "999 bytes"),
        (999.6, "1.00 KB"),
        (1e6, "1.00 MB"),
        (12_345_678.0, "12.3 MB"),
        (2.14e15, "2140 TB"),
    ];
    for (number, expected) in cases {
        assert_eq!(bytes(number), expected);
    }
    for (number, expected) in
        [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (123_456.0, "123,456"), (1e6, "1,000,000")]
    {
        assert_eq!(count(number), expected);
    }
}

#[test]
fn an_answer_of_federate_has_room() {
    let cases = [
        (700_000.0, BodyLimit::Default),
        (1_000_000.0, BodyLimit::Larger("512MB")),
        (3_000_000.0, BodyLimit::Larger("1GB")),
        (4_000_000.0, BodyLimit::TooLarge),
    ];
    for (series, expected) in cases {
        assert_eq!(BodyLimit::of(series), expected);
    }
}
