//! Remote write 1.0: the protobuf message `prometheus.WriteRequest`.
//!
//! Owns: the message after decompression, metadata in it.
//! Does not own: snappy ([`crate::body`]), series and their rows (`protobuf.rs`), headers, answers, remote write 2.0.
//!
//! ```text
//! WriteRequest { timeseries = 1: TimeSeries, metadata = 3: MetricMetadata }
//! MetricMetadata { type = 1: enum, metric_family_name = 2, help = 4, unit = 5 }
//! ```
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, LabelEncoding, Metadata};

use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{self, Decoder, wrong_type};
use crate::{Error, Limits};

/// How the label bytes of a batch of [`decode`] are read.
pub const ENCODING: LabelEncoding = protobuf::ENCODING;

/// Reads a whole request, already decompressed.
///
/// Values keep their bits, staleness markers among them. Unknown fields are skipped. Series without a sample or an
/// exemplar are checked and left out. No kind is given to a series: senders tell of kinds in requests of their own.
///
/// # Errors
/// `Invalid` if the bytes are no such message, if a series has no labels, an empty or repeated label name, text that is
/// not UTF-8, a time outside the years 1 to 9999, or native histograms; `TooLarge` if a limit is broken.
pub fn decode(body: &Bytes, limits: &Limits) -> Result<Batch, Error> {
    let mut decoder = Decoder::new("request", body, limits)?;
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => decoder.series(range)?,
            (3, Value::Bytes(range)) => decoder.metadata(range)?,
            (1 | 3, _) => return Err(wrong_type("WriteRequest", number)),
            // Skipped as unknown, they would be lost without a word.
            (4 | 5, Value::Bytes(_)) => {
                let what = "the request has fields of remote write 2.0: send the 1.0 message prometheus.WriteRequest";
                return Err(Error::invalid(what));
            }
            _ => {}
        }
    }
    decoder.finish()
}

impl Decoder<'_> {
    fn metadata(&mut self, range: Range<usize>) -> Result<(), Error> {
        self.count_rows(1)?;
        let (mut kind, mut name, mut help, mut unit) = (0, 0..0, 0..0, 0..0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => kind = number,
                (2, Value::Bytes(text)) => name = text,
                (4, Value::Bytes(text)) => help = text,
                (5, Value::Bytes(text)) => unit = text,
                (1 | 2 | 4 | 5, _) => return Err(wrong_type("MetricMetadata", number)),
                _ => {}
            }
        }
        let metadata = Metadata {
            kind: kind_of(kind),
            name: self.text(name, self.limits.max_name_bytes, "name")?,
            help: self.text(help, self.limits.max_value_bytes, "help")?,
            unit: self.text(unit, self.limits.max_name_bytes, "unit")?,
        };
        if metadata.name.is_empty() {
            return Err(Error::invalid("a metadata entry has no metric family name"));
        }
        self.batch.metadata.push(metadata);
        Ok(())
    }

    fn text(&self, range: Range<usize>, limit: usize, what: &str) -> Result<String, Error> {
        let bytes = &self.body[range];
        if bytes.len() > limit {
            let what = format!("the {what} of a metadata entry has {} bytes, the limit is {limit}", bytes.len());
            return Err(Error::too_large(what));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => {
                let shown = crate::error::quoted(bytes);
                Err(Error::invalid(format!("the {what} of a metadata entry is not UTF-8: {shown}")))
            }
        }
    }
}

/// The kind of a number of the enum `MetricMetadata.MetricType`.
fn kind_of(number: u64) -> Kind {
    match number {
        1 => Kind::Counter,
        2 => Kind::Gauge,
        3 | 4 => Kind::Histogram,
        5 => Kind::Summary,
        6 => Kind::Info,
        7 => Kind::StateSet,
        _ => Kind::Unknown,
    }
}
