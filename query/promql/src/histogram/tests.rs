use proptest::prelude::*;

use super::samples::any_buckets;
use super::*;
use crate::functions::histogram::{fraction::fraction, moments, quantile::quantile};
use crate::note::Notes;

#[test]
fn an_empty_histogram_has_no_observation() {
    let empty = FloatHistogram::empty(3, Vec::new());
    assert_eq!((empty.count, empty.sum, empty.ascending().count()), (0.0, 0.0, 0));
    assert!(!empty.has_custom_buckets());
    assert!(FloatHistogram::empty(CUSTOM_BUCKETS, vec![1.0]).has_custom_buckets());
}

/// Histograms whose numbers are any at all, as no sender may send them.
fn wild() -> impl Strategy<Value = FloatHistogram> {
    let number = || prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(0.0)];
    (any_buckets(), prop::collection::vec(number(), 20)).prop_map(|(mut histogram, numbers)| {
        let mut numbers = numbers.into_iter();
        let places = [&mut histogram.count, &mut histogram.sum, &mut histogram.zero_count];
        let buckets = histogram.positive.iter_mut().chain(&mut histogram.negative).step_by(2);
        for (place, number) in places.into_iter().chain(buckets).zip(&mut numbers) {
            *place = number;
        }
        if histogram.schema != CUSTOM_BUCKETS {
            histogram.zero_threshold = numbers.next().map_or(0.0, f64::abs);
        }
        histogram
    })
}

proptest! {
    #[test]
    fn no_number_whatsoever_makes_a_function_panic_or_run_for_ever(left in wild(), right in wild(), value: f64) {
        let (mut sum, mut difference) = (left.clone(), left.clone());
        prop_assert_eq!(sum.add(&right).is_ok(), difference.subtract(&right).is_ok());
        left.is_reset_since(&right);
        let mut notes = Notes::default();
        for mut histogram in [sum, difference, left.clone()] {
            for keep in [Keep::Below, Keep::Above] {
                let mut part = histogram.clone();
                part.trim(value, keep);
            }
            quantile(value.abs() % 1.0, &histogram, "", &mut notes);
            fraction(-1.0, value, &histogram, "", &mut notes);
            moments::stddev(&histogram);
            histogram.divide(value);
            histogram.compact();
        }
    }
}
