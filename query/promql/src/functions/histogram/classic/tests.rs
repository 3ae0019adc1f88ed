//! Quantiles and fractions of classic histograms, and what Prometheus gives for them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::assert_alike;
use crate::number::answer_text;

/// The shares of `QUANTILES`.
const SHARES: [f64; 9] = [0.0, 0.1, 0.5, 0.75, 0.95, 1.0, -1.0, 2.0, f64::NAN];

/// What it is about, bounds and counts, and the quantiles.
const QUANTILES: &[(&str, &str, [&str; 9])] = &[
    (
        "plain",
        "0.1:10 0.5:30 1:60 5:90 +Inf:100",
        ["0", "0.1", "0.8333333333333333", "3", "5", "5", "-Inf", "+Inf", "NaN"],
    ),
    ("negative", "-5:4 -1:10 2:20 +Inf:25", ["-5", "-5", "-0.25", "1.625", "2", "2", "-Inf", "+Inf", "NaN"]),
    ("falling", "1:10 2:8 4:20 8:12 +Inf:30", ["0", "0.3", "3", "8", "8", "8", "-Inf", "+Inf", "NaN"]),
    ("rounded", "1:10 2:9.999999999999998 4:20 +Inf:20", ["0", "0.2", "1", "3", "3.8", "4", "-Inf", "+Inf", "NaN"]),
    ("endless", "1:5 2:7", ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "-Inf", "+Inf", "NaN"]),
    ("lonely", "+Inf:7", ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "-Inf", "+Inf", "NaN"]),
    ("empty", "1:0 2:0 +Inf:0", ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "-Inf", "+Inf", "NaN"]),
    ("twice", "1:2 1.0:3 2:9 +Inf:9", ["0", "0.18", "0.9", "1.4375", "1.8874999999999997", "2", "-Inf", "+Inf", "NaN"]),
    ("least", "1:0 2:4 +Inf:4", ["NaN", "1.1", "1.5", "1.75", "1.95", "2", "-Inf", "+Inf", "NaN"]),
];

/// From where to where the fractions of `FRACTIONS` are.
const RANGES: [(f64, f64); 7] = [
    (f64::NEG_INFINITY, f64::INFINITY),
    (0.0, 0.3),
    (-3.0, 1.5),
    (1.0, 4.0),
    (3.0, 100.0),
    (2.0, 1.0),
    (f64::NAN, 1.0),
];

/// What it is about, bounds and counts, and the fractions.
const FRACTIONS: &[(&str, &str, [&str; 7])] = &[
    ("plain", "0.1:10 0.5:30 1:60 5:90 +Inf:100", ["1", "0.2", "0.6375", "0.225", "0.15", "0", "NaN"]),
    (
        "negative",
        "-5:4 -1:10 2:20 +Inf:25",
        ["1", "0.03999999999999993", "0.4533333333333334", "0.13333333333333328", "0", "0", "NaN"],
    ),
    (
        "falling",
        "1:10 2:8 4:20 8:12 +Inf:30",
        ["1", "0.1", "0.3", "0.3333333333333333", "-0.06666666666666667", "0", "NaN"],
    ),
    ("rounded", "1:10 2:9.999999999999998 4:20 +Inf:20", ["1", "0.15", "0.5", "0.5", "0.25", "0", "NaN"]),
    ("endless", "1:5 2:7", ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN"]),
    ("lonely", "+Inf:7", ["1", "0", "0", "0", "0", "0", "NaN"]),
    ("empty", "1:0 2:0 +Inf:0", ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN"]),
    (
        "twice",
        "1:2 1.0:3 2:9 +Inf:9",
        ["1", "0.16666666666666666", "0.7777777777777778", "0.4444444444444444", "0", "0", "NaN"],
    ),
    ("least", "1:0 2:4 +Inf:4", ["1", "0", "0.5", "1", "0", "0", "NaN"]),
];

fn buckets(text: &str) -> Vec<ClassicBucket> {
    let bucket = |bucket: &str| {
        let (bound, count) = bucket.split_once(':').unwrap();
        let upper = bucket_bound(bound, "", &mut Notes::default()).unwrap();
        ClassicBucket { upper, count: count.parse().unwrap() }
    };
    // The order does not matter.
    text.split(' ').rev().map(bucket).collect()
}

#[test]
fn quantiles_are_those_of_prometheus() {
    for (name, text, expected) in QUANTILES {
        for (share, expected) in SHARES.into_iter().zip(expected) {
            let mut notes = Notes::default();
            let got = bucket_quantile(share, &mut buckets(text), "latency", 0, &mut notes);
            assert_alike(&answer_text(got), expected, &format!("quantile {share} of {name}"));
            let is_looked_at = (0.0..=1.0).contains(&share);
            assert_eq!(notes.is_empty(), !is_looked_at || *name != "falling", "quantile {share} of {name}");
        }
    }
}

#[test]
fn fractions_are_those_of_prometheus() {
    for (name, text, expected) in FRACTIONS {
        for ((lower, upper), expected) in RANGES.into_iter().zip(expected) {
            let got = bucket_fraction(lower, upper, &mut buckets(text));
            assert_alike(&answer_text(got), expected, &format!("{name} from {lower} to {upper}"));
        }
    }
}

#[test]
fn a_repair_is_told_with_bounds_and_times() {
    let mut notes = Notes::default();
    for time_ms in [1_795_720_030_000, 1_795_720_090_999] {
        bucket_quantile(0.5, &mut buckets("1:10 2:8 4:20 8:12 +Inf:30"), "falling", time_ms, &mut notes);
    }
    let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        ["PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see \
         https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name \
         \"falling\", from buckets 2 to 8, with a max diff of 8, over 2 samples from 2026-11-26T19:07:10Z to \
         2026-11-26T19:08:10Z"]
    );
}

#[test]
fn nothing_has_no_quantile() {
    assert!(bucket_quantile(0.5, &mut Vec::new(), "", 0, &mut Notes::default()).is_nan());
    assert!(bucket_fraction(0.0, 1.0, &mut Vec::new()).is_nan());
}

#[test]
fn bounds_are_read_as_go_reads_numbers() {
    let read = |label| bucket_bound(label, "latency", &mut Notes::default());
    for (label, bound) in [("0.5", 0.5), ("1e3", 1000.0), ("+Inf", f64::INFINITY), ("-infinity", f64::NEG_INFINITY)] {
        assert_eq!(read(label), Some(bound), "{label}");
    }
    assert!(read("NaN").is_some_and(f64::is_nan));
    for label in ["", "bad", "1e400", "+NaN", " 1"] {
        assert_eq!(read(label), None, "{label}");
    }
    let mut notes = Notes::default();
    bucket_bound("bad", "latency", &mut notes);
    let expected = "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"bad\" for metric name \
                    \"latency\"";
    assert_eq!(notes.iter().map(Note::to_string).collect::<Vec<_>>(), [expected]);
}

proptest! {
    #[test]
    fn quantiles_ascend_whatever_the_counts_are(
        counts in prop::collection::vec(0u32..50, 2..8),
        mut shares in prop::collection::vec(0.0f64..=1.0, 2..6),
    ) {
        let last = counts.len() - 1;
        let bound = |place: usize| if place == last { f64::INFINITY } else { place as f64 - 1.0 };
        let all: Vec<ClassicBucket> = counts.iter().enumerate()
            .map(|(place, count)| ClassicBucket { upper: bound(place), count: f64::from(*count) })
            .collect();
        shares.sort_by(f64::total_cmp);
        let quantile = |share| bucket_quantile(share, &mut all.clone(), "", 0, &mut Notes::default());
        // At 0 the lowest bucket may be empty, and then there is no place in it.
        let quantiles: Vec<f64> = shares.into_iter().filter(|share| *share > 0.0).map(quantile).collect();
        let is_empty = counts.iter().all(|count| *count == 0);
        let is_ascending = quantiles.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9);
        prop_assert!(is_empty || is_ascending, "{quantiles:?} of {counts:?}");
    }
}
