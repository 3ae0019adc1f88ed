//! One `ChunkedSeries` of a frame: labels left where they are, chunks unpacked.

use std::ops::Range;

use model::batch::Sample;

use super::xor;
use crate::Error;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Decoder, wrong_type};

/// The encoding of chunks of samples.
///
/// Source: `Chunk.Encoding` in Prometheus' `types.proto`
pub(super) const XOR: u64 = 1;
/// The encoding of chunks of native histograms with floating-point counts, which we write and do not read.
pub(super) const FLOAT_HISTOGRAM: u64 = 3;

/// Why a chunk of another encoding is not read.
fn unknown(encoding: u64) -> String {
    match encoding {
        2 | 3 | 5 | 6 => "it has native histograms: ask for samples instead of chunks".to_owned(),
        _ => format!("it has encoding {encoding}, which is not known: ask for samples instead of chunks"),
    }
}

impl Decoder<'_> {
    /// Takes the `ChunkedSeries` at `range`.
    pub(super) fn chunked_series(&mut self, range: Range<usize>) -> Result<(), Error> {
        let before = self.begin_series();
        let mut chunks = 0;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = self.next_but_labels(&mut fields)? {
            match (number, value) {
                (2, Value::Bytes(range)) => {
                    chunks += 1;
                    self.chunk(chunks, range)?;
                }
                (1 | 2, _) => return Err(wrong_type("ChunkedSeries", number)),
                _ => {}
            }
        }
        self.end_series(before)
    }

    /// Takes the `Chunk` at `range`, the `place`-th of its series.
    fn chunk(&mut self, place: usize, range: Range<usize>) -> Result<(), Error> {
        let (mut encoding, mut data) = (0, 0..0);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (3, Value::Varint(number)) => encoding = number,
                (4, Value::Bytes(range)) => data = range,
                (3 | 4, _) => return Err(wrong_type("Chunk", number)),
                // Its times say nothing that the samples do not say themselves.
                _ => {}
            }
        }
        if encoding != XOR {
            return Err(self.damaged_chunk(place, &unknown(encoding)));
        }
        let chunk = xor::Chunk::new(&self.draft.body[data]).map_err(|damage| self.damaged_chunk(place, damage))?;
        self.draft.count_rows(chunk.samples())?;
        let series = self.draft.series_index();
        let samples = &mut self.draft.batch.samples;
        let unpacked = chunk.unpack(|time_ms, bits| {
            samples.push(Sample { series, time_ms, value: f64::from_bits(bits) });
        });
        unpacked.map_err(|damage| self.damaged_chunk(place, damage))
    }

    #[cold]
    fn damaged_chunk(&self, place: usize, what: &str) -> Error {
        Error::invalid(format!("chunk {place} of series {} cannot be read: {what}", self.shown_series()))
    }
}
