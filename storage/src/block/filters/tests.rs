use proptest::prelude::*;

use super::*;

fn filters(stretches: &[Vec<u64>]) -> Filters {
    let mut builder = FiltersBuilder::default();
    for stretch in stretches {
        stretch.iter().for_each(|number| builder.add(hash(&number.to_le_bytes())));
        builder.end_stretch();
    }
    Filters::decode(builder.finish().into()).unwrap()
}

proptest! {
    #[test]
    fn what_a_stretch_has_is_found(stretches in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..200), 0..5)) {
        let filters = filters(&stretches);
        prop_assert_eq!(filters.len(), stretches.len());
        for (stretch, numbers) in stretches.iter().enumerate() {
            prop_assert!(numbers.iter().all(|number| filters.may_have(stretch, hash(&number.to_le_bytes()))));
        }
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<prop::sample::Index>()) {
        let mut builder = FiltersBuilder::default();
        (0..50).for_each(|number| builder.add(number));
        builder.end_stretch();
        let mut bytes = builder.finish();
        prop_assert!(Filters::decode(bytes[..cut.index(bytes.len())].to_vec().into()).is_err());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(filters) = Filters::decode(bytes.into()) {
            let _ = (0..100).any(|number| filters.may_have(0, number));
        }
    }
}

#[test]
fn few_seem_to_be_there_that_are_not() {
    let filters = filters(&[(0..10_000).collect(), Vec::new()]);
    let seeming = (10_000..110_000u64).filter(|number| filters.may_have(0, hash(&number.to_le_bytes()))).count();
    assert!(seeming < 600, "{seeming} of 100,000; 370 are expected");
    assert!((0..1000u64).all(|number| !filters.may_have(1, hash(&number.to_le_bytes()))), "an empty one has nothing");
}
