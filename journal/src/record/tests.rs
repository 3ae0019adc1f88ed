use super::*;

fn place() -> Place {
    Place::new(Uuid::from_u128(7), 1, 2)
}

fn bytes() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    append(&mut bytes, place(), 64, (9, 8), b"tag", b"a payload");
    bytes
}

#[test]
fn a_record_comes_back_as_it_was() {
    let bytes = bytes();
    assert_eq!(bytes.len(), 64 + size(3, 9));
    let Some(Parsed::Record(found)) = parse(&bytes, 64, place()) else { panic!("it decodes") };
    assert_eq!((found.sequence, found.group, found.end, found.whole), (9, 8, bytes.len(), true));
    assert_eq!((&bytes[found.tag], &bytes[found.payload]), (&b"tag"[..], &b"a payload"[..]));
}

#[test]
fn the_bytes_are_those_of_the_document() {
    let hex: String = bytes()[64..].iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = ["09000000", "0900000000000000", "0800000000000000"].concat();
    assert_eq!(&hex[8..48], fields, "payload length, sequence, group");
    assert_eq!(&hex[56..64], "01030000", "kind, tag length, reserved");
    assert_eq!(&hex[64..], "7461676120".to_owned() + "7061796c6f616400000000", "tag, payload, padding");
}

#[test]
fn any_flipped_bit_shows_in_the_header_or_the_payload() {
    let clean = bytes();
    for bit in 64 * 8..(64 + HEADER_BYTES + 12) * 8 {
        let mut bytes = clean.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match parse(&bytes, 64, place()) {
            None => assert!(bit / 8 < 64 + HEADER_BYTES + 3, "a payload does not spoil the header: bit {bit}"),
            Some(Parsed::Record(found)) => assert!(!found.whole && bit / 8 >= 64 + HEADER_BYTES + 3, "bit {bit}"),
            Some(end) => panic!("bit {bit} made {end:?} of it"),
        }
    }
}

#[test]
fn a_record_is_none_at_another_place() {
    let bytes = bytes();
    let moved = [&[0; 8][..], &bytes].concat();
    assert_eq!(parse(&moved, 72, place()), None);
    for other in [
        Place::new(Uuid::from_u128(8), 1, 2),
        Place::new(Uuid::from_u128(7), 2, 2),
        Place::new(Uuid::from_u128(7), 1, 3),
    ] {
        assert_eq!(parse(&bytes, 64, other), None);
    }
}

#[test]
fn a_record_cut_anywhere_is_never_whole() {
    let bytes = bytes();
    for len in 0..64 + HEADER_BYTES + 12 {
        let parsed = parse(&bytes[..len], 64, place());
        assert!(!matches!(parsed, Some(Parsed::Record(Found { whole: true, .. }) | Parsed::End { .. })), "{len} bytes");
    }
}

#[test]
fn an_end_mark_comes_back() {
    assert_eq!(parse(&end_mark(place(), 0, 5), 0, place()), Some(Parsed::End { next: 5 }));
    assert_eq!(parse(&[0; HEADER_BYTES], 0, place()), None, "zeroes are nothing");
}

#[test]
fn a_group_that_begins_after_its_record_is_none() {
    for (sequence, group, is_record) in [(9, 9, true), (9, 10, false), (0, u64::MAX, false)] {
        let mut bytes = vec![0; 64];
        append(&mut bytes, place(), 64, (sequence, group), b"", b"x");
        assert_eq!(parse(&bytes, 64, place()).is_some(), is_record, "{sequence} in group {group}");
    }
    let mut end = vec![0; 64];
    end.extend_from_slice(&header(place(), 64, (KIND_END, 5, 4), &[], (0, 0)));
    assert_eq!(parse(&end, 64, place()), None, "an end mark says one number twice");
}
