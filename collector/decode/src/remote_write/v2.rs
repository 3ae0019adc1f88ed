//! Remote write 2.0: the protobuf message `io.prometheus.write.v2.Request`.
//!
//! Owns: the message after decompression; texts that a series points at by their number.
//! Does not own: snappy ([`crate::body`]), samples and native histograms (`protobuf.rs`, shared with 1.0), headers, answers.
//!
//! ```text
//! Request { symbols = 4: string, timeseries = 5: TimeSeries }
//! TimeSeries { labels_refs = 1: uint32, samples = 2: Sample, histograms = 3: Histogram, exemplars = 4: Exemplar,
//!              metadata = 5: Metadata, created_timestamp = 6: int64 of senders before the final version }
//! Sample { value = 1: double, timestamp = 2: int64, start_timestamp = 3: int64 }
//! Exemplar { labels_refs = 1: uint32, value = 2: double, timestamp = 3: int64 }
//! Metadata { type = 1: enum, help_ref = 3: uint32, unit_ref = 4: uint32 }
//! ```
//!
//! A series of the batch is the range of its numbers. The same text has another number in the next request, so the hash
//! of a series is one of its texts' hashes, each of which is made once a request, as is all that is checked of a text.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>, `types.proto` there

mod metadata;
mod series;
mod symbols;

use bytes::Bytes;
use model::batch::{LabelEncoding, RawLabels};
use model::labels::LabelsBuilder;

use self::metadata::Families;
use self::series::References;
use self::symbols::Symbols;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Draft, wrong_type};
use crate::refused::Decoded;
use crate::{Error, Limits};

/// How the label bytes of a batch of [`decode`] are read: numbers of symbols, names and values in turn.
pub const ENCODING: LabelEncoding = LabelEncoding { name: "remote-write-2", read };

/// Reads a whole request, already decompressed; rows later than `latest_ms` are refused.
///
/// Values keep their bits, staleness markers among them. Unknown fields are skipped. A series may have samples and
/// histograms, which the specification does not foresee and Prometheus takes.
///
/// # Errors
/// `Invalid` if the bytes are no such message or its first symbol is not empty; `TooLarge` if it has more bytes, rows or
/// symbols than the limits allow, or would have if its symbols were written out. Anything else that is wrong is left out
/// and told ([`Decoded::refused`]).
pub fn decode(body: &Bytes, latest_ms: i64, limits: &Limits) -> Result<Decoded, Error> {
    let draft = Draft::new("request", body, ENCODING, limits)?.keeping_what_is_good(latest_ms);
    let mut decoder = Decoder {
        draft,
        symbols: Symbols::default(),
        references: References::default(),
        families: Families::default(),
    };
    // Nothing forbids a sender to put the symbols behind the series.
    decoder.symbols()?;
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        if let (5, Value::Bytes(range)) = (number, value) {
            decoder.series(range)?;
        }
    }
    decoder.draft.finish()
}

/// Makes a batch of a request.
struct Decoder<'a> {
    draft: Draft<'a>,
    symbols: Symbols,
    /// The labels of the series at hand.
    references: References,
    families: Families,
}

impl Decoder<'_> {
    /// Takes the symbols, and looks at nothing else but whether the fields are those of a request.
    fn symbols(&mut self) -> Result<(), Error> {
        let body = self.draft.body;
        let mut has_series = false;
        let mut fields = Fields::new(body, 0..body.len());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (4, Value::Bytes(text)) => {
                    if self.draft.batch.symbols.len() >= self.draft.limits.max_rows {
                        let max = self.draft.limits.max_rows;
                        return Err(Error::too_large(format!("the request has more than {max} symbols")));
                    }
                    self.draft.batch.symbols.push(text.start as u32..text.end as u32);
                }
                (5, Value::Bytes(_)) => has_series = true,
                (4 | 5, _) => return Err(wrong_type("Request", number)),
                // Skipped as unknown, they would be lost without a word.
                (1..=3, _) => {
                    let what = "the request has fields of remote write 1.0: say so in its content type, \
                                application/x-protobuf;proto=prometheus.WriteRequest";
                    return Err(Error::invalid(what));
                }
                _ => {}
            }
        }
        match self.draft.batch.symbols.first() {
            Some(first) if !first.is_empty() => Err(Error::invalid("the first symbol of the request is not empty")),
            None if has_series => Err(Error::invalid("the request has series and no symbols")),
            _ => {
                self.symbols = Symbols::new(&self.draft.batch.symbols);
                Ok(())
            }
        }
    }
}

/// Reads numbers of symbols, the bytes that a series of the batch points to.
fn read(raw: RawLabels<'_>, labels: &mut LabelsBuilder) -> Result<(), model::Error> {
    let text = |number: u64| {
        let symbol = usize::try_from(number).ok().and_then(|number| raw.symbols.get(number));
        let bytes = symbol.and_then(|symbol| raw.body.get(symbol.start as usize..symbol.end as usize));
        bytes.ok_or_else(|| model::Error::internal(format!("a label points at symbol {number}, which is not there")))
    };
    let mut numbers = Fields::new(raw.bytes, 0..raw.bytes.len());
    while let Some(name) = numbers.next_varint().map_err(Error::from)? {
        let value = numbers.next_varint().map_err(Error::from)?;
        let value = value.ok_or_else(|| model::Error::internal("the labels end after a name"))?;
        labels.push_bytes(text(name)?, text(value)?)?;
    }
    Ok(())
}
