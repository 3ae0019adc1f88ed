//! One series of a message: its labels and rows, taken up to the entry of the batch.

use std::ops::Range;

use model::Batch;
use model::batch::{Exemplar, Kind, RawSeries, Sample};

use super::labels::Label;
use super::wire::{Fields, Value};
use super::{Decoder, wrong_type};
use crate::Error;
use crate::error::quoted;

/// How many rows the batch had before a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    samples: usize,
    exemplars: usize,
}

impl Decoder<'_> {
    /// Takes the `TimeSeries` at `range`.
    pub(crate) fn series(&mut self, range: Range<usize>) -> Result<(), Error> {
        let before = self.begin_series();
        let index = self.series_index();
        let mut has_histograms = false;
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = self.next_but_labels(&mut fields)? {
            match (number, value) {
                (2, Value::Bytes(range)) => self.sample(index, range)?,
                (3, Value::Bytes(range)) => self.exemplar(index, range)?,
                (4, Value::Bytes(_)) => has_histograms = true,
                (1..=4, _) => return Err(wrong_type("TimeSeries", number)),
                _ => {}
            }
        }
        if has_histograms {
            self.native_histograms.meet()?;
        }
        self.end_series(before)
    }

    /// Makes ready for a series.
    #[inline]
    pub(crate) fn begin_series(&mut self) -> Before {
        self.labels.clear();
        Before { samples: self.batch.samples.len(), exemplars: self.batch.exemplars.len() }
    }

    /// The next field of the series at hand that is no label; takes the labels before it.
    ///
    /// One loop for the labels of every message: with two, neither is compiled into one piece, and each is slower.
    pub(crate) fn next_but_labels(&mut self, fields: &mut Fields<'_>) -> Result<Option<(u64, Value)>, Error> {
        const LABEL: u8 = 1 << 3 | 2;
        loop {
            let start = fields.at();
            let label = match fields.next_short(LABEL) {
                Some(label) => label,
                None => match fields.next()? {
                    Some((1, Value::Bytes(label))) => label,
                    other => return Ok(other),
                },
            };
            self.labels.take(self.body, self.limits, start..label.end, label)?;
        }
    }

    /// The index that the series at hand will have, if it has rows.
    pub(crate) fn series_index(&self) -> u32 {
        self.batch.series.len() as u32
    }

    /// The series at hand for a message, as text.
    pub(crate) fn shown_series(&self) -> String {
        self.labels.shown(self.body)
    }

    /// Checks the series at hand and enters it into the batch, unless there is no row of it.
    pub(crate) fn end_series(&mut self, before: Before) -> Result<(), Error> {
        self.labels.check(self.body)?;
        let samples = self.batch.samples[before.samples..].iter().map(|sample| sample.time_ms);
        let exemplars = self.batch.exemplars[before.exemplars..].iter().map(|exemplar| exemplar.time_ms);
        // The earliest and the latest are enough to know that all are right, as nearly always.
        let (first_ms, last_ms) = samples
            .chain(exemplars)
            .fold((i64::MAX, i64::MIN), |(first, last), time_ms| (first.min(time_ms), last.max(time_ms)));
        if first_ms > last_ms {
            return Ok(());
        }
        if let Some(time_ms) = [first_ms, last_ms].into_iter().find(|time_ms| !model::time::in_range(*time_ms)) {
            let series = self.shown_series();
            return Err(Error::invalid(format!("the time {time_ms} ms of series {series} is outside years 1 to 9999")));
        }
        if !self.wants(first_ms) || !self.wants(last_ms) {
            self.drop_unwanted(before.samples);
        }
        if (before.samples, before.exemplars) == (self.batch.samples.len(), self.batch.exemplars.len()) {
            return Ok(());
        }
        let (hash, labels) = match self.labels.contiguous() {
            Some(all) => (Batch::hash(&self.body[all.clone()]), all),
            None => self.gather(),
        };
        let labels = labels.start as u32..labels.end as u32;
        self.batch.series.push(RawSeries { labels, hash, kind: Kind::Unknown });
        Ok(())
    }

    fn wants(&self, time_ms: i64) -> bool {
        self.time_ms.as_ref().is_none_or(|wanted| wanted.contains(&time_ms))
    }

    /// Drops the samples from `first` on that are outside the times that are wanted.
    fn drop_unwanted(&mut self, first: usize) {
        let mut kept = first;
        for at in first..self.batch.samples.len() {
            if self.wants(self.batch.samples[at].time_ms) {
                self.batch.samples[kept] = self.batch.samples[at];
                kept += 1;
            }
        }
        self.batch.samples.truncate(kept);
    }

    /// Copies scattered label fields together; returns their hash and the place they will have in the batch.
    fn gather(&mut self) -> (u128, Range<usize>) {
        let start = self.moved.len();
        for field in self.labels.fields() {
            self.moved.extend_from_slice(&self.body[field.clone()]);
        }
        let place = self.body.len() + start..self.body.len() + self.moved.len();
        (Batch::hash(&self.moved[start..]), place)
    }

    #[inline]
    fn sample(&mut self, series: u32, range: Range<usize>) -> Result<(), Error> {
        self.count_rows(1)?;
        let (mut value, mut time_ms) = (0.0, 0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (2, Value::Varint(time)) => time_ms = time as i64,
                (1 | 2, _) => return Err(wrong_type("Sample", number)),
                _ => {}
            }
        }
        self.batch.samples.push(Sample { series, time_ms, value });
        Ok(())
    }

    fn exemplar(&mut self, series: u32, range: Range<usize>) -> Result<(), Error> {
        self.count_rows(1)?;
        let mut exemplar = Exemplar { series, time_ms: 0, value: 0.0, labels: Vec::new() };
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => {
                    self.count_rows(1)?;
                    let label = Label::read(self.body, range)?;
                    label.check(self.body, self.limits)?;
                    if exemplar.labels.len() == self.limits.max_labels {
                        let what = format!("an exemplar has more than {} labels", self.limits.max_labels);
                        return Err(Error::too_large(what));
                    }
                    exemplar.labels.push((self.label_text(label.name)?, self.label_text(label.value)?));
                }
                (2, Value::Fixed64(bits)) => exemplar.value = f64::from_bits(bits),
                (3, Value::Varint(time)) => exemplar.time_ms = time as i64,
                (1..=3, _) => return Err(wrong_type("Exemplar", number)),
                _ => {}
            }
        }
        self.batch.exemplars.push(exemplar);
        Ok(())
    }

    fn label_text(&self, range: Range<usize>) -> Result<String, Error> {
        let bytes = &self.body[range];
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::invalid(format!("the label of an exemplar is not UTF-8: {}", quoted(bytes))))?;
        Ok(text.to_owned())
    }
}
