//! Sums and means of the histograms of `samples`, as Prometheus gives them before it compacts them.

use proptest::prelude::*;

use super::*;
use crate::histogram::samples::{any_buckets, assert_alike, named, text};

/// The histograms, their sum and their mean.
const CASES: &[(&[&str], &str, &str)] = &[
    (
        &["basic", "fine", "wide"],
        "count 48 sum 91.5 [-4,4]=41 (4,8]=7",
        "count 16 sum 30.5 [-4,4]=13.666666666666666 (4,8]=2.3333333333333335",
    ),
    (
        &["custom", "other", "below"],
        "count 31 sum 119 [-Inf,+Inf]=31",
        "count 10.333333333333334 sum 39.666666666666664 [-Inf,+Inf]=10.333333333333334",
    ),
    (
        &["positive", "negative"],
        "count 18 sum -20.75 [-16,-4)=3 [-4,-1)=4 [-1,1]=5 (1,4]=6",
        "count 9 sum -10.375 [-16,-4)=1.5 [-4,-1)=2 [-1,1]=2.5 (1,4]=3",
    ),
    (
        &["basic", "nan"],
        "count 37 sum NaN [-4,-2)=2 [-2,-1)=1 [-0.5,0.5]=4 (0.5,1]=6 (1,2]=8 (4,8]=10",
        "count 18.5 sum NaN [-4,-2)=1 [-2,-1)=0.5 [-0.5,0.5]=2 (0.5,1]=3 (1,2]=4 (4,8]=5",
    ),
];

#[test]
fn sums_and_means_are_those_of_prometheus() {
    for (names, sum, mean) in CASES {
        let (mut total, mut average) = (HistogramSum::new(named(names[0])), HistogramMean::new(named(names[0])));
        for name in &names[1..] {
            total.add(&named(name)).unwrap();
            average.add(&named(name)).unwrap();
        }
        let mut notes = Notes::default();
        total.note(&mut notes);
        average.note(&mut notes);
        let expected = Note::MismatchedCustomBuckets(Operation::Aggregation);
        assert_eq!(notes.iter().any(|note| *note == expected), names.contains(&"other"), "{names:?}");
        assert_alike(&text(&total.into_sum()), sum, "sum");
        assert_alike(&text(&average.into_mean()), mean, "mean");
    }
}

#[test]
fn kinds_of_buckets_do_not_mix() {
    assert_eq!(HistogramSum::new(named("basic")).add(&named("custom")), Err(MixedBuckets));
    assert_eq!(HistogramMean::new(named("custom")).add(&named("basic")), Err(MixedBuckets));
}

#[test]
fn hints_that_contradict_each_other_are_told_however_far_apart() {
    let with = |hint| FloatHistogram { reset_hint: hint, ..named("basic") };
    let mut sum = HistogramSum::new(with(ResetHint::Reset));
    for hint in [ResetHint::Unknown, ResetHint::NoReset] {
        let mut notes = Notes::default();
        sum.note(&mut notes);
        assert!(notes.is_empty());
        sum.add(&with(hint)).unwrap();
    }
    let mut notes = Notes::default();
    sum.note(&mut notes);
    assert_eq!(notes.iter().collect::<Vec<_>>(), [&Note::CounterResetCollision(Operation::Aggregation)]);
    let mut notes = Notes::default();
    sum.note_bounds(&mut notes);
    assert!(notes.is_empty());
}

#[test]
fn small_counts_are_not_lost_beside_great_ones() {
    let scaled = |factor| {
        let mut histogram = named("basic");
        histogram.multiply(factor);
        histogram
    };
    let mut sum = HistogramSum::new(scaled(1.0));
    for factor in [1e100, 1.0, -1e100] {
        sum.add(&scaled(factor)).unwrap();
    }
    assert_eq!(text(&sum.into_sum()), text(&scaled(2.0)));
}

#[test]
fn a_mean_is_found_where_the_sum_is_too_great() {
    let mut great = named("basic");
    great.multiply(1e307);
    let mut mean = HistogramMean::new(great.clone());
    let mut sum = HistogramSum::new(great.clone());
    for _ in 0..3 {
        mean.add(&great).unwrap();
        sum.add(&great).unwrap();
    }
    assert_eq!(sum.into_sum().sum, f64::INFINITY);
    assert_alike(&text(&mean.into_mean()), &text(&great), "mean");
}

proptest! {
    #[test]
    fn whole_counts_add_up_exactly(histograms in prop::collection::vec(any_buckets(), 1..8)) {
        let mut total = HistogramSum::new(histograms[0].clone());
        let mut plain = histograms[0].clone();
        for histogram in &histograms[1..] {
            let result = total.add(histogram);
            prop_assert_eq!(result.is_err(), plain.add(histogram).is_err());
        }
        prop_assert_eq!(total.into_sum(), plain);
    }
}
