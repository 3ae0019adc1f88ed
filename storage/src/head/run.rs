//! The rows of one series: sealed chunks and an open tail, all of it packed.

use super::chunk::{Chunk, Packer};
use crate::codec::TimeValue;

/// The tail is sealed at this many samples.
const SEAL_AT: usize = 64;

/// The list of chunks grows by one until it has so many.
const FEW_CHUNKS: usize = 8;

/// Rows of one series in the order in which they were applied: of two with the same time the later one counts.
#[derive(Debug, Default, Clone)]
pub(crate) struct Run {
    chunks: Vec<Chunk>,
    tail: Packer,
    /// The earliest and the latest time in milliseconds, if there is a sample.
    min_ms: i64,
    max_ms: i64,
}

impl Run {
    /// Adds a sample and returns by how many bytes the run grew.
    pub(crate) fn push(&mut self, sample: TimeValue) -> i64 {
        let before = self.tail.memory_bytes();
        let (min_ms, max_ms) = self.range().unwrap_or((sample.0, sample.0));
        (self.min_ms, self.max_ms) = (min_ms.min(sample.0), max_ms.max(sample.0));
        self.tail.push(sample);
        let mut grown = self.tail.memory_bytes() - before;
        if self.tail.len() >= SEAL_AT {
            let chunk = self.tail.seal();
            grown += chunk.memory_bytes();
            if self.chunks.len() < FEW_CHUNKS {
                // Most runs have one or two.
                self.chunks.reserve_exact(1);
            }
            self.chunks.push(chunk);
        }
        grown as i64
    }

    /// The last byte of the open tail; 0 if it is empty.
    pub(crate) fn last_byte(&self) -> u8 {
        self.tail.last_byte()
    }

    /// A run of these samples, which are sorted by time.
    pub(crate) fn of(samples: &[TimeValue]) -> Self {
        let mut run = Run::default();
        for sample in samples {
            run.push(*sample);
        }
        run
    }

    /// The same samples with the open tail sealed as well, for a copy that is to be kept: without the tail's spare room.
    pub(crate) fn sealed(mut self) -> Self {
        let mut tail = std::mem::take(&mut self.tail);
        if tail.len() > 0 {
            self.chunks.push(tail.seal());
        }
        self
    }

    /// The samples whose time `leaves`, which shares what is sealed of them; `all` gets all samples. `None` if some of them
    /// come behind one that stays, or times do not ascend.
    pub(crate) fn leaving(&self, leaves: impl Fn(i64) -> bool, all: &mut Vec<TimeValue>) -> Option<Self> {
        all.clear();
        let (mut leaving, mut left) = (Run::default(), 0);
        let mut take = |chunk: Chunk| {
            left += chunk.len();
            if chunk.len() > 0 {
                leaving.chunks.reserve_exact(1);
                leaving.chunks.push(chunk);
            }
        };
        for chunk in &self.chunks {
            take(chunk.unpack_first(all, &leaves));
        }
        take(self.tail.unpack_first(all, &leaves));
        let (first, others) = all.split_at_checked(left)?;
        let ascends = all.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !ascends || !first.iter().all(|sample| leaves(sample.0)) || others.iter().any(|sample| leaves(sample.0)) {
            return None;
        }
        (leaving.min_ms, leaving.max_ms) = (first.first().map_or(0, |one| one.0), first.last().map_or(0, |one| one.0));
        Some(leaving)
    }

    /// Bytes that a sealed copy of a run does not share with it: the last chunk, which was the tail.
    pub(crate) fn own_bytes(&self) -> usize {
        self.chunks.len() * size_of::<Chunk>() + self.chunks.last().map_or(0, Chunk::memory_bytes)
    }

    /// How many samples were pushed.
    pub(crate) fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum::<usize>() + self.tail.len()
    }

    /// Whether there is no sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.tail.len() == 0
    }

    /// The earliest and the latest time in milliseconds.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        (!self.is_empty()).then_some((self.min_ms, self.max_ms))
    }

    /// Bytes of memory taken.
    pub(crate) fn memory_bytes(&self) -> i64 {
        let chunks: usize = self.chunks.iter().map(Chunk::memory_bytes).sum();
        (chunks + self.tail.memory_bytes()) as i64
    }

    /// Puts the samples into `out`: sorted by time, each time once, the value that was applied last.
    pub(crate) fn read(&self, out: &mut Vec<TimeValue>) {
        out.clear();
        for chunk in &self.chunks {
            chunk.unpack(out);
        }
        self.tail.unpack(out);
        if out.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return;
        }
        out.sort_by_key(|sample| sample.0);
        // Of equal times the last is kept: dedup_by drops its first argument, so the value moves forward first.
        out.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
    }
}

#[cfg(test)]
mod tests;
