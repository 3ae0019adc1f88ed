use proptest::prelude::*;

use super::*;

proptest! {
    /// What leaves and what stays, told without packing anew, is what a look at each sample tells.
    #[test]
    fn what_leaves_shares_what_is_packed(
        times in prop::collection::vec(0i64..400, 0..300),
        is_sorted in prop::bool::weighted(0.7),
        limit in 0i64..420,
    ) {
        let mut times = times;
        if is_sorted {
            times.sort_unstable();
            times.dedup();
        }
        let samples: Vec<TimeValue> = times.iter().zip(0u64..).map(|(time, n)| (*time, (n * 7) << (n % 50))).collect();
        let run = Run::of(&samples);
        let (mut all, mut read) = (Vec::new(), Vec::new());
        let leaving = run.leaving(|time| time < limit, &mut all);
        let is_in_order = times.windows(2).all(|pair| pair[0] < pair[1]);
        prop_assert_eq!(leaving.is_some(), is_in_order);
        let Some(leaving) = leaving else { return Ok(()) };
        let expected: Vec<TimeValue> = samples.iter().copied().filter(|(time, _)| *time < limit).collect();
        leaving.read(&mut read);
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(leaving.len(), expected.len());
        prop_assert_eq!(&all[leaving.len()..], &samples[expected.len()..]);
        let bounds = expected.first().zip(expected.last()).map(|(first, last)| (first.0, last.0));
        prop_assert_eq!(leaving.range(), bounds);
    }

    #[test]
    fn samples_that_stay_before_others_that_leave_are_not_split_off(from in 1i64..150, count in 1i64..150) {
        let samples: Vec<TimeValue> = (0..from + count).map(|time| (time, 1)).collect();
        prop_assert!(Run::of(&samples).leaving(|time| time >= from, &mut Vec::new()).is_none());
    }
}
