//! A sealed run of samples of one series: compressed, immutable, shared with snapshots.

use std::sync::Arc;

use crate::codec::{Reader, TimeDecoder, TimeEncoder, TimeValue, ValueDecoder, ValueEncoder};

/// Samples of one series in the order in which they were applied, packed.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    bytes: Arc<[u8]>,
    len: u32,
}

impl Chunk {
    /// Packs samples.
    pub(crate) fn seal(samples: &[TimeValue]) -> Self {
        let mut bytes = Vec::with_capacity(samples.len() * 4);
        let (mut times, mut values) = (TimeEncoder::default(), ValueEncoder::default());
        for (time_ms, bits) in samples {
            times.put(&mut bytes, *time_ms);
            values.put(&mut bytes, *bits);
        }
        Chunk { bytes: Arc::from(bytes), len: samples.len() as u32 }
    }

    /// Appends the samples to `out`.
    pub(crate) fn unpack(&self, out: &mut Vec<TimeValue>) {
        out.reserve(self.len as usize);
        let mut reader = Reader::new(&self.bytes);
        let (mut times, mut values) = (TimeDecoder::default(), ValueDecoder::default());
        for _ in 0..self.len {
            // These bytes never left memory, so they read as they were written.
            let (Ok(time_ms), Ok(bits)) = (times.take(&mut reader), values.take(&mut reader)) else { break };
            out.push((time_ms, bits));
        }
    }

    /// Bytes of memory taken.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.len() + 16 + size_of::<Self>()
    }
}
