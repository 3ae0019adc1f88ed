use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn place() -> Place {
    Place::new(Uuid::from_u128(7), 1, 2)
}

fn segment(payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; segment::HEADER_BYTES as usize];
    for (sequence, payload) in payloads.iter().enumerate() {
        let offset = bytes.len() as u64;
        record::append(&mut bytes, place(), offset, (sequence as u64, sequence as u64), b"t", payload);
    }
    bytes
}

fn sequences(bytes: &[u8]) -> Vec<(u64, bool)> {
    scan(bytes, place()).records.iter().map(|found| (found.sequence, found.whole)).collect()
}

#[test]
fn records_behind_a_damaged_header_are_found() {
    let mut bytes = segment(&[b"one", b"two", b"three"]);
    bytes.resize(4096, 0);
    bytes[64 + record::size(1, 3) + 9] ^= 1;
    assert_eq!(sequences(&bytes), [(0, true), (2, true)]);
}

#[test]
fn a_journal_inside_a_payload_is_not_read_as_records() {
    let inner = segment(&[b"inner", b"and another"]);
    let mut bytes = segment(&[&inner, b"outer"]);
    assert_eq!(sequences(&bytes), [(0, true), (1, true)]);
    // Even when the header around it is gone and its bytes are searched.
    bytes[64] ^= 1;
    assert_eq!(sequences(&bytes), [(1, true)]);
}

#[test]
fn nothing_is_read_behind_an_end_mark() {
    let mut bytes = segment(&[b"one"]);
    let at = bytes.len();
    bytes.extend_from_slice(&record::end_mark(place(), at as u64, 1));
    let offset = bytes.len() as u64;
    record::append(&mut bytes, place(), offset, (1, 1), b"", b"leftover");
    assert_eq!(sequences(&bytes), [(0, true)]);
    assert_eq!(scan(&bytes, place()).end, Some((at, 1)));
}

proptest! {
    #[test]
    fn no_bytes_panic(mut noise in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..400, with in any::<u8>()) {
        scan(&noise, place());
        let mut bytes = segment(&[b"one", b"two", b"three"]);
        let len = bytes.len();
        bytes[at % len] = with;
        bytes.append(&mut noise);
        let found = scan(&bytes, place());
        prop_assert!(found.records.iter().filter(|found| found.whole).count() <= 3);
    }
}
