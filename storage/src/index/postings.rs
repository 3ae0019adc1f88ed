//! A sorted set of ordinals in bytes: a list of gaps or a list of runs, whichever is shorter.
//!
//! `header` (count * 2 + form), then `count` entries: form 0, a gap; form 1, a gap and a length minus one. A gap counts
//! from the ordinal after the previous entry. All numbers are LEB128.

use roaring::RoaringBitmap;

use crate::codec::put_varint;

/// Takes a number that fits 32 bits off the front.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok();
        }
    }
    None
}

/// Takes the first half of a posting list off the front: whether it is of runs, and how many entries follow.
pub(super) fn take_header(bytes: &mut &[u8]) -> Option<(bool, u32)> {
    let header = take(bytes)?;
    Some((header & 1 == 1, header >> 1))
}

/// Appends a set given as its runs, each (first, last), ascending and apart.
pub(super) fn encode(runs: impl Iterator<Item = (u32, u32)> + Clone, bytes: &mut Vec<u8>) {
    let (mut count, mut ordinals) = (0u64, 0u64);
    for (first, last) in runs.clone() {
        count += 1;
        ordinals += u64::from(last - first) + 1;
    }
    // A list spends at least a byte per ordinal, a run at least two: near enough to choose without trying both.
    let as_runs = count * 2 < ordinals;
    put_varint(bytes, if as_runs { count << 1 | 1 } else { ordinals << 1 });
    let mut next = 0u64;
    for (first, last) in runs {
        put_varint(bytes, u64::from(first) - next);
        let more = u64::from(last - first);
        if as_runs {
            put_varint(bytes, more);
        } else {
            bytes.extend((0..more).map(|_| 0u8));
        }
        next = u64::from(last) + 1;
    }
}

/// The runs of an encoded set, each (first, last); ends early at bytes that make no sense.
#[derive(Clone)]
pub(super) struct Runs<'a> {
    bytes: &'a [u8],
    of_runs: bool,
    left: u32,
    next: u64,
}

impl<'a> Runs<'a> {
    /// Reads the set at the front of `bytes`.
    pub(super) fn new(mut bytes: &'a [u8]) -> Self {
        let (of_runs, left) = take_header(&mut bytes).unwrap_or((false, 0));
        Runs { bytes, of_runs, left, next: 0 }
    }

    /// How many entries have not been read, and the bytes after those that have.
    pub(super) fn rest(&self) -> (u32, &'a [u8]) {
        (self.left, self.bytes)
    }

    fn entry(&mut self) -> Option<(u32, u32)> {
        let first = u32::try_from(self.next + u64::from(take(&mut self.bytes)?)).ok()?;
        let more = if self.of_runs { take(&mut self.bytes)? } else { 0 };
        let last = first.checked_add(more)?;
        self.next = u64::from(last) + 1;
        Some((first, last))
    }
}

impl Iterator for Runs<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        if self.left == 0 {
            return None;
        }
        let entry = self.entry()?;
        self.left -= 1;
        Some(entry)
    }
}

/// A set of ordinals, wherever it lies.
#[derive(Clone, Copy)]
pub(super) enum Postings<'a> {
    /// As [`encode`] writes it, checked when the index was opened.
    Encoded(&'a [u8]),
    /// A single ordinal.
    One(u32),
    /// A set in memory.
    Bitmap(&'a RoaringBitmap),
}

impl Postings<'_> {
    /// Adds the ordinals to a set.
    pub(super) fn add_to(&self, set: &mut RoaringBitmap) {
        match self {
            Postings::Encoded(bytes) => Runs::new(bytes).for_each(|(first, last)| {
                if first == last {
                    set.insert(first);
                } else {
                    set.insert_range(first..=last);
                }
            }),
            Postings::One(ordinal) => {
                set.insert(*ordinal);
            }
            Postings::Bitmap(bitmap) => *set |= *bitmap,
        }
    }

    /// Whether an ordinal is also in `set`.
    pub(super) fn meets(&self, set: &RoaringBitmap) -> bool {
        match self {
            Postings::Encoded(bytes) => Runs::new(bytes).any(|(first, last)| {
                if first == last { set.contains(first) } else { set.range_cardinality(first..=last) > 0 }
            }),
            Postings::One(ordinal) => set.contains(*ordinal),
            Postings::Bitmap(bitmap) => !bitmap.is_disjoint(set),
        }
    }
}
