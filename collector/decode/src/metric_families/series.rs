//! The series of a metric: its labels, written out in the plain encoding, and what is a row of them.

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{RawSeries, Sample, Start, write_plain};
use model::labels::NAME_LABEL;

use super::{Decoder, Family};
use crate::Error;
use crate::names::SeenNames;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::wrong_type;

/// The labels of the series so far, and those of the metric at hand.
#[derive(Debug, Default)]
pub(super) struct SeriesText {
    /// What the batch points into.
    text: Vec<u8>,
    /// The labels of the metric at hand, without its name.
    labels: Vec<u8>,
    names: SeenNames,
}

impl SeriesText {
    /// Makes ready for a metric.
    pub(super) fn begin(&mut self) {
        self.labels.clear();
        self.names.clear();
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.text.into()
    }
}

impl Decoder<'_> {
    /// Takes a label of the metric at hand.
    pub(super) fn label(&mut self, metric: &str, range: Range<usize>) -> Result<(), Error> {
        let (body, limits) = (self.draft.body, self.draft.limits);
        let (name, value) = self.pair(range)?;
        let text = self.text(name.clone(), limits.max_name_bytes, "the name of a label")?;
        let value = self.text(value, limits.max_value_bytes, "the value of a label")?;
        if text.is_empty() || text == NAME_LABEL {
            return Err(Error::invalid(format!("a metric of family {metric:?} has a label called {text:?}")));
        }
        if !self.series.names.note(body, name.start, name.end) {
            return Err(Error::invalid(format!("the label {text:?} comes twice in a metric of family {metric:?}")));
        }
        if self.series.names.len() > limits.max_labels {
            let what = format!("a metric of family {metric:?} has more than {} labels", limits.max_labels);
            return Err(Error::too_large(what));
        }
        write_plain([(text, value)], &mut self.series.labels);
        Ok(())
    }

    /// The name and the value of a `LabelPair`.
    pub(super) fn pair(&self, range: Range<usize>) -> Result<(Range<usize>, Range<usize>), Error> {
        let (mut name, mut text) = (0..0, 0..0);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => name = range,
                (2, Value::Bytes(range)) => text = range,
                (1 | 2, _) => return Err(wrong_type("LabelPair", number)),
                _ => {}
            }
        }
        Ok((name, text))
    }

    /// Writes a series of the metric at hand out: its family's name with something behind it, its labels, one more.
    pub(super) fn push_series(
        &mut self,
        family: Family<'_>,
        suffix: &str,
        extra: Option<(&str, &str)>,
    ) -> Result<u32, Error> {
        self.draft.count_rows(1)?;
        if let Some((name, _)) = extra
            && self.has_label(name)
        {
            return Err(Error::invalid(format!("a metric of family {:?} has a label {name} of its own", family.name)));
        }
        let text = &mut self.series.text;
        let start = text.len();
        write_plain([(NAME_LABEL, family.name)], text);
        // The name goes on where its end was written.
        if !suffix.is_empty() {
            let end = text.pop();
            text.extend_from_slice(suffix.as_bytes());
            text.extend(end);
        }
        text.extend_from_slice(&self.series.labels);
        write_plain(extra, text);
        let limit = self.draft.limits.max_decoded_bytes;
        if text.len() > limit || u32::try_from(text.len()).is_err() {
            return Err(Error::too_large(format!("the series of the page have more than {limit} bytes of labels")));
        }
        let (labels, hash) = (start as u32..text.len() as u32, Batch::hash(&text[start..]));
        self.draft.batch.series.push(RawSeries { labels, hash, kind: family.form.kind() });
        Ok(self.draft.batch.series.len() as u32 - 1)
    }

    /// Adds a sample of a series of the metric at hand; gives the index of the series.
    pub(super) fn sample(
        &mut self,
        family: Family<'_>,
        suffix: &str,
        extra: Option<(&str, &str)>,
        time_ms: i64,
        value: f64,
        start_ms: Option<i64>,
    ) -> Result<u32, Error> {
        let series = self.push_series(family, suffix, extra)?;
        self.draft.batch.samples.push(Sample { series, time_ms, value });
        let start = start_ms.map(|start_ms| Start { series, time_ms, start_ms });
        self.draft.batch.starts.extend(start);
        Ok(series)
    }

    /// Whether the metric at hand has a label of this name.
    fn has_label(&self, name: &str) -> bool {
        // Names and values in turn, each with its end.
        let mut texts = self.series.labels.split(|byte| *byte == 0xff);
        std::iter::from_fn(|| {
            let name = texts.next()?;
            texts.next().map(|_| name)
        })
        .any(|known| known == name.as_bytes())
    }
}
