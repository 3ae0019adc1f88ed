use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_lag_is_bounded_and_never_lets_time_go_back(seed: u64, time_ms in -1_000_000_000_000i64..4_000_000_000_000) {
        let chance = Chance::new(seed);
        let mut before = time_ms - chance.lag_ms(time_ms);
        for later in time_ms + 1..time_ms + 400 {
            let lag = chance.lag_ms(later);
            prop_assert!((0..=MAX_LAG_MS).contains(&lag));
            prop_assert!(later - lag >= before);
            before = later - lag;
        }
    }

    #[test]
    fn what_wanders_stays_within_one_and_does_not_jump(seed: u64, time_ms in 0i64..4_000_000_000_000) {
        let chance = Chance::new(seed);
        let (now, next) = (chance.wander(time_ms, 1_000), chance.wander(time_ms + 1, 1_000));
        prop_assert!((-1.0..=1.0).contains(&now));
        prop_assert!((now - next).abs() <= 0.002_001);
    }
}

#[test]
fn fractions_fill_their_range_evenly() {
    let mut tenths = [0; 10];
    for part in 0..100_000 {
        tenths[(Chance::new(1).of(part).fraction() * 10.0) as usize] += 1;
    }
    assert!(tenths.iter().all(|count| (9_700..10_300).contains(count)), "{tenths:?}");
}

#[test]
fn slots_of_one_template_have_different_letters_whenever_their_pods_were_made() {
    let template = Chance::new(3);
    for birth in 0..200 {
        let letters: std::collections::HashSet<String> =
            (0..27).map(|slot| template.letters_of_slot(birth * (slot as i64 + 1), slot)).collect();
        assert_eq!(letters.len(), 27);
    }
}

#[test]
fn a_uuid_is_of_version_4() {
    let uuid = Chance::new(9).uuid();
    let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert_eq!((&uuid[14..15], &uuid[19..20]), ("4", "a"));
}
