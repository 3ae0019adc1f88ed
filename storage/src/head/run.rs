//! The rows of one series: sealed chunks and an open tail, all of it packed.

use std::sync::Arc;

use model::time::sort_keep_last;

use super::chunk::{Chunk, Packer};
use super::runs::{PackedRun, Runs};
use super::settle::Carried;
use super::slots::Slot;
use crate::codec::TimeValue;
use crate::series::Series;

/// The tail is sealed at this many samples.
const SEAL_AT: usize = 64;

/// The list of chunks grows by one until it has so many.
const FEW_CHUNKS: usize = 8;

/// Samples of one series, as [`PackedRun`] tells.
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

    /// The samples whose time `leaves`, which share what is sealed of them, and the others. `None` if some of the former come
    /// behind one that stays, or times do not ascend: as they mostly come, they do.
    fn split_in_order(&self, leaves: impl Fn(i64) -> bool) -> Option<(Self, Self)> {
        let (mut latest_ms, mut is_in_order, mut has_stayed) = (None, true, false);
        let mut is_of_front = |time_ms| {
            let is_leaving = leaves(time_ms);
            is_in_order &= latest_ms < Some(time_ms) && !(is_leaving && has_stayed);
            latest_ms = Some(time_ms);
            has_stayed |= !is_leaving;
            is_leaving
        };
        let mut all = Vec::with_capacity(self.len());
        let mut chunks = Vec::with_capacity(self.chunks.len() + 1);
        chunks.extend(self.chunks.iter().map(|chunk| chunk.unpack_front(&mut all, &mut is_of_front)));
        chunks.push(self.tail.unpack_front(&mut all, &mut is_of_front));
        if !is_in_order {
            return None;
        }
        chunks.retain(|chunk| chunk.len() > 0);
        chunks.shrink_to_fit();
        let left = chunks.iter().map(Chunk::len).sum();
        let (leave, stay) = all.split_at_checked(left)?;
        let bounds = leave.first().zip(leave.last()).map_or((0, 0), |(first, last)| (first.0, last.0));
        Some((Run { chunks, tail: Packer::default(), min_ms: bounds.0, max_ms: bounds.1 }, Run::of(stay)))
    }

    /// The same samples with the open tail sealed as well, for a copy that is to be kept: without the tail's spare room.
    pub(crate) fn sealed(mut self) -> Self {
        let mut tail = std::mem::take(&mut self.tail);
        if tail.len() > 0 {
            self.chunks.push(tail.seal());
        }
        self
    }

    /// Bytes that a sealed copy of a run does not share with it: the last chunk, which was the tail.
    pub(crate) fn own_bytes(&self) -> usize {
        self.chunks.len() * size_of::<Chunk>() + self.chunks.last().map_or(0, Chunk::memory_bytes)
    }
}

impl PackedRun for Run {
    /// The bits of the sample's value.
    type Value = u64;

    fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum::<usize>() + self.tail.len()
    }

    fn range(&self) -> Option<(i64, i64)> {
        (!self.chunks.is_empty() || self.tail.len() > 0).then_some((self.min_ms, self.max_ms))
    }

    fn memory_bytes(&self) -> i64 {
        let chunks: usize = self.chunks.iter().map(Chunk::memory_bytes).sum();
        (chunks + self.tail.memory_bytes()) as i64
    }

    fn read(&self, out: &mut Vec<TimeValue>) {
        out.clear();
        for chunk in &self.chunks {
            chunk.unpack(out);
        }
        self.tail.unpack(out);
        sort_keep_last(out);
    }

    fn split(&self, leaves: impl Fn(i64) -> bool) -> (Self, Self) {
        if let Some(split) = self.split_in_order(&leaves) {
            return split;
        }
        let mut all = Vec::with_capacity(self.len());
        self.read(&mut all);
        let (leave, stay): (Vec<_>, Vec<_>) = all.into_iter().partition(|(time_ms, _)| leaves(*time_ms));
        (Run::of(&leave), Run::of(&stay))
    }

    fn append(&mut self, later: &Self) {
        let mut samples = Vec::new();
        later.read(&mut samples);
        for sample in samples {
            self.push(sample);
        }
    }

    fn carry(&self, series: &Arc<Series>, carried: &mut Carried) {
        let mut samples = Vec::new();
        self.read(&mut samples);
        carried.samples(series, &samples);
    }

    fn of_slot(slot: &mut Slot) -> Option<&mut Runs<Self>> {
        Some(&mut slot.samples)
    }
}

#[cfg(test)]
mod tests;
