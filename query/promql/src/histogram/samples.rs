//! Histograms that tests calculate with, and how they compare them.

use model::histogram::{Span, spans_of};
use proptest::prelude::*;

use super::bounds::upper_bound;
use super::{CUSTOM_BUCKETS, FloatHistogram};
use crate::number::answer_text;

/// A histogram of positive buckets, to be completed.
fn positive(schema: i8, spans: &[(i32, u32)], counts: &[f64], sum: f64) -> FloatHistogram {
    let mut histogram = FloatHistogram::empty(schema, Vec::new());
    histogram.positive_spans = spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect();
    histogram.positive = counts.to_vec();
    histogram.sum = sum;
    histogram
}

fn with_zero(mut histogram: FloatHistogram, threshold: f64, count: f64) -> FloatHistogram {
    histogram.zero_threshold = threshold;
    histogram.zero_count = count;
    histogram
}

fn with_negative(mut histogram: FloatHistogram, offset: i32, counts: &[f64]) -> FloatHistogram {
    histogram.negative_spans = vec![Span { offset, length: counts.len() as u32 }];
    histogram.negative = counts.to_vec();
    histogram
}

fn custom(bounds: &[f64], spans: &[(i32, u32)], counts: &[f64], sum: f64) -> FloatHistogram {
    FloatHistogram { custom_bounds: bounds.to_vec(), ..positive(CUSTOM_BUCKETS, spans, counts, sum) }
}

/// The histogram of a name.
pub(crate) fn named(name: &str) -> FloatHistogram {
    let basic = |sum| with_zero(positive(0, &[(0, 2), (1, 1)], &[3.0, 4.0, 5.0], sum), 0.5, 2.0);
    let mut histogram = match name {
        "basic" => with_negative(basic(30.0), 1, &[1.0, 2.0]),
        "below" => custom(&[-2.0, 0.5], &[(0, 3)], &[3.0, 4.0, 2.0], -1.0),
        "custom" => custom(&[1.0, 2.5, 5.0, 10.0], &[(0, 5)], &[2.0, 0.0, 3.0, 4.0, 1.0], 50.0),
        "fine" => {
            let above = positive(2, &[(-3, 3), (4, 2)], &[1.0, 0.0, 2.0, 4.0, 8.0], 17.5);
            with_negative(with_zero(above, 0.001, 1.0), 6, &[3.0])
        }
        "nan" => basic(f64::NAN),
        "negative" => with_negative(with_zero(positive(-1, &[], &[], -33.0), 1.0, 1.0), 1, &[4.0, 3.0]),
        "none" => with_zero(FloatHistogram::empty(1, Vec::new()), 0.5, 0.0),
        "other" => custom(&[1.0, 5.0, 7.0, 10.0], &[(0, 2), (1, 2)], &[1.0, 2.0, 4.0, 5.0], 70.0),
        "positive" => with_zero(positive(3, &[(0, 2), (5, 1)], &[2.0, 1.0, 5.0], 12.25), 0.25, 2.0),
        "wide" => with_zero(positive(1, &[(4, 3)], &[6.0, 0.0, 2.0], 44.0), 3.0, 4.0),
        _ => panic!("no histogram is named {name}"),
    };
    // Observations that are no number are in no bucket.
    histogram.count = in_buckets(&histogram) + if name == "nan" { 6.0 } else { 0.0 };
    histogram
}

/// How many observations are in all buckets together.
pub(crate) fn in_buckets(histogram: &FloatHistogram) -> f64 {
    histogram.zero_count + histogram.positive.iter().chain(&histogram.negative).sum::<f64>()
}

/// A histogram as answers show it: its count, its sum, and each bucket that is not empty.
pub(crate) fn text(histogram: &FloatHistogram) -> String {
    let mut text = format!("count {} sum {}", answer_text(histogram.count), answer_text(histogram.sum));
    for bucket in histogram.ascending().filter(|bucket| bucket.count != 0.0) {
        let open = if bucket.lower_inclusive { '[' } else { '(' };
        let close = if bucket.upper_inclusive { ']' } else { ')' };
        let (lower, upper) = (answer_text(bucket.lower), answer_text(bucket.upper));
        text += &format!(" {open}{lower},{upper}{close}={}", answer_text(bucket.count));
    }
    text
}

/// Checks that two texts are the same but for the last digits of numbers.
#[track_caller]
pub(crate) fn assert_alike(got: &str, expected: &str, what: &str) {
    let delimiters = [' ', '(', ')', '[', ']', ',', '='];
    let (ours, theirs): (Vec<_>, Vec<_>) = (got.split(delimiters).collect(), expected.split(delimiters).collect());
    let is_alike = |(a, b): (&&str, &&str)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b || (a - b).abs() <= 1e-13 * a.abs() || (a.is_nan() && b.is_nan()),
        _ => a == b,
    };
    let is_same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(is_alike);
    assert!(is_same, "{what}:\n     got {got}\nexpected {expected}");
}

/// Buckets of whole counts, some of them empty, from some index on.
fn side(from: std::ops::Range<i64>) -> impl Strategy<Value = (Vec<Span>, Vec<f64>)> {
    (from, prop::collection::vec((0i64..3, 0u32..20), 0..8)).prop_map(|(mut index, buckets)| {
        let mut indices = Vec::new();
        let mut counts = Vec::new();
        for (gap, count) in buckets {
            index += gap;
            indices.push(index);
            counts.push(f64::from(count));
            index += 1;
        }
        (spans_of(indices), counts)
    })
}

/// Histograms of whole counts with exponential buckets.
pub(crate) fn exponential() -> impl Strategy<Value = FloatHistogram> {
    let zero = (prop::sample::select(vec![0.0, 1e-9, 0.25, 1.0, 1.5]), 0u32..10);
    (-2i8..=4, zero, side(-12..8), side(-6..8), -100i32..1000).prop_map(|(schema, zero, above, below, sum)| {
        let mut histogram = FloatHistogram::empty(schema, Vec::new());
        (histogram.positive_spans, histogram.positive) = above;
        (histogram.negative_spans, histogram.negative) = below;
        // No bucket is within the zero bucket.
        let first =
            |spans: &[Span]| spans.first().map_or(f64::MAX, |span| upper_bound(i64::from(span.offset) - 1, schema));
        let nearest = first(&histogram.positive_spans).min(first(&histogram.negative_spans));
        (histogram.zero_threshold, histogram.zero_count) = (nearest.min(zero.0), f64::from(zero.1));
        histogram.sum = f64::from(sum);
        histogram.count = in_buckets(&histogram);
        histogram
    })
}

/// Histograms of whole counts with custom buckets.
pub(crate) fn custom_buckets() -> impl Strategy<Value = FloatHistogram> {
    let bounds = prop::sample::subsequence(vec![-5.0, -1.0, 0.0, 0.5, 1.0, 2.5, 5.0, 10.0], 0..8);
    (bounds, prop::collection::vec(0u32..20, 9), -100i32..1000).prop_map(|(bounds, counts, sum)| {
        let counts: Vec<f64> = counts.into_iter().take(bounds.len() + 1).map(f64::from).collect();
        let mut histogram = custom(&bounds, &[(0, counts.len() as u32)], &counts, f64::from(sum));
        histogram.count = in_buckets(&histogram);
        histogram
    })
}

/// Histograms of whole counts of either kind.
pub(crate) fn any_buckets() -> impl Strategy<Value = FloatHistogram> {
    prop_oneof![exponential(), custom_buckets()]
}
