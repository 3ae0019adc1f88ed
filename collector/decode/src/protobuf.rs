//! What the protobuf messages of Prometheus have in common, walked by hand in place: series with labels and rows.
//!
//! Owns: the wire format, labels in place, native histograms, the batch while it grows and the limits on it. A series of
//! the batch is the range of the body that holds its label fields.
//! Does not own: which messages there are ([`crate::remote_write`], [`crate::remote_read`]).
//!
//! ```text
//! TimeSeries { labels = 1: Label, samples = 2: Sample, exemplars = 3: Exemplar, histograms = 4: Histogram }
//! Label { name = 1, value = 2 }        Sample { value = 1: double, timestamp = 2: int64 }
//! Exemplar { labels = 1: Label, value = 2: double, timestamp = 3: int64 }
//! ```
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>, `types.proto`

mod draft;
pub(crate) mod histogram;
pub(crate) mod labels;
pub(crate) mod message;
mod series;
pub(crate) mod wire;

use std::ops::RangeInclusive;

use bytes::Bytes;
use model::Batch;
use model::batch::{LabelEncoding, LabelLimits};

pub(crate) use self::draft::{Before, Draft};
use self::labels::Labels;
use self::wire::Malformed;
use crate::{Decoded, Error, Limits};

/// Label fields, `labels = 1` of a series, one behind the other.
pub(crate) const ENCODING: LabelEncoding = LabelEncoding { name: "remote-write", read: labels::read };

/// Makes a batch of a message of series with labels of their own.
pub(crate) struct Decoder<'a> {
    pub(crate) draft: Draft<'a>,
    /// The labels of the series at hand.
    labels: Labels,
    /// Whether labels are checked here, not by the store.
    checks_labels: bool,
}

impl<'a> Decoder<'a> {
    /// A decoder of a request, which keeps what is good; rows later than `latest_ms` are not.
    pub(crate) fn of_request(body: &'a Bytes, latest_ms: i64, limits: &'a Limits) -> Result<Self, Error> {
        let draft = Draft::new("request", body, ENCODING, limits)?.keeping_what_is_good(latest_ms);
        Ok(Decoder { draft, labels: Labels::default(), checks_labels: true })
    }

    /// Leaves labels to the store, which looks at those that it does not know.
    pub(crate) fn leaving_labels(mut self) -> Self {
        let limits = self.draft.limits;
        self.draft.batch.unchecked_labels = Some(LabelLimits {
            max_labels: limits.max_labels,
            max_name_bytes: limits.max_name_bytes,
            max_value_bytes: limits.max_value_bytes,
        });
        self.checks_labels = false;
        self
    }

    /// A decoder of what an answer has within `wanted_ms`; it is good as a whole or not at all.
    pub(crate) fn of_answer(
        noun: &'static str,
        body: &'a Bytes,
        wanted_ms: RangeInclusive<i64>,
        limits: &'a Limits,
    ) -> Result<Self, Error> {
        let draft = Draft::new(noun, body, ENCODING, limits)?.within(wanted_ms);
        Ok(Decoder { draft, labels: Labels::default(), checks_labels: true })
    }

    /// The batch, once the whole message was read.
    pub(crate) fn finish(self) -> Result<Batch, Error> {
        Ok(self.draft.finish()?.batch)
    }

    /// The batch and what is not in it, once the whole message was read.
    pub(crate) fn finish_request(self) -> Result<Decoded, Error> {
        self.draft.finish()
    }
}

/// The error for a field that is known and is not of the type it has.
pub(crate) fn wrong_type(message: &str, number: u64) -> Error {
    Error::invalid(format!("field {number} of {message} has the wrong wire type: is this a message of Prometheus?"))
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Error::invalid(format!("{} (byte {} of the decompressed body)", malformed.what, malformed.at))
    }
}
