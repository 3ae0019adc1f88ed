//! The native histograms of one series, packed.

use std::sync::Arc;

use model::NativeHistogram;
use model::time::sort_keep_last;

use super::runs::{PackedRun, Runs};
use super::settle::Carried;
use super::slots::Slot;
use crate::codec::{Reader, TimeDecoder, TimeEncoder};
use crate::histogram::{HistogramDecoder, HistogramEncoder};
use crate::series::Series;

/// One histogram with its time in milliseconds.
pub(crate) type TimeHistogram = (i64, NativeHistogram);

/// Native histograms of one series, as [`PackedRun`] tells.
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
}

impl PackedRun for HistogramRun {
    type Value = NativeHistogram;

    fn len(&self) -> usize {
        self.len as usize
    }

    fn range(&self) -> Option<(i64, i64)> {
        (self.len > 0).then_some((self.min_ms, self.max_ms))
    }

    fn memory_bytes(&self) -> i64 {
        (self.bytes.capacity() + self.histograms.memory_bytes()) as i64
    }

    fn read(&self, out: &mut Vec<TimeHistogram>) {
        out.clear();
        out.reserve(self.len());
        let mut reader = Reader::new(&self.bytes);
        let (mut times, mut histograms) = (TimeDecoder::default(), HistogramDecoder::default());
        for _ in 0..self.len {
            // These bytes never left memory, so they read as they were written.
            let (Ok(time_ms), Ok(histogram)) = (times.take(&mut reader), histograms.take(&mut reader)) else { break };
            out.push((time_ms, histogram));
        }
        sort_keep_last(out);
    }

    fn split(&self, leaves: impl Fn(i64) -> bool) -> (Self, Self) {
        let mut all = Vec::new();
        self.read(&mut all);
        let (mut leave, mut stay) = (HistogramRun::default(), HistogramRun::default());
        for (time_ms, histogram) in &all {
            if leaves(*time_ms) { &mut leave } else { &mut stay }.push(*time_ms, histogram);
        }
        (leave, stay)
    }

    fn append(&mut self, later: &Self) {
        let mut histograms = Vec::new();
        later.read(&mut histograms);
        for (time_ms, histogram) in &histograms {
            self.push(*time_ms, histogram);
        }
    }

    fn carry(&self, series: &Arc<Series>, carried: &mut Carried) {
        let mut histograms = Vec::new();
        self.read(&mut histograms);
        carried.histograms(series, histograms);
    }

    fn of_slot(slot: &mut Slot) -> Option<&mut Runs<Self>> {
        slot.histograms.as_deref_mut()
    }
}
