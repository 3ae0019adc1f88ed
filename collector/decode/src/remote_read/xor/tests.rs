use super::*;

/// A chunk of `samples` samples whose bits are written out, blanks between them for the eye.
fn chunk(samples: u16, bits: &str) -> Vec<u8> {
    let mut bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| bit - b'0').collect();
    bits.resize(bits.len().next_multiple_of(8), 0);
    let bytes = bits.chunks(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit));
    samples.to_be_bytes().into_iter().chain(bytes).collect()
}

fn unpack(data: &[u8]) -> Result<Vec<(i64, u64)>, Damage> {
    let mut samples = Vec::new();
    Chunk::new(data)?.unpack(|time_ms, bits| samples.push((time_ms, bits)))?;
    Ok(samples)
}

/// Time 7, value 0; then the same value 10 later.
const TWO: &str = "00001110 0000000000000000000000000000000000000000000000000000000000000000 00001010 0";

#[test]
fn each_bucket_of_differences_is_read_to_its_ends() {
    for (bits, change) in [
        ("0".to_owned(), 0),
        (format!("10 {:014b}", 1), 1),
        (format!("10 {:014b}", 8192), 8192),
        (format!("10 {:014b}", 8193), -8191),
        (format!("10 {:014b}", (1 << 14) - 1), -1),
        (format!("110 {:017b}", 65_536), 65_536),
        (format!("110 {:017b}", 65_537), -65_535),
        (format!("1110 {:020b}", 524_288), 524_288),
        (format!("1110 {:020b}", 524_289), -524_287),
        (format!("1111 {:064b}", 1), 1),
        (format!("1111 {:064b}", (-1i64) as u64), -1),
        (format!("1111 {:064b}", 1u64 << 40), 1 << 40),
    ] {
        let samples = unpack(&chunk(3, &format!("{TWO} {bits} 0"))).unwrap();
        assert_eq!(samples, [(7, 0), (17, 0), (17 + 10 + change, 0)], "{bits}");
    }
}

#[test]
fn windows_are_kept_until_there_is_a_new_one() {
    // Zeros above: 4; bits: 3; then within the same window; then all 64 bits.
    let changes = format!("0 11 00100 000011 101  0 10 011  0 11 00000 000000 {:064b}", u64::MAX);
    let (first, second) = (0b101u64 << 57, 0b110u64 << 57);
    let samples = unpack(&chunk(5, &format!("{TWO} {changes}"))).unwrap();
    let values: Vec<u64> = samples.iter().map(|(_, bits)| *bits).collect();
    assert_eq!(values, [0, 0, first, second, !second]);
    // Before any window was told, the window is the whole value.
    let samples = unpack(&chunk(3, &format!("{TWO} 0 10 {:064b}", 5))).unwrap();
    assert_eq!(samples[2], (27, 5));
}

#[test]
fn a_chunk_may_be_short() {
    assert_eq!(unpack(&chunk(0, "")).unwrap(), []);
    assert_eq!(unpack(&chunk(1, &TWO[..73])).unwrap(), [(7, 0)]);
    // A byte that was begun and never used.
    assert_eq!(unpack(&chunk(1, &format!("{} 00000000", &TWO[..73]))).unwrap(), [(7, 0)]);
    assert_eq!(unpack(&chunk(2, TWO)).unwrap(), [(7, 0), (17, 0)]);
}

#[test]
fn times_may_go_back() {
    // 2^64 − 3 as a number of base 128.
    let back = format!("11111101 {} 00000001 0", "11111111 ".repeat(8));
    let samples = unpack(&chunk(3, &format!("{} {back} 0 0", &TWO[..73]))).unwrap();
    assert_eq!(samples, [(7, 0), (4, 0), (1, 0)]);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let ends = "it ends before its last sample";
    let long_number = "11111111 ".repeat(9);
    for (data, damage) in [
        (vec![], "it has no number of samples"),
        (vec![0], "it has no number of samples"),
        (chunk(1, ""), ends),
        (chunk(1, "10000000"), ends),
        (chunk(1, &TWO[..64]), ends),
        (chunk(2, &TWO[..73]), ends),
        // The padding after the second sample is 7 bits, which are three samples at most.
        (chunk(6, TWO), ends),
        (chunk(3, &format!("{TWO} 1111 {:040b}", 0)), ends),
        (chunk(3, &format!("{TWO} 0 11 00000 000000 {:030b}", 0)), ends),
        (chunk(u16::MAX, TWO), ends),
        (chunk(0, "0 00000000"), "it goes on after its last sample"),
        (chunk(2, &format!("{TWO} 00000000")), "it goes on after its last sample"),
        (chunk(3, &format!("{TWO} 0 11 00001 000000 {:064b}", 0)), "a value has more than 64 bits"),
        (chunk(3, &format!("{TWO} 0 11 11111 111111 {:064b}", 0)), "a value has more than 64 bits"),
        (chunk(1, &format!("{long_number} 00000010 {:064b}", 0)), "a time has more than 64 bits"),
        (chunk(1, &format!("{long_number} 10000001 {:064b}", 0)), "a time has more than 64 bits"),
        (chunk(3, &format!("{TWO} 1111 {:064b} 0", i64::MAX - 10)), "a time is beyond 64 bits"),
    ] {
        assert_eq!(unpack(&data), Err(damage), "{data:?}");
    }
}

#[test]
fn two_bits_a_sample_are_the_densest_chunk() {
    // The step stays and the value stays.
    let samples = unpack(&chunk(u16::MAX, &format!("{TWO} {}", "00".repeat(65_533)))).unwrap();
    assert_eq!((samples.len(), samples.last()), (65_535, Some(&(7 + 10 * 65_534, 0))));
}
