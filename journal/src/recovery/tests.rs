use super::*;
use crate::record;

const UUID: Uuid = Uuid::from_u128(7);

fn name(first: u64) -> Name {
    Name { generation: 3, number: 4, first }
}

/// A segment of 4 KiB that begins at sequence 10; each slice is a group of one-byte records.
fn segment(groups: &[&[u8]]) -> Vec<u8> {
    let name = name(10);
    let mut bytes = Header { version: 1, uuid: UUID, name, allocated: 4096 }.encode().to_vec();
    let (place, mut sequence) = (Place::new(UUID, 3, 4), 10);
    for group in groups {
        let group_first = sequence;
        for byte in *group {
            let offset = bytes.len() as u64;
            record::append(&mut bytes, place, offset, (sequence, group_first), b"t", &[*byte]);
            sequence += 1;
        }
    }
    bytes.resize(4096, 0);
    bytes
}

/// Where the record of index `at` begins; all are of one size.
fn offset(at: usize) -> usize {
    64 + at * record::size(1, 1)
}

fn judge(bytes: &[u8], next_first: Option<u64>) -> Assessment {
    assess(Subject { dir: Path::new("/j"), uuid: UUID, name: name(10), next_first }, bytes).unwrap()
}

fn lost(found: &Assessment) -> Vec<(Cause, u64, Option<u64>, Option<u64>)> {
    let position = |position: Option<Position>| position.map(|position| position.0);
    let damage = found.damage.iter();
    damage.map(|damage| (damage.cause, damage.offset, position(damage.first), position(damage.last))).collect()
}

#[test]
fn a_hole_in_the_last_group_is_a_torn_tail() {
    let mut bytes = segment(&[&[1, 2], &[3, 4, 5]]);
    bytes[offset(3)] ^= 1;
    let found = judge(&bytes, None);
    assert_eq!((found.end, found.whole, found.end_offset), (13, 3, offset(3) as u64));
    assert!(found.damage.is_empty());
    assert_eq!(found.tail.as_ref().map(|tail| (tail.offset, tail.whole_records)), Some((offset(3) as u64, 1)));
    assert_eq!(found.unproven, offset(2)..offset(3));
}

#[test]
fn a_hole_before_the_last_group_is_damage() {
    let mut bytes = segment(&[&[1, 2], &[3, 4, 5]]);
    bytes[offset(1)] ^= 1;
    let found = judge(&bytes, None);
    assert_eq!((found.end, found.whole), (15, 4));
    assert_eq!(lost(&found), [(Cause::Records, offset(1) as u64, Some(11), Some(11))]);
    assert!(found.tail.is_none());
}

#[test]
fn a_hole_is_damage_when_only_a_record_with_a_damaged_payload_proves_it() {
    let mut bytes = segment(&[&[1, 2], &[3]]);
    bytes[offset(1)] ^= 1;
    bytes[offset(2) + record::HEADER_BYTES + 1] ^= 1;
    let found = judge(&bytes, None);
    assert_eq!((found.end, found.whole), (12, 1), "the last group itself is torn");
    assert_eq!(lost(&found), [(Cause::Records, offset(1) as u64, Some(11), Some(11))]);
}

#[test]
fn an_end_mark_or_a_successor_proves_the_last_group() {
    let clean = segment(&[&[1, 2]]);
    for at in 0..2 {
        let mut bytes = clean.clone();
        bytes[offset(at) + record::HEADER_BYTES + 1] ^= 1;
        let successor = judge(&bytes, Some(12));
        bytes[offset(2)..offset(2) + 32].copy_from_slice(&record::end_mark(
            Place::new(UUID, 3, 4),
            offset(2) as u64,
            12,
        ));
        let closed = judge(&bytes, None);
        for found in [successor, closed] {
            let sequence = Some(10 + at as u64);
            assert_eq!((found.end, found.whole), (12, 1));
            assert_eq!(lost(&found), [(Cause::Records, offset(at) as u64, sequence, sequence)]);
            let tags = vec![(Position(10 + at as u64), b"t".to_vec())];
            assert_eq!(found.damage[0].tags, tags, "the tag survives the payload");
        }
    }
}

#[test]
fn records_a_successor_gives_anew_are_void() {
    let bytes = segment(&[&[1, 2], &[3, 4]]);
    let found = judge(&bytes, Some(12));
    assert_eq!((found.end, found.whole), (12, 2));
    assert!(found.damage.is_empty() && found.tail.is_none());
    let scan = scan(&bytes, Place::new(UUID, 3, 4));
    let subject = Subject { dir: Path::new("/j"), uuid: UUID, name: name(10), next_first: Some(12) };
    assert_eq!(whole_records(subject, &bytes, &scan).iter().map(|found| found.sequence).collect::<Vec<_>>(), [10, 11]);
}

#[test]
fn a_gap_before_the_successor_is_damage() {
    let found = judge(&segment(&[&[1, 2]]), Some(20));
    assert_eq!((found.end, found.whole), (20, 2));
    assert_eq!(lost(&found), [(Cause::Records, offset(2) as u64, Some(12), Some(19))]);
}

#[test]
fn a_short_file_that_was_not_closed_is_damage_if_it_is_the_last() {
    let mut bytes = segment(&[&[1, 2]]);
    bytes.truncate(offset(2));
    assert_eq!(lost(&judge(&bytes, None)), [(Cause::Truncated, offset(2) as u64, Some(12), None)]);
    assert!(judge(&bytes, Some(12)).damage.is_empty(), "with a successor it was cut on purpose");
}

#[test]
fn a_damaged_header_loses_no_record() {
    let mut bytes = segment(&[&[1, 2], &[3]]);
    bytes[20] ^= 1;
    let found = judge(&bytes, None);
    assert_eq!((found.end, found.whole), (13, 3));
    assert_eq!(lost(&found), [(Cause::Header, 0, Some(13), None)], "its end is not proven");
    assert_eq!(lost(&judge(&bytes, Some(13))), [(Cause::Header, 0, None, None)]);
}

#[test]
fn a_segment_of_a_newer_version_is_refused() {
    let header = Header { version: 2, uuid: UUID, name: name(10), allocated: 4096 };
    let subject = Subject { dir: Path::new("/j"), uuid: UUID, name: name(10), next_first: None };
    let error = assess(subject, &header.encode()).unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::Corrupt);
    assert!(error.to_string().contains("version 2"), "{error}");
}
