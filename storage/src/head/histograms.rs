//! The native histograms of one series: those in the live head, and what cuts have taken.

use std::sync::Arc;

use model::NativeHistogram;

use crate::codec::{Reader, TimeDecoder, TimeEncoder};
use crate::histogram::{HistogramDecoder, HistogramEncoder};

/// One histogram with its time in milliseconds.
pub(crate) type TimeHistogram = (i64, NativeHistogram);

/// The histograms of a series that has some.
#[derive(Debug, Default)]
pub(super) struct Histograms {
    /// Those that no cut has taken yet.
    pub(super) live: HistogramRun,
    /// What a cut has taken and a snapshot may still need, by the cut's number.
    pub(super) frozen: Vec<(u64, Arc<HistogramRun>)>,
}

impl Histograms {
    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.frozen.is_empty()
    }

    /// The runs that a snapshot sees whose blocks reach up to cut `committed`, the oldest first.
    pub(super) fn visible(&self, committed: u64) -> impl Iterator<Item = &HistogramRun> {
        let frozen = self.frozen.iter().filter(move |(cut, _)| *cut > committed).map(|(_, run)| run.as_ref());
        frozen.chain(Some(&self.live).filter(|run| !run.is_empty()))
    }
}

/// Histograms of one series, packed, in the order in which they were applied: of two with the same time the later counts.
#[derive(Debug, Default, Clone)]
pub(crate) struct HistogramRun {
    bytes: Vec<u8>,
    len: u32,
    times: TimeEncoder,
    histograms: HistogramEncoder,
    min_ms: i64,
    max_ms: i64,
}

impl HistogramRun {
    /// Histograms sorted by time.
    pub(super) fn of<'a>(histograms: impl IntoIterator<Item = &'a TimeHistogram>) -> Self {
        let mut run = HistogramRun::default();
        for (time_ms, histogram) in histograms {
            run.push(*time_ms, histogram);
        }
        run
    }

    /// Adds a histogram and returns by how many bytes the run grew.
    pub(super) fn push(&mut self, time_ms: i64, histogram: &NativeHistogram) -> i64 {
        let before = self.memory_bytes();
        let (min_ms, max_ms) = self.range().unwrap_or((time_ms, time_ms));
        (self.min_ms, self.max_ms) = (min_ms.min(time_ms), max_ms.max(time_ms));
        self.times.put(&mut self.bytes, time_ms);
        self.histograms.put(&mut self.bytes, histogram);
        self.len += 1;
        self.memory_bytes() - before
    }

    /// How many histograms were pushed.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The earliest and the latest time in milliseconds.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        (!self.is_empty()).then_some((self.min_ms, self.max_ms))
    }

    /// Bytes of memory taken.
    pub(super) fn memory_bytes(&self) -> i64 {
        (self.bytes.capacity() + self.histograms.memory_bytes()) as i64
    }

    /// The histograms sorted by time, each time once, the one that was applied last.
    pub(crate) fn read(&self) -> Vec<TimeHistogram> {
        let mut reader = Reader::new(&self.bytes);
        let (mut times, mut histograms) = (TimeDecoder::default(), HistogramDecoder::default());
        let mut found: Vec<TimeHistogram> = Vec::with_capacity(self.len());
        for _ in 0..self.len {
            // These bytes never left memory, so they read as they were written.
            let (Ok(time_ms), Ok(histogram)) = (times.take(&mut reader), histograms.take(&mut reader)) else { break };
            found.push((time_ms, histogram));
        }
        if found.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return found;
        }
        found.sort_by_key(|(time_ms, _)| *time_ms);
        // Of equal times the last is kept: dedup_by drops its first argument, so the later one moves forward first.
        found.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            same
        });
        found
    }
}
