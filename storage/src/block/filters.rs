//! Bloom filters beside the rows of `logs` and `spans`: whether a stretch of rows may have a trace, or a word in its lines.
//!
//! Owns: what is in a filter and how it is asked, its bytes in a file (docs/formats/blocks.md).
//! Does not own: what a word is (`words`), when which filter is asked (`query`).
//!
//! A filter holds hashes of 64 bits; six places follow from each by double hashing. With 12 bits for each hash one in 270 that
//! is not there seems to be.
//!
//! Source: Kirsch and Mitzenmacher, "Less Hashing, Same Performance: Building a Better Bloom Filter", 2006

pub mod words;

use bytes::Bytes;
use hashbrown::HashSet;
use model::{Error, ErrorKind};
use parquet::file::metadata::ParquetMetaData;
use xxhash_rust::xxh3::xxh3_64;

use super::file::embedded;

/// Rows of a file that one filter is of.
pub const STRETCH_ROWS: usize = 16 << 10;
/// The version of the bytes.
pub(crate) const VERSION: u8 = 1;
/// What the bytes begin with.
const MAGIC: [u8; 4] = *b"FSBF";
const BITS_PER_HASH: usize = 12;
const PLACES: u64 = 6;

/// What filters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterKind {
    /// Of the ids of traces.
    Traces,
    /// Of the words of lines.
    Words,
}

impl FilterKind {
    /// The key in the footer under which it says where they are.
    pub(crate) fn footer_key(self) -> &'static str {
        match self {
            FilterKind::Traces => "fleetscope.trace_filters",
            FilterKind::Words => "fleetscope.word_filters",
        }
    }
}

/// The hash of what a filter may have.
pub fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// Makes the filters of a file, stretch by stretch.
#[derive(Debug, Default)]
pub(crate) struct FiltersBuilder {
    hashes: HashSet<u64, BuildPlain>,
    /// The hashes that came last, by their lowest bits: most come again and again.
    recent: Vec<u64>,
    /// The length of each filter, in words of 64 bits.
    lengths: Vec<u32>,
    bits: Vec<u64>,
}

/// Hashes of hashes: they are as they are.
#[derive(Debug, Default, Clone, Copy)]
struct Plain(u64);
type BuildPlain = std::hash::BuildHasherDefault<Plain>;

impl std::hash::Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl FiltersBuilder {
    const RECENT: usize = 1 << 12;

    /// Adds a hash to the stretch at hand.
    #[inline]
    pub(crate) fn add(&mut self, hash: u64) {
        if self.recent.is_empty() {
            self.recent.resize(Self::RECENT, 0);
        }
        let recent = &mut self.recent[hash as usize % Self::RECENT];
        if *recent != hash {
            *recent = hash;
            self.hashes.insert(hash);
        }
    }

    /// Ends the stretch at hand and begins the next.
    pub(crate) fn end_stretch(&mut self) {
        let words = (self.hashes.len() * BITS_PER_HASH).div_ceil(64);
        let start = self.bits.len();
        self.bits.resize(start + words, 0);
        let filter = &mut self.bits[start..];
        for hash in self.hashes.drain() {
            places(hash, words as u64 * 64).for_each(|place| filter[(place / 64) as usize] |= 1 << (place % 64));
        }
        self.lengths.push(words as u32);
        self.recent.fill(0);
    }

    /// The bytes of all filters.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + self.lengths.len() * 4 + self.bits.len() * 8);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(STRETCH_ROWS as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.lengths.len() as u32).to_le_bytes());
        self.lengths.iter().for_each(|length| bytes.extend_from_slice(&length.to_le_bytes()));
        self.bits.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes
    }
}

/// The places of a hash among so many bits.
fn places(hash: u64, bits: u64) -> impl Iterator<Item = u64> {
    // An even step would visit half of the places at most.
    let step = hash.rotate_left(32) | 1;
    (0..PLACES).map(move |n| hash.wrapping_add(step.wrapping_mul(n)) % bits.max(1))
}

/// The filters of a file.
#[derive(Debug)]
pub struct Filters {
    bytes: Bytes,
    stretch_rows: usize,
    /// Where each begins and ends in the bytes.
    ends: Vec<(usize, usize)>,
}

impl Filters {
    /// Reads the bytes that the builder made.
    ///
    /// # Errors
    /// `Corrupt` if they are no such bytes.
    pub(crate) fn decode(bytes: Bytes) -> Result<Self, Error> {
        let damaged = |what: &str| Error::new(ErrorKind::Corrupt, format!("filters are damaged: {what}"));
        let number = |at: usize| {
            let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
            four.map(|four| u32::from_le_bytes(four) as usize).ok_or_else(|| damaged("they end too early"))
        };
        if bytes.get(..4) != Some(&MAGIC[..]) {
            return Err(damaged("they begin with something else"));
        }
        let (stretch_rows, count) = (number(4)?, number(8)?);
        if stretch_rows == 0 || count > bytes.len() / 4 {
            return Err(damaged("they are too many, or of no rows"));
        }
        let mut at = 12 + 4 * count;
        let mut ends = Vec::with_capacity(count);
        for place in 0..count {
            let end = at + 8 * number(12 + 4 * place)?;
            ends.push((at, end));
            at = end;
        }
        if at != bytes.len() {
            return Err(damaged("their length is another"));
        }
        Ok(Filters { bytes, stretch_rows, ends })
    }

    /// How many rows of the file each filter is of; the last may be of fewer.
    pub fn stretch_rows(&self) -> usize {
        self.stretch_rows
    }

    /// How many filters there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether a stretch may have what has this [`hash`]. Sometimes it says so though it has not, but never the reverse.
    pub fn may_have(&self, stretch: usize, hash: u64) -> bool {
        let Some((start, end)) = self.ends.get(stretch) else { return true };
        let filter = &self.bytes[*start..*end];
        !filter.is_empty()
            && places(hash, filter.len() as u64 * 8).all(|place| filter[(place / 8) as usize] & 1 << (place % 8) != 0)
    }

    /// Bytes of memory taken.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.len() + self.ends.capacity() * 16
    }
}

/// Where in a file of so many bytes the filters are, if its footer says that it has some.
///
/// # Errors
/// `Corrupt` if it says so in other words than ours, or of another version.
pub(crate) fn range(
    footer: &ParquetMetaData,
    kind: FilterKind,
    file_bytes: u64,
) -> Result<Option<std::ops::Range<u64>>, Error> {
    let Some((offset, length)) = embedded(footer, kind.footer_key(), VERSION)? else { return Ok(None) };
    let (start, end) = (offset as u64, (offset as u64).saturating_add(length as u64));
    if end > file_bytes {
        let what = format!("{} are said to end at byte {end} of {file_bytes}", kind.footer_key());
        return Err(Error::new(ErrorKind::Corrupt, what));
    }
    Ok(Some(start..end))
}

#[cfg(test)]
mod tests;
