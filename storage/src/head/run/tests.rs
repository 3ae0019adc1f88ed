use proptest::prelude::*;

use super::*;

proptest! {
    /// What leaves and what stays is what a look at each sample tells, whether it is told without packing anew or not.
    #[test]
    fn a_split_parts_the_samples(
        times in prop::collection::vec(0i64..400, 0..300),
        is_sorted in prop::bool::weighted(0.7),
        first in prop_oneof![3 => Just(-1i64), 1 => 0i64..400],
        limit in 0i64..420,
    ) {
        let mut times = times;
        if is_sorted {
            times.sort_unstable();
            times.dedup();
        }
        let samples: Vec<TimeValue> = times.iter().zip(0u64..).map(|(time, n)| (*time, (n * 7) << (n % 50))).collect();
        let run = Run::of(&samples);
        let leaves = |time: i64| (first..limit).contains(&time);
        let (leave, stay) = run.split(leaves);
        let (mut all, mut read) = (Vec::new(), Vec::new());
        run.read(&mut all);
        let (leaving, staying): (Vec<_>, Vec<_>) = all.into_iter().partition(|(time, _)| leaves(*time));
        for (part, expected) in [(leave, leaving), (stay, staying)] {
            part.read(&mut read);
            prop_assert_eq!(&read, &expected);
            prop_assert_eq!(part.len(), expected.len());
            let bounds = expected.first().zip(expected.last()).map(|(first, last)| (first.0, last.0));
            prop_assert_eq!(part.range(), bounds);
        }
        let is_in_order = times.windows(2).all(|pair| pair[0] < pair[1]);
        let mut stayed = times.iter().skip_while(|time| leaves(**time));
        prop_assert_eq!(run.split_in_order(leaves).is_some(), is_in_order && !stayed.any(|time| leaves(*time)));
    }
}

#[test]
fn what_leaves_shares_what_is_sealed() {
    let samples: Vec<TimeValue> = (0..300).map(|time| (time, 1)).collect();
    let run = Run::of(&samples);
    let (leave, _) = run.split(|time| time < 150);
    assert_eq!(leave.chunks.iter().zip(&run.chunks).filter(|(part, whole)| part.shares(whole)).count(), 2);
}
