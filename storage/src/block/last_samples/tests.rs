use super::*;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

fn of(clusters: impl IntoIterator<Item = (String, i64)>) -> LastSamples {
    let mut last = LastSamples::default();
    clusters.into_iter().for_each(|(cluster, time_ms)| last.saw(&cluster.into(), time_ms));
    last
}

fn read(tag: &str) -> LastSamples {
    let mut last = LastSamples::default();
    last.take_in(tag);
    last
}

#[test]
fn a_tag_is_json_and_comes_back() {
    let last = of([("eu-1".into(), NOW), ("".into(), 5), ("a \"b\"\n\\ü".into(), -7), ("eu-1".into(), NOW - 9)]);
    let tag = last.tag().unwrap();
    assert_eq!(tag, format!(r#"{{"":5,"a \"b\"\n\\ü":-7,"eu-1":{NOW}}}"#));
    assert_eq!(read(&tag), last);
    assert_eq!(LastSamples::default().tag(), None);
}

#[test]
fn what_cannot_be_read_tells_nothing() {
    for tag in ["", "{", "[1]", r#"{"a":"x"}"#, r#"{"a":9223372036854775807}"#] {
        assert_eq!(read(tag), LastSamples::default(), "{tag}");
    }
}

#[test]
fn a_name_that_is_too_long_for_a_tag_keeps_no_other_from_it() {
    let long = "x".repeat(TAG_BYTES);
    let tag = of([(long, NOW - 2 * SILENT_MS), ("a".into(), NOW), ("b".into(), NOW)]).tag().unwrap();
    assert_eq!(read(&tag), of([("a".into(), NOW), ("b".into(), NOW)]));
}

#[test]
fn ten_thousand_clusters_take_turns_and_the_silent_come_first() {
    let silent = |n: i64| n % 100 == 7;
    let block = |turn: i64| {
        let time = |n: i64| NOW + turn * TURN_MS - if silent(n) { SILENT_MS + 1 + n } else { n % 1000 };
        of((0..10_000).map(|n| (format!("cluster-{n:05}"), time(n))))
    };
    let mut told = LastSamples::default();
    let mut turns = 0;
    while told.0.len() < 10_000 {
        let last = block(turns);
        let tag = last.tag().unwrap();
        assert!(tag.len() <= TAG_BYTES && tag.len() > TAG_BYTES * 9 / 10, "{}", tag.len());
        let read = read(&tag);
        assert!(read.iter().all(|(cluster, time_ms)| last.0[cluster] == time_ms));
        assert!((0..10_000).filter(|n| silent(*n)).all(|n| read.0.contains_key(format!("cluster-{n:05}").as_str())));
        read.iter().for_each(|(cluster, time_ms)| told.saw(cluster, time_ms));
        turns += 1;
        assert!(turns < 40, "after {turns} blocks only {} are told of", told.0.len());
    }
}
