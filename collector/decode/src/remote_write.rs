//! Remote write 1.0: the protobuf message `prometheus.WriteRequest`.
//!
//! Owns: the message after decompression, metadata in it.
//! Does not own: snappy ([`crate::body`]), series and their rows (`protobuf.rs`), headers, answers, remote write 2.0
//! ([`v2`]).
//!
//! ```text
//! WriteRequest { timeseries = 1: TimeSeries, metadata = 3: MetricMetadata }
//! MetricMetadata { type = 1: enum, metric_family_name = 2, help = 4, unit = 5 }
//! ```
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>

pub mod v2;

use std::ops::Range;

use bytes::Bytes;
use model::batch::{Kind, LabelEncoding, Metadata};

use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{self, Decoder, wrong_type};
use crate::refused::{Bad, Decoded, Reason};
use crate::{Error, Limits};

/// How the label bytes of a batch of [`decode`] are read.
pub const ENCODING: LabelEncoding = protobuf::ENCODING;

/// Reads a whole request, already decompressed; rows later than `latest_ms` are refused.
///
/// Values keep their bits, staleness markers among them. Unknown fields are skipped. Series without a row are checked
/// and left out. No kind is given to a series: senders tell of kinds in requests of their own.
///
/// # Errors
/// `Invalid` if the bytes are no such message; `TooLarge` if it has more bytes or rows than the limits allow. Anything
/// else that is wrong is left out and told ([`Decoded::refused`]).
pub fn decode(body: &Bytes, latest_ms: i64, limits: &Limits) -> Result<Decoded, Error> {
    decode_with(Decoder::of_request(body, latest_ms, limits)?, body)
}

/// As [`decode`], and leaves labels as they are for the store to check ([`model::Batch::unchecked_labels`]): it knows most
/// of them, and to look at them takes more time than all else that is done here.
///
/// # Errors
/// As [`decode`].
pub fn decode_leaving_labels(body: &Bytes, latest_ms: i64, limits: &Limits) -> Result<Decoded, Error> {
    decode_with(Decoder::of_request(body, latest_ms, limits)?.leaving_labels(), body)
}

fn decode_with(mut decoder: Decoder<'_>, body: &Bytes) -> Result<Decoded, Error> {
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => decoder.series(range)?,
            (3, Value::Bytes(range)) => decoder.metadata(range)?,
            (1 | 3, _) => return Err(wrong_type("WriteRequest", number)),
            // Skipped as unknown, they would be lost without a word.
            (4 | 5, Value::Bytes(_)) => {
                let what = "the request has fields of remote write 2.0: say so in its content type, \
                            application/x-protobuf;proto=io.prometheus.write.v2.Request";
                return Err(Error::invalid(what));
            }
            _ => {}
        }
    }
    decoder.finish_request()
}

impl Decoder<'_> {
    fn metadata(&mut self, range: Range<usize>) -> Result<(), Error> {
        self.draft.count_rows(1)?;
        let (mut kind, mut texts) = (0, [0..0, 0..0, 0..0]);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => kind = number,
                (2, Value::Bytes(text)) => texts[0] = text,
                (4, Value::Bytes(text)) => texts[1] = text,
                (5, Value::Bytes(text)) => texts[2] = text,
                (1 | 2 | 4 | 5, _) => return Err(wrong_type("MetricMetadata", number)),
                _ => {}
            }
        }
        match self.metadata_of(kind_of(kind), texts) {
            Ok(metadata) => {
                self.draft.batch.metadata.push(metadata);
                Ok(())
            }
            Err(bad) => self.draft.refuse(*bad, 1),
        }
    }

    fn metadata_of(&self, kind: Kind, [name, help, unit]: [Range<usize>; 3]) -> Result<Metadata, Box<Bad>> {
        let limits = self.draft.limits;
        if name.is_empty() {
            return Err(Bad::new(Reason::InvalidMetadata, "a metadata entry has no metric family name"));
        }
        Ok(Metadata {
            kind,
            name: self.text(name, limits.max_name_bytes, "name")?,
            help: self.text(help, limits.max_value_bytes, "help")?,
            unit: self.text(unit, limits.max_name_bytes, "unit")?,
        })
    }

    fn text(&self, range: Range<usize>, limit: usize, what: &str) -> Result<String, Box<Bad>> {
        let bytes = &self.draft.body[range];
        if bytes.len() > limit {
            let what = format!("the {what} of a metadata entry has {} bytes, the limit is {limit}", bytes.len());
            return Err(Bad::new(Reason::InvalidMetadata, what));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => {
                let what = format!("the {what} of a metadata entry is not UTF-8: {}", quoted(bytes));
                Err(Bad::new(Reason::InvalidMetadata, what))
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
