use super::*;

fn fields(body: &[u8]) -> Result<Vec<(u64, Value)>, &'static str> {
    let mut fields = Fields::new(body, 0..body.len());
    let mut found = Vec::new();
    while let Some(field) = fields.next().map_err(|malformed| malformed.what)? {
        found.push(field);
    }
    Ok(found)
}

#[test]
fn each_wire_type_is_read() {
    let body = [
        &[0x08, 0x96, 0x01][..],
        &[0x11, 1, 0, 0, 0, 0, 0, 0, 0x80],
        &[0x1a, 2, b'h', b'i'],
        &[0x25, 1, 2, 3, 4],
        &[0xf8, 0xff, 0xff, 0xff, 0x0f, 0],
    ];
    let expected = [
        (1, Value::Varint(150)),
        (2, Value::Fixed64(0x8000_0000_0000_0001)),
        (3, Value::Bytes(14..16)),
        (4, Value::Fixed32(0x0403_0201)),
        (536_870_911, Value::Varint(0)),
    ];
    assert_eq!(fields(&body.concat()).unwrap(), expected);
}

#[test]
fn the_short_way_reads_the_same_or_nothing() {
    let long = [&[0x0a, 0x80, 0x01][..], &[b'x'; 128]].concat();
    let longest = [&[0x0a, 0x7f][..], &[b'x'; 127]].concat();
    for (body, expected) in [
        (&[0x0a, 2, b'h', b'i', 0x08][..], Some(2..4)),
        (&[0x0a, 0], Some(2..2)),
        (&longest, Some(2..129)),
        (&long, None),
        (&[0x0a, 2, b'h'], None),
        (&[0x0a], None),
        (&[], None),
        (&[0x12, 2, b'h', b'i'], None),
        // The same tag in two bytes.
        (&[0x8a, 0x00, 0], None),
    ] {
        let mut fields = Fields::new(body, 0..body.len());
        assert_eq!(fields.next_short(0x0a), expected, "{body:?}");
        match expected {
            Some(range) => {
                assert_eq!(fields.at(), range.end);
                assert_eq!(Fields::new(body, 0..body.len()).next().unwrap(), Some((1, Value::Bytes(range))));
            }
            None => assert_eq!(fields.at(), 0),
        }
    }
}

#[test]
fn numbers_have_at_most_64_bits() {
    let most = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(fields(&most).unwrap(), [(1, Value::Varint(u64::MAX))]);
    for end in [&[0x02][..], &[0x80, 0x00], &[0xff, 0x01]] {
        assert_eq!(fields(&[&[0x08][..], &[0xff; 9], end].concat()), Err("a number has more than 64 bits"));
    }
    assert_eq!(fields(&[0x08, 0x80, 0x80, 0x00]).unwrap(), [(1, Value::Varint(0))]);
}

#[test]
fn what_ends_early_or_has_no_meaning_is_refused() {
    for (body, what) in [
        (&[0x08][..], "the message ends in a number"),
        (&[0x80], "the message ends in a number"),
        (&[0x09, 1, 2, 3, 4, 5, 6, 7], "the message ends in a number"),
        (&[0x0d, 1, 2, 3], "the message ends in a number"),
        (&[0x0a, 2, b'x'], "a field is longer than the message around it"),
        (
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            "a field is longer than the message around it",
        ),
        (&[0x0b, 0x0c], "a field has a wire type that is not in use (3, 4, 6 or 7)"),
        (&[0x0f], "a field has a wire type that is not in use (3, 4, 6 or 7)"),
        (&[0x00, 0x00], "a field has the number 0"),
    ] {
        assert_eq!(fields(body), Err(what), "{body:?}");
    }
}

#[test]
fn a_message_ends_where_its_range_does() {
    let body = [0x0a, 3, 0x08, 0x01, 0x08, 0x01];
    let mut inner = Fields::new(&body, 2..5);
    assert_eq!(inner.next().unwrap(), Some((1, Value::Varint(1))));
    assert_eq!(inner.next().unwrap_err().what, "the message ends in a number");
}
