//! What the protobuf messages of Prometheus have in common, walked by hand in place: series with labels and rows.
//!
//! Owns: the wire format, labels in place, the batch while it grows and the limits on it. A series of the batch is the
//! range of the body that holds its label fields.
//! Does not own: which messages there are ([`crate::remote_write`], [`crate::remote_read`]).
//!
//! ```text
//! TimeSeries { labels = 1: Label, samples = 2: Sample, exemplars = 3: Exemplar, histograms = 4: Histogram }
//! Label { name = 1, value = 2 }        Sample { value = 1: double, timestamp = 2: int64 }
//! Exemplar { labels = 1: Label, value = 2: double, timestamp = 3: int64 }
//! ```
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>, `types.proto`

mod labels;
mod series;
pub(crate) mod wire;

use std::ops::RangeInclusive;

use bytes::Bytes;
use model::Batch;
use model::batch::LabelEncoding;

use self::labels::Labels;
use self::wire::Malformed;
use crate::{Error, Limits};

/// Label fields, `labels = 1` of a series, one behind the other.
pub(crate) const ENCODING: LabelEncoding = LabelEncoding { name: "remote-write", read: labels::read };

/// What becomes of native histograms, for which there is no table yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NativeHistograms {
    /// They refuse the body, so that their sender learns of it.
    Refused,
    /// They are left out and the series that have some are counted.
    PassedOver { series: usize },
}

impl NativeHistograms {
    /// A series has some.
    pub(crate) fn meet(&mut self) -> Result<(), Error> {
        match self {
            NativeHistograms::Refused => {
                let what = "native histograms are not accepted yet: set send_native_histograms: false in remote_write";
                Err(Error::invalid(what))
            }
            NativeHistograms::PassedOver { series } => {
                *series += 1;
                Ok(())
            }
        }
    }
}

/// A batch while it is made of a message.
pub(crate) struct Decoder<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) limits: &'a Limits,
    pub(crate) batch: Batch,
    pub(crate) native_histograms: NativeHistograms,
    /// The word for the body in messages: `request`, `answer`.
    noun: &'static str,
    /// The times of the samples that are wanted, if not all are.
    time_ms: Option<RangeInclusive<i64>>,
    /// The labels of the series at hand.
    labels: Labels,
    /// Label fields gathered from series whose own are scattered; they stand behind the body in the batch.
    moved: Vec<u8>,
    rows: usize,
}

impl<'a> Decoder<'a> {
    /// An empty batch over `body`, which the messages call `noun`.
    pub(crate) fn new(noun: &'static str, body: &'a Bytes, limits: &'a Limits) -> Result<Self, Error> {
        if body.len() > limits.max_decoded_bytes || u32::try_from(body.len()).is_err() {
            let what = format!("the {noun} has {} bytes, the limit is {}", body.len(), limits.max_decoded_bytes);
            return Err(Error::too_large(what));
        }
        Ok(Decoder {
            body,
            limits,
            batch: Batch::new(body.clone(), ENCODING),
            native_histograms: NativeHistograms::Refused,
            noun,
            time_ms: None,
            labels: Labels::default(),
            moved: Vec::new(),
            rows: 0,
        })
    }

    /// Wants only samples within `time_ms`, and passes over native histograms.
    pub(crate) fn within(mut self, time_ms: RangeInclusive<i64>) -> Self {
        self.time_ms = Some(time_ms);
        self.native_histograms = NativeHistograms::PassedOver { series: 0 };
        self
    }

    /// Counts rows against the limit before they are kept.
    #[inline]
    pub(crate) fn count_rows(&mut self, rows: usize) -> Result<(), Error> {
        self.rows += rows;
        if self.rows > self.limits.max_rows { Err(self.too_many_rows()) } else { Ok(()) }
    }

    #[cold]
    fn too_many_rows(&self) -> Error {
        let max = self.limits.max_rows;
        Error::too_large(format!("the {} has more than {max} samples, exemplars and entries", self.noun))
    }

    /// The batch, once the whole message was read.
    pub(crate) fn finish(mut self) -> Result<Batch, Error> {
        if !self.moved.is_empty() {
            if u32::try_from(self.body.len() + self.moved.len()).is_err() {
                return Err(Error::too_large(format!("the {} has more than 4 GiB of labels", self.noun)));
            }
            self.batch.body = [self.body, &self.moved].concat().into();
        }
        Ok(self.batch)
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
