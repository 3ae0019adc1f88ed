use model::histogram::BucketCounts;

use super::*;

/// The bits of some bytes.
fn bits_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:08b}")).collect()
}

/// Bits written for the eye, with what fills up the last byte.
fn bits(text: &str) -> String {
    let mut bits: String = text.split_whitespace().collect();
    bits.extend(std::iter::repeat_n('0', bits.len().next_multiple_of(8) - bits.len()));
    bits
}

fn float(number: f64) -> String {
    format!("{:064b}", number.to_bits())
}

#[test]
fn a_histogram_is_written_bit_by_bit() {
    let histogram = NativeHistogram {
        schema: 1,
        reset_hint: ResetHint::Gauge,
        start_ms: None,
        sum: 12.5,
        zero_threshold: 0.001,
        custom_bounds: Vec::new(),
        positive_spans: vec![Span { offset: -2, length: 2 }, Span { offset: 5, length: 1 }],
        negative_spans: Vec::new(),
        counts: Counts::Integer(BucketCounts { count: 9, zero: 2, positive: vec![1, 4, 2], negative: Vec::new() }),
    };
    let floats: String = [9.0, 2.0, 12.5, 1.0, 4.0, 2.0].map(float).concat();
    let expected = format!(
        "00000000 00000001 11000000 11111111 {} 10 001  10 010  10 010 10 110  10 001 110 000101  0  111110 {:018b} {floats}",
        float(0.001),
        100_000
    );
    assert_eq!(bits_of(&float_histogram_chunk(100_000, &histogram)), bits(&expected));
}

#[test]
fn custom_bounds_are_written_as_they_are() {
    let histogram = NativeHistogram {
        schema: CUSTOM_BUCKETS,
        reset_hint: ResetHint::Unknown,
        custom_bounds: vec![0.5, 1.0],
        positive_spans: vec![Span { offset: 0, length: 1 }],
        counts: Counts::Float(BucketCounts { count: 0.5, zero: 0.0, positive: vec![0.5], negative: Vec::new() }),
        sum: 1.0,
        ..NativeHistogram::stale()
    };
    let (half, one, zero) = (float(0.5), float(1.0), float(0.0));
    let expected = format!(
        "00000000 00000001 00000000 11111111 {zero} 1110 {:09b}  10 001 10 001 0  0  10 010 0{half} 0{one}  10 111 {half} {zero} \
         {one} {half}",
        512 - 53
    );
    assert_eq!(bits_of(&float_histogram_chunk(-1, &histogram)), bits(&expected));
}

#[test]
fn numbers_take_the_narrowest_width_they_fit() {
    let of_signed = |number| {
        let mut bits = BitWriter::default();
        signed(&mut bits, number);
        bits.finish()
    };
    let of_unsigned = |number| {
        let mut bits = BitWriter::default();
        unsigned(&mut bits, number);
        bits.finish()
    };
    for (number, expected) in [
        (0, "0".to_owned()),
        (4, "10 100".to_owned()),
        (-3, "10 101".to_owned()),
        (-4, format!("110 {:06b}", 64 - 4)),
        (32, "110 100000".to_owned()),
        (256, "1110 100000000".to_owned()),
        (2048, "11110 100000000000".to_owned()),
        (131_072, format!("111110 {:018b}", 131_072)),
        (16_777_216, format!("1111110 {:025b}", 16_777_216)),
        (1_700_000_000_000, format!("11111110 {:056b}", 1_700_000_000_000_i64)),
        (i64::MIN, format!("11111111 {:064b}", i64::MIN)),
    ] {
        assert_eq!(bits_of(&of_signed(number)), bits(&expected), "{number}");
    }
    for (number, expected) in
        [(7, "10 111".to_owned()), (8, "110 001000".to_owned()), (u64::MAX, format!("11111111 {:064b}", u64::MAX))]
    {
        assert_eq!(bits_of(&of_unsigned(number)), bits(&expected), "{number}");
    }
}
