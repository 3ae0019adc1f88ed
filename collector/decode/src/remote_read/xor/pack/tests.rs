use model::batch::STALE_NAN_BITS;
use proptest::prelude::*;

use super::super::Chunk;
use super::*;

fn unpacked(chunk: &[u8]) -> Vec<(i64, u64)> {
    let mut samples = Vec::new();
    Chunk::new(chunk).unwrap().unpack(|time_ms, bits| samples.push((time_ms, bits))).unwrap();
    samples
}

/// Values as they come: the same again, counters, tenths, markers, and any bits at all.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(1.0f64.to_bits()),
        Just((-0.0f64).to_bits()),
        Just(STALE_NAN_BITS),
        (0..1_000_000u32).prop_map(|number| f64::from(number).to_bits()),
        (0..1_000_000u32).prop_map(|number| (f64::from(number) / 10.0).to_bits()),
        any::<u64>(),
    ]
}

/// Distances as they come: of a scrape, late, long after, and so that every width of a change is met at its ends.
fn step() -> impl Strategy<Value = i64> {
    const ENDS: [i64; 10] = [8_191, 8_192, 8_193, 65_535, 65_536, 65_537, 524_287, 524_288, 524_289, 1 << 40];
    prop_oneof![Just(15_000), 14_900..15_100i64, 0..5_000_000i64, proptest::sample::select(&ENDS[..])]
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(
        start_ms in any::<i32>(),
        samples in proptest::collection::vec((step(), value()), 0..300),
    ) {
        let mut time_ms = i64::from(start_ms) * 1000;
        let next = |(step, value): (i64, u64)| {
            time_ms += step;
            (time_ms, value)
        };
        let samples: Vec<(i64, u64)> = samples.into_iter().map(next).collect();
        prop_assert_eq!(unpacked(&xor_chunk(samples.iter().copied())), samples);
    }
}

#[test]
fn a_chunk_has_as_many_samples_as_it_can_count() {
    let chunk = xor_chunk((0..70_000).map(|n| (n * 1000, 0)));
    assert_eq!(unpacked(&chunk).len(), 65_535);
    assert_eq!(xor_chunk([]), [0, 0]);
}

#[test]
fn a_series_that_never_changes_takes_a_quarter_of_a_byte_a_sample() {
    assert!(xor_chunk((0..120).map(|n| (n * 15_000, 1.0f64.to_bits()))).len() < 50);
}
