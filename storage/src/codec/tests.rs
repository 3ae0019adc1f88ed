use proptest::prelude::*;

use super::*;

#[path = "../../../fuzz/checks/codec.rs"]
mod check;

fn any_bits() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        any::<i32>().prop_map(|n| f64::from(n).to_bits()),
        any::<i32>().prop_map(|n| (f64::from(n) / 100.0).to_bits()),
        Just((-0.0f64).to_bits()),
        Just(model::batch::STALE_NAN_BITS),
        Just(MAX_EXACT.to_bits()),
        Just((MAX_EXACT - 1.0).to_bits()),
    ]
}

proptest! {
    #[test]
    fn columns_come_back_bit_for_bit(samples in prop::collection::vec((any::<i64>(), any_bits()), 0..200)) {
        let mut bytes = Vec::new();
        let (mut times, mut values) = (TimeEncoder::default(), ValueEncoder::default());
        for (time, bits) in &samples {
            times.put(&mut bytes, *time);
            values.put(&mut bytes, *bits);
        }
        let mut reader = Reader::new(&bytes);
        let (mut times, mut values) = (TimeDecoder::default(), ValueDecoder::default());
        for sample in &samples {
            prop_assert_eq!((times.take(&mut reader).unwrap(), values.take(&mut reader).unwrap()), *sample);
        }
        prop_assert_eq!(reader.left(), 0);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut reader = Reader::new(&bytes);
        let mut values = ValueDecoder::default();
        while values.take(&mut reader).is_ok() {}
        let mut reader = Reader::new(&bytes);
        while reader.sized().is_ok_and(|b| !b.is_empty()) {}
    }
}

#[test]
fn the_seeds_of_the_fuzzer_are_read_or_refused() {
    crate::seeds::replay("codec", check::check);
}
