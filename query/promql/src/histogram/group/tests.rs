use super::*;
use crate::histogram::ResetHint;
use crate::histogram::samples::{named, text};
use crate::note::Operation;

/// Aggregates the histograms of some names; `1` is a number.
fn aggregate(mut group: HistogramGroup, names: &[&str]) -> (Option<String>, Vec<Note>) {
    let mut notes = Notes::default();
    for name in names {
        match *name {
            "1" => group.add_number(),
            name => group.add(&named(name), "latency", &mut notes),
        }
    }
    assert_eq!(group.has_histograms(), names.iter().any(|name| *name != "1"));
    let result = group.finish(&mut notes);
    (result.map(|result| text(&result)), notes.iter().cloned().collect())
}

fn bounds() -> Note {
    Note::MismatchedCustomBuckets(Operation::Aggregation)
}

fn mixed() -> Note {
    Note::MixedExponentialCustomHistograms("latency".to_owned())
}

#[test]
fn a_group_of_one_is_that_one() {
    for group in [HistogramGroup::sum(), HistogramGroup::mean()] {
        assert_eq!(aggregate(group.clone(), &["fine"]), (Some(text(&named("fine"))), vec![]));
        assert_eq!(aggregate(group, &[]), (None, vec![]));
    }
}

#[test]
fn a_sum_has_all_and_a_mean_its_share() {
    let (sum, notes) = aggregate(HistogramGroup::sum(), &["custom", "other"]);
    assert_eq!(sum.as_deref(), Some("count 22 sum 120 [-Inf,1]=3 (1,5]=5 (5,10]=8 (10,+Inf]=6"));
    assert_eq!(notes, [bounds()]);
    let (mean, notes) = aggregate(HistogramGroup::mean(), &["custom", "other"]);
    assert_eq!(mean.as_deref(), Some("count 11 sum 60 [-Inf,1]=1.5 (1,5]=2.5 (5,10]=4 (10,+Inf]=3"));
    assert_eq!(notes, [bounds()]);
}

#[test]
fn a_result_has_no_empty_buckets() {
    let mut group = HistogramGroup::sum();
    group.add(&named("fine"), "latency", &mut Notes::default());
    let result = group.finish(&mut Notes::default()).unwrap();
    assert_eq!(result.positive, [1.0, 2.0, 4.0, 8.0]);
}

#[test]
fn what_does_not_mix_has_no_result_whatever_comes_behind() {
    for group in [HistogramGroup::sum(), HistogramGroup::mean()] {
        let (result, notes) = aggregate(group.clone(), &["custom", "other", "basic", "below", "custom"]);
        assert_eq!((result, notes), (None, vec![bounds(), mixed()]));
        let (result, notes) = aggregate(group, &["basic", "custom", "other"]);
        assert_eq!((result, notes), (None, vec![mixed()]));
    }
}

#[test]
fn numbers_leave_no_result() {
    let both = Note::MixedFloatsHistogramsAggregation;
    let cases: [(&[&str], Vec<Note>); 7] = [
        (&["custom", "1", "other"], vec![bounds(), both.clone()]),
        (&["custom", "other", "1"], vec![bounds(), both.clone()]),
        (&["1", "custom", "other"], vec![both.clone()]),
        (&["1", "custom", "basic"], vec![both.clone()]),
        (&["custom", "1", "basic"], vec![mixed(), both]),
        (&["custom", "basic", "1"], vec![mixed()]),
        (&["1", "1"], vec![]),
    ];
    for (names, notes) in cases {
        for group in [HistogramGroup::sum(), HistogramGroup::mean()] {
            assert_eq!(aggregate(group, names), (None, notes.clone()), "{names:?}");
        }
    }
}

#[test]
fn hints_that_contradict_each_other_are_told_of_a_result_alone() {
    for has_numbers in [false, true] {
        let (mut group, mut notes) = (HistogramGroup::mean(), Notes::default());
        for hint in [ResetHint::Reset, ResetHint::NoReset] {
            group.add(&FloatHistogram { reset_hint: hint, ..named("basic") }, "latency", &mut notes);
        }
        if has_numbers {
            group.add_number();
        }
        group.finish(&mut notes);
        let collision = Note::CounterResetCollision(Operation::Aggregation);
        assert_eq!(notes.iter().any(|note| *note == collision), !has_numbers);
    }
}
