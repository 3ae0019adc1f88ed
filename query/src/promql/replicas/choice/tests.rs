use proptest::prelude::*;

use super::super::super::steps::Steps;
use super::*;

const INTERVAL_MS: i64 = 15_000;
const LOOKBACK_MS: i64 = 300_000;

/// A counter that two servers scrape: what it is at an instant.
fn counter(time_ms: i64) -> f64 {
    (time_ms / 100) as f64
}

fn samples(times_ms: Vec<i64>) -> Samples {
    let values = times_ms.iter().map(|time_ms| counter(*time_ms)).collect();
    Samples { times_ms, values, ..Samples::default() }
}

/// What an instant selector gives of a replica.
fn newest(name: &str, samples: &Samples, looks: &Looks) -> Replica {
    let steps = looks.steps().count;
    let seen = Seen::at_each_step(samples, looks, LOOKBACK_MS);
    let mut present = Presence::none(steps);
    (0..steps).filter(|step| seen[*step].newest_ms > i64::MIN).for_each(|step| present.insert(step));
    let values =
        seen.iter().map(|seen| if seen.newest_ms > i64::MIN { counter(seen.newest_ms) } else { 0.0 }).collect();
    Replica { name: name.to_owned(), values, present, histograms: Cells::new(), seen }
}

/// The scrapes of a server: its phase in milliseconds, and which it misses.
fn scrapes() -> impl Strategy<Value = Vec<i64>> {
    let missed = proptest::collection::vec((0_usize..200, 1_usize..40), 0..4);
    (0..INTERVAL_MS, missed).prop_map(|(phase_ms, missed)| {
        let is_missed = |at: &usize| missed.iter().any(|(from, count)| (*from..from + count).contains(at));
        (0..200).filter(|at| !is_missed(at)).map(|at| 1_000_000 + phase_ms + at as i64 * INTERVAL_MS).collect()
    })
}

proptest! {
    #[test]
    fn a_counter_never_steps_back_and_no_gap_is_left_that_a_replica_fills(
        a in scrapes(),
        b in scrapes(),
        step_ms in prop_oneof![Just(INTERVAL_MS), 1_000_i64..120_000],
    ) {
        let steps = Steps::between(1_000_000, 1_000_000 + 220 * INTERVAL_MS, step_ms);
        let looks = Looks::new(steps, None, 0);
        let replicas = [newest("a", &samples(a), &looks), newest("b", &samples(b), &looks)];
        let chosen = choose(&replicas, steps.count);
        let mut last = f64::MIN;
        for (step, taken) in chosen.iter().enumerate() {
            let with_value: Vec<&Replica> = replicas.iter().filter(|replica| replica.has(step)).collect();
            // Both have the same newest sample or later ones at later steps, so one may always be taken.
            prop_assert_eq!(taken.is_some(), !with_value.is_empty(), "at step {}", step);
            let Some(taken) = taken else { continue };
            let value = replicas[*taken].values[step];
            prop_assert!(value >= last, "{} after {} at step {}", value, last, step);
            last = value;
        }
    }

    #[test]
    fn gaps_are_those_of_the_definition(times in scrapes(), range_ms in 1_000_i64..700_000, step_ms in 1_000_i64..120_000) {
        let looks = Looks::new(Steps::between(900_000, 1_000_000 + 220 * INTERVAL_MS, step_ms), None, 0);
        for (step, seen) in Seen::at_each_step(&samples(times.clone()), &looks, range_ms).into_iter().enumerate() {
            let (start_ms, end_ms) = (looks.time_ms(step) - range_ms, looks.time_ms(step));
            let within: Vec<i64> = times.iter().copied().filter(|at| *at > start_ms && *at <= end_ms).collect();
            let mut all = within.clone();
            all.extend([start_ms, end_ms]);
            all.sort_unstable();
            let gap_ms = all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            let newest_ms = within.last().copied().unwrap_or(i64::MIN);
            prop_assert_eq!(seen, Seen { gap_ms, newest_ms });
        }
    }

    #[test]
    fn where_a_replica_has_no_gap_none_is_taken(a in scrapes(), phase_ms in 0..INTERVAL_MS) {
        let whole: Vec<i64> = (0..200).map(|at| 1_000_000 + phase_ms + at * INTERVAL_MS).collect();
        let steps = Steps::between(1_400_000, 1_000_000 + 199 * INTERVAL_MS, INTERVAL_MS);
        let looks = Looks::new(steps, None, 0);
        let replicas = [newest("a", &samples(a), &looks), newest("b", &samples(whole), &looks)];
        for (step, taken) in choose(&replicas, steps.count).into_iter().enumerate() {
            let gap_ms = taken.map(|number| replicas[number].seen[step].gap_ms);
            prop_assert!(gap_ms.is_some_and(|gap_ms| gap_ms <= INTERVAL_MS * 11 / 10), "{:?} at step {}", gap_ms, step);
        }
    }
}

#[test]
fn markers_are_no_samples() {
    let mut of_series = samples(vec![1_000, 2_000, 3_000, 4_000]);
    of_series.values[2] = f64::from_bits(model::batch::STALE_NAN_BITS);
    let looks = Looks::new(Steps::between(2_000, 6_000, 1_000), None, 0);
    let seen: Vec<(i64, i64)> =
        Seen::at_each_step(&of_series, &looks, 2_000).iter().map(|seen| (seen.gap_ms, seen.newest_ms)).collect();
    assert_eq!(seen, [(1_000, 2_000), (1_000, 2_000), (2_000, 4_000), (1_000, 4_000), (2_000, i64::MIN)]);
}
