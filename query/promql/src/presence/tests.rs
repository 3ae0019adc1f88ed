use proptest::prelude::*;

use super::Presence;

fn of(bits: &[bool]) -> Presence {
    let mut presence = Presence::none(bits.len());
    (0..bits.len()).filter(|step| bits[*step]).for_each(|step| presence.insert(step));
    presence
}

fn bits(presence: &Presence) -> Vec<bool> {
    (0..presence.steps()).map(|step| presence.has(step)).collect()
}

#[test]
fn all_steps_have_a_value() {
    for steps in [0, 1, 63, 64, 65, 128, 200] {
        let all = Presence::all(steps);
        assert_eq!((all.count(), all.is_empty()), (steps, steps == 0));
        assert_eq!(all, of(&vec![true; steps]));
        assert!(Presence::none(steps).is_empty());
    }
}

proptest! {
    #[test]
    fn presence_is_a_list_of_bits(pairs in prop::collection::vec((prop_oneof![5 => Just(true), 1 => Just(false)], any::<bool>()), 0..300)) {
        let (a, b): (Vec<bool>, Vec<bool>) = pairs.iter().copied().unzip();
        let both = |combine: fn(&mut Presence, &Presence)| {
            let mut left = of(&a);
            combine(&mut left, &of(&b));
            bits(&left)
        };
        let expected = |combine: fn(bool, bool) -> bool| pairs.iter().map(|(a, b)| combine(*a, *b)).collect::<Vec<_>>();
        prop_assert_eq!(bits(&of(&a)), a.clone());
        prop_assert_eq!(both(Presence::union_with), expected(|a, b| a | b));
        prop_assert_eq!(both(Presence::intersect_with), expected(|a, b| a & b));
        prop_assert_eq!(both(Presence::subtract), expected(|a, b| a & !b));
        let mut kept = of(&a);
        kept.retain(|step| b[step]);
        prop_assert_eq!(bits(&kept), expected(|a, b| a & b));
        let mut visited = Vec::new();
        of(&a).for_each(|step| visited.push(step));
        prop_assert_eq!(&visited, &(0..a.len()).filter(|step| a[*step]).collect::<Vec<_>>());
        let mut runs = Vec::new();
        of(&a).for_each_run(|run| runs.push(run));
        prop_assert!(runs.iter().all(|run| !run.is_empty()) && runs.windows(2).all(|pair| pair[0].end < pair[1].start));
        prop_assert_eq!(visited, of(&a).iter().collect::<Vec<_>>());
    }
}
