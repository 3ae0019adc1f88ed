use crate::histogram::samples::named;
use crate::histogram::{FloatHistogram, ResetHint};

#[test]
fn a_summary_says_itself_whether_there_was_a_reset() {
    let mut twice = named("fine");
    twice.multiply(2.0);
    assert_eq!(named("fine").summary(None).reset_hint, ResetHint::Unknown);
    assert_eq!(twice.summary(Some(&named("fine"))).reset_hint, ResetHint::NoReset);
    assert_eq!(named("fine").summary(Some(&twice)).reset_hint, ResetHint::Reset);
    let gauge = FloatHistogram { reset_hint: ResetHint::Gauge, ..named("fine") };
    assert_eq!(gauge.summary(Some(&twice)).reset_hint, ResetHint::Gauge);
}

#[test]
fn count_and_sum_are_all_that_remains() {
    let summary = named("custom").summary(None);
    assert_eq!((summary.count, summary.sum), (10.0, 50.0));
    assert_eq!(summary.ascending().count(), 0);
    assert!(summary.has_custom_buckets() && summary.custom_bounds.is_empty());
}
