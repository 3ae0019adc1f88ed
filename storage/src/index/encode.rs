//! Writing the bytes of an index; docs/formats/series-index.md has them one by one.

use model::{Error, ErrorKind};
use roaring::RoaringBitmap;

use super::postings::{self, Postings};
use super::select::Label;
use super::{MAGIC, VERSION};
use crate::codec::put_varint;

/// Writes the index of `rows` rows, with the labels in ascending order of their names.
pub(super) fn encode<'a>(
    rows: u32,
    labels: impl ExactSizeIterator<Item = (&'a str, impl Label<'a>)>,
) -> Result<Vec<u8>, Error> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    put_varint(&mut bytes, u64::from(rows));
    put_varint(&mut bytes, labels.len() as u64);
    for (name, label) in labels {
        put_varint(&mut bytes, name.len() as u64);
        bytes.extend_from_slice(name.as_bytes());
        let values = label.values();
        put_varint(&mut bytes, label.count() as u64);
        let mut before: &str = "";
        for (value, postings) in values {
            let shared = shared_bytes(before, value);
            bytes.push(shared);
            let rest = &value.as_bytes()[usize::from(shared)..];
            put_varint(&mut bytes, rest.len() as u64);
            bytes.extend_from_slice(rest);
            put_postings(postings, &mut bytes);
            before = value;
        }
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::new(ErrorKind::TooLarge, "series index of a block takes more than 4 GiB"));
    }
    Ok(bytes)
}

/// How many bytes two values share at their front, at most 255 and never a part of a character.
fn shared_bytes(before: &str, value: &str) -> u8 {
    let same = before.bytes().zip(value.bytes()).take(255).take_while(|(a, b)| a == b).count();
    value.floor_char_boundary(same) as u8
}

fn put_postings(postings: Postings<'_>, bytes: &mut Vec<u8>) {
    match postings {
        Postings::One(ordinal) => postings::encode(std::iter::once((ordinal, ordinal)), bytes),
        Postings::Bitmap(bitmap) => postings::encode(runs(bitmap), bytes),
        Postings::Encoded(encoded) => postings::encode(postings::Runs::new(encoded), bytes),
    }
}

fn runs(bitmap: &RoaringBitmap) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
    let mut ordinals = bitmap.iter();
    std::iter::from_fn(move || ordinals.next_range().map(|range| (*range.start(), *range.end())))
}
