use super::*;

#[test]
fn texts_are_those_of_prometheus() {
    let metric = || "latency".to_owned();
    let nameless = String::new;
    let cases = [
        (
            Note::BadBucketLabel { metric: nameless(), label: "1\\x\n\u{7f}\"".to_owned() },
            r#"PromQL warning: bucket label "le" is missing or has a malformed value of "1\\x\n\x7f\"""#,
        ),
        (Note::HistogramIgnoredInAggregation("stddev"), "PromQL info: ignored histogram in stddev aggregation"),
        (
            Note::HistogramIgnoredInMixedRange(metric()),
            "PromQL info: ignored histograms in a range containing both floats and histograms for metric name \
             \"latency\"",
        ),
        (
            Note::MixedClassicNativeHistograms(metric()),
            r#"PromQL warning: vector contains a mix of classic and native histograms for metric name "latency""#,
        ),
        (
            Note::MixedClassicNativeHistograms(nameless()),
            "PromQL warning: vector contains a mix of classic and native histograms",
        ),
        (
            Note::MixedFloatsHistograms(metric()),
            r#"PromQL warning: encountered a mix of histograms and floats for metric name "latency""#,
        ),
        (
            Note::MixedFloatsHistogramsAggregation,
            "PromQL warning: encountered a mix of histograms and floats for aggregation",
        ),
        (Note::InvalidQuantile("2".to_owned()), "PromQL warning: quantile value should be between 0 and 1, got 2"),
    ];
    for (note, text) in cases {
        assert_eq!(note.to_string(), text);
    }
}

#[test]
fn a_note_is_there_once() {
    let mut notes = Notes::default();
    for _ in 0..2 {
        notes.add(Note::NativeHistogramNotGauge("latency".to_owned()));
        notes.add(Note::NativeHistogramNotCounter("latency".to_owned()));
    }
    assert_eq!(notes.iter().count(), 2);
}

#[test]
fn repairs_of_a_metric_are_one_note() {
    let repair = |bound: f64, most, time_ms| MonotonicityRepair {
        lowest_bound: bound,
        highest_bound: bound,
        most,
        first_ms: time_ms,
        last_ms: time_ms,
        histograms: 1,
    };
    let mut notes = Notes::default();
    for (metric, repair) in [
        ("a", repair(1.0, 2.0, 20)),
        ("b", repair(1.0, 1.0, 20)),
        ("a", repair(4.0, 1.0, 10)),
        ("a", repair(0.5, 7.0, 30)),
    ] {
        notes.add(Note::HistogramQuantileForcedMonotonicity { metric: metric.to_owned(), repair });
    }
    let together = MonotonicityRepair {
        lowest_bound: 0.5,
        highest_bound: 4.0,
        most: 7.0,
        first_ms: 10,
        last_ms: 30,
        histograms: 3,
    };
    let expected = Note::HistogramQuantileForcedMonotonicity { metric: "a".to_owned(), repair: together };
    assert_eq!(notes.iter().count(), 2);
    assert!(notes.iter().any(|note| *note == expected));
}
