//! Writing the bytes of an index; docs/formats/series-index.md has them one by one.

use model::{Error, ErrorKind};

use super::postings;
use super::{MAGIC, VERSION};
use crate::codec::put_varint;

/// Writes an index: each label with the number of its values, then these values.
#[derive(Debug)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
    /// The value written last.
    before: String,
}

impl Encoder {
    /// Begins the index of so many rows with so many labels, which follow in ascending order of their names.
    pub(super) fn new(rows: u32, labels: usize) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        put_varint(&mut bytes, u64::from(rows));
        put_varint(&mut bytes, labels as u64);
        Encoder { bytes, before: String::new() }
    }

    /// Begins a label of so many values, which follow in ascending order.
    pub(super) fn label(&mut self, name: &str, values: usize) {
        put_varint(&mut self.bytes, name.len() as u64);
        self.bytes.extend_from_slice(name.as_bytes());
        put_varint(&mut self.bytes, values as u64);
        self.before.clear();
    }

    /// Writes a value and the rows that have it, ascending.
    pub(super) fn value(&mut self, value: &str, rows: &[u32]) {
        let shared = shared_bytes(&self.before, value);
        self.bytes.push(shared);
        let rest = &value.as_bytes()[usize::from(shared)..];
        put_varint(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest);
        postings::encode(runs(rows), &mut self.bytes);
        self.before.clear();
        self.before.push_str(value);
    }

    /// The bytes.
    ///
    /// # Errors
    /// `TooLarge` if they are more than 4 GiB.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Error> {
        let crc = crc32c::crc32c(&self.bytes);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        if u32::try_from(self.bytes.len()).is_err() {
            return Err(Error::new(ErrorKind::TooLarge, "series index of a block takes more than 4 GiB"));
        }
        Ok(self.bytes)
    }
}

/// How many bytes two values share at their front, at most 255 and never a part of a character.
fn shared_bytes(before: &str, value: &str) -> u8 {
    let same = before.bytes().zip(value.bytes()).take(255).take_while(|(a, b)| a == b).count();
    value.floor_char_boundary(same) as u8
}

/// The runs of ascending numbers, each (first, last).
fn runs(rows: &[u32]) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
    let runs = rows.chunk_by(|row, next| row + 1 == *next);
    runs.filter_map(|run| Some((*run.first()?, *run.last()?)))
}
