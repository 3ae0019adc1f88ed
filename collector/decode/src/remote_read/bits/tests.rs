use super::*;

/// The same bits, one by one.
fn slow(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bit = |at: usize| bytes.get(at / 8).map(|byte| u64::from(byte >> (7 - at % 8) & 1));
    (at..at + count).try_fold(0, |number, at| Some(number << 1 | bit(at)?))
}

#[test]
fn any_division_reads_the_same_bits() {
    let bytes: Vec<u8> = (0u32..64).map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]).collect();
    for len in 0..bytes.len() {
        let bytes = &bytes[..len];
        for width in 1..=64 {
            let (mut bits, mut at) = (Bits::new(bytes), 0);
            while let Some(expected) = slow(bytes, at, width) {
                assert_eq!(bits.take_wide(width as u32), Ok(expected), "{width} bits at {at} of {len} bytes");
                at += width;
                assert_eq!(bits.left(), len * 8 - at);
            }
            assert_eq!(bits.take_wide(width as u32), Err(Ended));
        }
    }
}

#[test]
fn widths_that_change_read_the_same_bits() {
    let bytes: Vec<u8> = (0u32..500).map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes()[1]).collect();
    for seed in 0..500usize {
        let (mut bits, mut at) = (Bits::new(&bytes), 0);
        for step in 0.. {
            let width = (seed * 31 + step * step * 7) % 64 + 1;
            let Some(expected) = slow(&bytes, at, width) else { break };
            assert_eq!(bits.take_wide(width as u32), Ok(expected), "{width} bits at {at}, seed {seed}");
            at += width;
        }
    }
}
