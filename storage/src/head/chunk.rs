//! Samples of one series, packed: while they come, and sealed, which snapshots share.

use std::sync::Arc;

use crate::codec::{Reader, TimeDecoder, TimeEncoder, TimeValue, ValueDecoder, ValueEncoder};

/// A packed sample has at most so many bytes.
const SAMPLE_BYTES: usize = 20;
/// Room is made for so many bytes at least.
const ROOM_BYTES: usize = 48;

/// Packs samples of one series as they come.
#[derive(Debug, Default, Clone)]
pub(super) struct Packer {
    times: TimeEncoder,
    values: ValueEncoder,
    bytes: Vec<u8>,
    len: u32,
}

impl Packer {
    /// Adds a sample.
    pub(super) fn push(&mut self, (time_ms, bits): TimeValue) {
        if self.bytes.capacity() - self.bytes.len() < SAMPLE_BYTES {
            // There is one for each series: grown to twice its size as usual, half of them all would lie idle.
            self.bytes.reserve_exact(ROOM_BYTES.max(self.bytes.len() / 4));
        }
        self.times.put(&mut self.bytes, time_ms);
        self.values.put(&mut self.bytes, bits);
        self.len += 1;
    }

    /// How many samples were added since the last [`Packer::seal`].
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The last byte; 0 if there is none.
    pub(super) fn last_byte(&self) -> u8 {
        self.bytes.last().copied().unwrap_or_default()
    }

    /// Takes the samples out. Their room is kept for the next ones.
    pub(super) fn seal(&mut self) -> Chunk {
        let chunk = Chunk { bytes: Arc::from(self.bytes.as_slice()), len: self.len };
        self.bytes.clear();
        (self.times, self.values, self.len) = Default::default();
        chunk
    }

    /// Appends the samples to `out`.
    pub(super) fn unpack(&self, out: &mut Vec<TimeValue>) {
        unpack(&self.bytes, self.len(), out, &mut |_| true);
    }

    /// Appends the samples to `out`; returns those before the first whose time is not `is_of_front`, which is asked of all.
    pub(super) fn unpack_front(&self, out: &mut Vec<TimeValue>, is_of_front: &mut impl FnMut(i64) -> bool) -> Chunk {
        let front = unpack(&self.bytes, self.len(), out, is_of_front);
        Chunk { bytes: Arc::from(&self.bytes[..front.bytes]), len: front.samples }
    }

    /// Bytes of memory taken.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Samples of one series in the order in which they were applied, packed, immutable.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    bytes: Arc<[u8]>,
    len: u32,
}

impl Chunk {
    /// How many samples there are.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Appends the samples to `out`.
    pub(super) fn unpack(&self, out: &mut Vec<TimeValue>) {
        unpack(&self.bytes, self.len(), out, &mut |_| true);
    }

    /// Whether both are one piece of memory.
    #[cfg(test)]
    pub(super) fn shares(&self, other: &Chunk) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    /// Appends the samples to `out`; returns those before the first whose time is not `is_of_front`, which is asked of all;
    /// shared if none stays behind.
    pub(super) fn unpack_front(&self, out: &mut Vec<TimeValue>, is_of_front: &mut impl FnMut(i64) -> bool) -> Chunk {
        let front = unpack(&self.bytes, self.len(), out, is_of_front);
        match front.samples == self.len {
            true => self.clone(),
            // Each sample is told by those before it, so the front of a chunk is one.
            false => Chunk { bytes: Arc::from(&self.bytes[..front.bytes]), len: front.samples },
        }
    }

    /// Bytes of memory taken.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + 16 + size_of::<Self>()
    }
}

/// A part of a chunk from its beginning.
struct Front {
    samples: u32,
    bytes: usize,
}

/// Appends all samples to `out`; returns the part before the first whose time is not `is_of_front`, which is asked of all.
fn unpack(bytes: &[u8], len: usize, out: &mut Vec<TimeValue>, is_of_front: &mut impl FnMut(i64) -> bool) -> Front {
    out.reserve(len);
    let mut reader = Reader::new(bytes);
    let (mut times, mut values) = (TimeDecoder::default(), ValueDecoder::default());
    let (mut front, mut is_front) = (Front { samples: 0, bytes: 0 }, true);
    for _ in 0..len {
        // These bytes never left memory, so they read as they were written.
        let (Ok(time_ms), Ok(bits)) = (times.take(&mut reader), values.take(&mut reader)) else { break };
        is_front &= is_of_front(time_ms);
        if is_front {
            front = Front { samples: front.samples + 1, bytes: bytes.len() - reader.left() };
        }
        out.push((time_ms, bits));
    }
    front
}
