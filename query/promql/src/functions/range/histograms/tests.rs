//! Functions over series of the histograms of `samples`, and what Prometheus makes of them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, exponential, named, text};

/// A function, the series, a modifier, and the seconds from and to which the window reaches; then the result, and in lines
/// of their own the notes. Where samples beyond the window count, all are known.
const CASES: &str = include_str!("cases.txt");

/// The histograms of a series: the second, the name, and how many times.
fn series(name: &str) -> Vec<(i64, FloatHistogram)> {
    let samples: &[(i64, &str, f64)] = match name {
        "bounds" => &[(0, "custom", 1.0), (15, "custom", 2.0), (30, "other", 4.0), (45, "other", 5.0)],
        "coarser" => {
            &[(0, "fine", 1.0), (15, "fine", 2.0), (30, "basic", 9.0), (45, "basic", 10.0), (60, "wide", 20.0)]
        }
        "gauge" => &[(0, "basic", 1.0), (15, "basic", 3.0), (30, "basic", 2.0), (40, "basic", 5.0)],
        "mixed" => &[(0, "basic", 1.0), (15, "custom", 1.0), (30, "custom", 2.0), (45, "basic", 2.0)],
        "replaced" => &[(0, "basic", 1.0), (15, "custom", 2.0), (30, "custom", 3.0)],
        "reset" => &[(0, "basic", 4.0), (15, "basic", 6.0), (30, "basic", 1.0), (45, "basic", 3.0), (60, "basic", 2.0)],
        "rising" => &[(0, "basic", 1.0), (15, "basic", 2.0), (30, "basic", 4.0), (45, "basic", 7.0)],
        "single" => &[(0, "basic", 1.0)],
        _ => panic!("no series is named {name}"),
    };
    let hint = if name == "gauge" { ResetHint::Gauge } else { ResetHint::Unknown };
    let sample = |(second, name, times): &(i64, &str, f64)| {
        let mut histogram = FloatHistogram { reset_hint: hint, ..named(name) };
        histogram.multiply(*times);
        (second * 1000, histogram)
    };
    samples.iter().map(sample).collect()
}

fn window(start_ms: i64, end_ms: i64, histograms: &[(i64, FloatHistogram)]) -> Window<'_> {
    Window { start_ms, end_ms, times_ms: &[], values: &[], histograms }
}

/// One line of the table without its notes, split.
fn parse(line: &str) -> Option<(&str, &str, &str, i64, i64, &str)> {
    let (function, rest) = line.split_once('(')?;
    let (series, rest) = rest.split_once(") from ")?;
    let (name, modifier) = series.split_once(' ').unwrap_or((series, ""));
    let (start, rest) = rest.split_once(" to ")?;
    let (end, expected) = rest.split_once(": ")?;
    Some((function, name, modifier, start.parse().ok()?, end.parse().ok()?, expected))
}

fn apply(
    function: &str,
    modifier: &str,
    window: &Window<'_>,
    metric: &str,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    let growth = match function {
        "delta" => Growth::Delta,
        "increase" => Growth::Increase,
        "rate" => Growth::Rate,
        "sum_over_time" => return sum(window, metric, notes),
        "avg_over_time" => return mean(window, metric, notes),
        "irate" | "idelta" => {
            let [.., before, after] = window.histograms else { return None };
            return instant_change(before, after, function == "irate", metric, notes);
        }
        _ => panic!("no function is named {function}"),
    };
    let boundary = match modifier {
        "" => Boundary::Open,
        "anchored" => Boundary::Anchored,
        "smoothed" => Boundary::Smoothed,
        _ => panic!("no modifier is named {modifier}"),
    };
    grown(window, growth, boundary, metric, notes)
}

#[test]
fn every_function_gives_what_prometheus_gives() {
    let mut lines = CASES.lines().peekable();
    let mut cases = 0;
    while let Some(line) = lines.next() {
        let (function, name, modifier, start, end, expected) = parse(line).unwrap();
        let (start_ms, end_ms) = (start * 1000, end * 1000);
        let is_known = |time: i64| match modifier {
            "" => time > start_ms && time <= end_ms,
            "anchored" => time <= end_ms,
            _ => true,
        };
        let samples: Vec<_> = series(name).into_iter().filter(|(time, _)| is_known(*time)).collect();
        let mut notes = Notes::default();
        let got = apply(function, modifier, &window(start_ms, end_ms, &samples), name, &mut notes);
        assert_alike(&got.as_ref().map_or("-".to_owned(), text), expected, line);
        assert!(got.is_none_or(|got| got.reset_hint == ResetHint::Gauge || function.ends_with("_time")), "{line}");

        let mut expected: Vec<String> = Vec::new();
        while let Some(note) = lines.next_if(|line| line.starts_with("  ")) {
            expected.push(format!("PromQL {}", note.trim_start()));
        }
        let mut notes: Vec<String> = notes.iter().map(Note::to_string).collect();
        notes.sort();
        assert_eq!(notes, expected, "{line}");
        cases += 1;
    }
    assert_eq!(cases, 87);
}

#[test]
fn between_two_samples_is_what_lies_between_them() {
    let samples = series("rising");
    let at = |time_ms| smoothed(&window(-300_000, 300_000, &samples), time_ms, "latency", &mut Notes::default());
    assert_eq!(at(-1), None);
    assert_eq!(at(15_000).map(|histogram| histogram.count), Some(34.0));
    assert_eq!(at(22_500).map(|histogram| histogram.count), Some(51.0));
    assert_eq!(at(60_000).map(|histogram| histogram.count), Some(119.0));
}

#[test]
fn after_a_reset_a_counter_rises_from_zero_but_a_gauge_does_not() {
    let mut samples = series("reset");
    let at = |samples: &[(i64, FloatHistogram)]| {
        smoothed(&window(0, 60_000, samples), 20_000, "latency", &mut Notes::default()).unwrap()
    };
    assert_eq!((at(&samples).count * 3.0).round(), 17.0);
    samples.iter_mut().for_each(|(_, histogram)| histogram.reset_hint = ResetHint::Gauge);
    assert_eq!(at(&samples).count.round(), 74.0);
}

proptest! {
    #[test]
    fn an_increase_without_resets_is_as_high_as_the_extrapolated_difference(
        first in exponential(),
        gains in prop::collection::vec(0u32..5, 1..6),
    ) {
        let mut samples = vec![(10_000, first.clone())];
        for (place, gain) in gains.iter().enumerate() {
            let (_, mut next) = samples[place].clone();
            let mut gained = first.clone();
            gained.multiply(f64::from(*gain));
            next.add(&gained).unwrap();
            samples.push((20_000 + 10_000 * place as i64, next));
        }
        let end_ms = samples[samples.len() - 1].0;
        let mut notes = Notes::default();
        let increase = extrapolated(&window(0, end_ms, &samples), Growth::Increase, "latency", &mut notes).unwrap();
        let difference = samples[samples.len() - 1].1.count - first.count;
        let factor = (gains.len() + 1) as f64 / gains.len() as f64;
        prop_assert!(notes.is_empty());
        prop_assert!(increase.count >= difference * (1.0 - 1e-12));
        prop_assert!(increase.count <= difference * factor * (1.0 + 1e-12));
    }

    #[test]
    fn a_mean_is_the_sum_divided(histograms in prop::collection::vec(any_buckets(), 1..6)) {
        let samples: Vec<_> = (0i64..).zip(histograms).collect();
        let (mut notes, mut others) = (Notes::default(), Notes::default());
        let sum = sum(&window(-1, 10, &samples), "latency", &mut notes);
        let mean = mean(&window(-1, 10, &samples), "latency", &mut others);
        prop_assert!(notes.iter().eq(others.iter()));
        let divided = sum.map(|mut sum| {
            sum.divide(samples.len() as f64);
            text(&sum)
        });
        match (divided, mean) {
            (Some(divided), Some(mean)) => assert_alike(&text(&mean), &divided, "mean"),
            (divided, mean) => prop_assert!(divided.is_none() && mean.is_none()),
        }
    }
}
