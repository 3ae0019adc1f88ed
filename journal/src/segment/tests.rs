use super::*;

const NAME: Name = Name { generation: 1, number: 0x2a, first: u64::MAX };

#[test]
fn a_name_comes_back() {
    let file = NAME.file();
    assert_eq!(file, "0000000000000001-000000000000002a-ffffffffffffffff.journal");
    assert_eq!(Name::parse(&file), Some(Ok(NAME)));
    assert_eq!(Name::parse("journal.uuid"), None);
    for bad in ["x.journal", "0-1-2.journal", &file.replace('f', "F"), &file.replace("0001", "+001")] {
        assert!(matches!(Name::parse(bad), Some(Err(_))), "{bad}");
    }
}

#[test]
fn names_sort_as_the_journal_does() {
    let later = Name { generation: 2, number: 0x2b, first: 3 };
    assert!(NAME < later && NAME.file() < later.file());
}

#[test]
fn a_header_comes_back_and_shows_any_flipped_bit() {
    let header = Header { version: 1, uuid: Uuid::from_u128(5), name: NAME, allocated: 4096 };
    let clean = header.encode();
    assert_eq!(Header::decode(&clean), Some(header));
    for bit in 0..clean.len() * 8 {
        let mut bytes = clean;
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Header::decode(&bytes), None, "bit {bit}");
    }
    for len in 0..clean.len() {
        assert_eq!(Header::decode(&clean[..len]), None);
    }
}
