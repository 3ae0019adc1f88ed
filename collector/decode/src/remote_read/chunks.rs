//! One `ChunkedSeries` of a frame: labels left where they are, chunks unpacked.

use std::ops::Range;

use model::batch::Sample;

use super::xor;
use crate::Error;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Decoder, wrong_type};

/// How the samples of a chunk are packed.
///
/// Source: `Chunk.Encoding` in Prometheus' `types.proto`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Xor,
    /// Native histograms, four ways.
    Histograms,
}

impl Encoding {
    fn of(number: u64) -> Result<Self, String> {
        match number {
            1 => Ok(Encoding::Xor),
            2 | 3 | 5 | 6 => Ok(Encoding::Histograms),
            _ => Err(format!("it has encoding {number}, which is not known: ask for samples instead of chunks")),
        }
    }
}

impl Decoder<'_> {
    /// Takes the `ChunkedSeries` at `range`.
    pub(super) fn chunked_series(&mut self, range: Range<usize>) -> Result<(), Error> {
        let before = self.begin_series();
        let mut has_histograms = false;
        let mut chunks = 0;
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = self.next_but_labels(&mut fields)? {
            match (number, value) {
                (2, Value::Bytes(range)) => {
                    chunks += 1;
                    match self.chunk(chunks, range)? {
                        Encoding::Xor => {}
                        Encoding::Histograms => has_histograms = true,
                    }
                }
                (1 | 2, _) => return Err(wrong_type("ChunkedSeries", number)),
                _ => {}
            }
        }
        if has_histograms {
            self.native_histograms.meet()?;
        }
        self.end_series(before)
    }

    /// Takes the `Chunk` at `range`, the `place`-th of its series, unless it has histograms.
    fn chunk(&mut self, place: usize, range: Range<usize>) -> Result<Encoding, Error> {
        let (mut encoding, mut data) = (0, 0..0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (3, Value::Varint(number)) => encoding = number,
                (4, Value::Bytes(range)) => data = range,
                (3 | 4, _) => return Err(wrong_type("Chunk", number)),
                // Its times say nothing that the samples do not say themselves.
                _ => {}
            }
        }
        let encoding = Encoding::of(encoding).map_err(|what| self.damaged_chunk(place, &what))?;
        if encoding == Encoding::Xor {
            let chunk = xor::Chunk::new(&self.body[data]).map_err(|damage| self.damaged_chunk(place, damage))?;
            self.count_rows(chunk.samples())?;
            let series = self.series_index();
            let samples = &mut self.batch.samples;
            let unpacked = chunk.unpack(|time_ms, bits| {
                samples.push(Sample { series, time_ms, value: f64::from_bits(bits) });
            });
            unpacked.map_err(|damage| self.damaged_chunk(place, damage))?;
        }
        Ok(encoding)
    }

    #[cold]
    fn damaged_chunk(&self, place: usize, what: &str) -> Error {
        Error::invalid(format!("chunk {place} of series {} cannot be read: {what}", self.shown_series()))
    }
}
