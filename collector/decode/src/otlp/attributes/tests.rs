use super::*;
use crate::otlp::tests::{attribute, message};

type Pair = (String, String);

/// Name and value of an attribute, by the short way if it goes that far, and by the other.
fn both(bytes: &[u8]) -> (Option<Pair>, Result<Pair, Fault>) {
    let limits = Limits::default();
    let mut row = Attributes::default();
    let any = RowAttributes::new(bytes, &limits).push_any(0..bytes.len(), &mut row);
    row.end_row();
    let pair = row.row(0).next().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let short = short_pair(bytes).map(|(name, value)| (name.to_owned(), value.to_owned()));
    (short, any.map(|()| pair.unwrap_or_default()))
}

#[test]
fn the_short_way_reads_the_same_or_nothing() {
    for (key, value) in [(&b""[..], &b""[..]), (b"k", b"v"), ("ä".as_bytes(), "€".as_bytes()), (b"k", &[b'x'; 121])]
    {
        let (short, any) = both(&attribute(key, value));
        let expected = (String::from_utf8_lossy(key).into_owned(), String::from_utf8_lossy(value).into_owned());
        assert_eq!((short, any.unwrap()), (Some(expected.clone()), expected));
    }
    for bytes in [
        attribute(b"k", &[b'x'; 126]),
        attribute(b"k", b"\xff"),
        attribute(b"\xc3", b"\xa4"),
        message(1, b"k"),
        [attribute(b"k", b"v"), message(3, b"")].concat(),
        [message(2, &message(1, b"v")), message(1, b"k")].concat(),
        [message(1, b"k"), message(2, &[message(1, b"v"), message(1, b"w")].concat())].concat(),
        [message(1, b"k"), message(2, &[3 << 3, 7])].concat(),
        vec![0x0a, 5, b'k'],
        vec![0x0a],
        vec![],
    ] {
        assert_eq!(both(&bytes).0, None, "{bytes:?}");
    }
    // Each byte of a good one changed to each other.
    let good = attribute(b"key", "wört".as_bytes());
    for at in 0..good.len() {
        for byte in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = byte;
            if let (Some(short), any) = both(&bytes) {
                assert_eq!(short, any.unwrap(), "{bytes:?}");
            }
        }
    }
}
