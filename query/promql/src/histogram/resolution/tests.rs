use proptest::prelude::*;

use crate::histogram::samples::{exponential, in_buckets, named, text};

#[test]
fn two_buckets_become_one_named_by_its_upper_end() {
    let mut histogram = named("fine");
    histogram.reduce_to(0);
    assert_eq!(text(&histogram), "count 19 sum 17.5 [-4,-2)=3 [-0.001,0.001]=1 (0.5,1]=3 (1,2]=4 (2,4]=8");
    histogram.reduce_to(3);
    assert_eq!(histogram.schema, 0);
}

#[test]
fn custom_buckets_stay() {
    let mut histogram = named("custom");
    histogram.reduce_to(-4);
    assert_eq!(histogram, named("custom"));
}

proptest! {
    #[test]
    fn a_coarser_histogram_holds_the_same_observations(histogram in exponential(), schema in -4i8..5) {
        let mut reduced = histogram.clone();
        reduced.reduce_to(schema);
        prop_assert_eq!((reduced.count, reduced.sum), (histogram.count, histogram.sum));
        prop_assert_eq!(in_buckets(&reduced), in_buckets(&histogram));
        prop_assert_eq!(reduced.schema, histogram.schema.min(schema));
    }

    #[test]
    fn step_by_step_is_the_same_as_at_once(histogram in exponential(), first in -4i8..5, last in -4i8..5) {
        let (mut steps, mut once) = (histogram.clone(), histogram);
        steps.reduce_to(first);
        steps.reduce_to(last);
        once.reduce_to(first.min(last));
        prop_assert_eq!(steps, once);
    }
}
