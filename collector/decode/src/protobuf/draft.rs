//! A batch while it is made of a message: rows, limits, and what becomes of what is bad.

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use model::Batch;
use model::batch::{LabelEncoding, Sample};
use model::time::{MAX_TIME_MS, MIN_TIME_MS};

use super::wire::{Fields, Value};
use super::wrong_type;
use crate::refused::{Bad, Decoded, Reason, Refused};
use crate::{Error, Limits};

/// How many rows the batch had before a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    pub(crate) samples: usize,
    pub(crate) histograms: usize,
    pub(crate) exemplars: usize,
    pub(crate) starts: usize,
}

/// A batch while it is made of a message.
pub(crate) struct Draft<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) limits: &'a Limits,
    pub(crate) batch: Batch,
    /// The word for the body in messages: `request`, `answer`.
    noun: &'static str,
    /// The times that a row may have.
    accepted_ms: RangeInclusive<i64>,
    /// The times of the rows that are wanted; others are left out without a word.
    wanted_ms: RangeInclusive<i64>,
    /// What was left out because it is bad; `None` if anything bad refuses the whole body.
    refused: Option<Refused>,
    /// Bytes that stand behind the body in the batch.
    moved: Vec<u8>,
    rows: usize,
    /// Bytes of text that a body says by pointing at it: it may point at the same text again and again.
    text_bytes: usize,
}

impl<'a> Draft<'a> {
    /// An empty batch over `body`, which the messages call `noun`; anything bad refuses the whole body.
    pub(crate) fn new(
        noun: &'static str,
        body: &'a Bytes,
        encoding: LabelEncoding,
        limits: &'a Limits,
    ) -> Result<Self, Error> {
        if body.len() > limits.max_decoded_bytes || u32::try_from(body.len()).is_err() {
            let what = format!("the {noun} has {} bytes, the limit is {}", body.len(), limits.max_decoded_bytes);
            return Err(Error::too_large(what));
        }
        Ok(Draft {
            body,
            limits,
            batch: Batch::new(body.clone(), encoding),
            noun,
            accepted_ms: MIN_TIME_MS..=MAX_TIME_MS,
            wanted_ms: MIN_TIME_MS..=MAX_TIME_MS,
            refused: None,
            moved: Vec::new(),
            rows: 0,
            text_bytes: 0,
        })
    }

    /// Leaves out what is bad and keeps the rest; rows later than `latest_ms` are bad.
    pub(crate) fn keeping_what_is_good(mut self, latest_ms: i64) -> Self {
        self.accepted_ms = MIN_TIME_MS..=latest_ms.min(MAX_TIME_MS);
        self.refused = Some(Refused::default());
        self
    }

    /// Wants only rows within `wanted_ms`.
    pub(crate) fn within(mut self, wanted_ms: RangeInclusive<i64>) -> Self {
        self.wanted_ms = wanted_ms;
        self
    }

    /// Whether what is bad is left out and the rest kept.
    pub(crate) fn keeps_what_is_good(&self) -> bool {
        self.refused.is_some()
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
        Error::too_large(format!("the {} has more than {max} samples, buckets, exemplars and entries", self.noun))
    }

    /// Counts text that the body points at: written out, it would have to keep to the limit as well.
    #[inline]
    pub(crate) fn count_text(&mut self, bytes: usize) -> Result<(), Error> {
        self.text_bytes += bytes;
        if self.text_bytes > self.limits.max_decoded_bytes { Err(self.too_much_text()) } else { Ok(()) }
    }

    #[cold]
    fn too_much_text(&self) -> Error {
        let max = self.limits.max_decoded_bytes;
        Error::too_large(format!("the {} says more than {max} bytes of text by its symbols", self.noun))
    }

    /// Leaves something out, which has so many rows, or refuses the whole body for it.
    #[cold]
    pub(crate) fn refuse(&mut self, bad: Bad, rows: usize) -> Result<(), Error> {
        match &mut self.refused {
            Some(refused) => {
                refused.note(bad, rows as u64);
                Ok(())
            }
            None => Err(bad.into()),
        }
    }

    /// Whether a message for a reason is still of use. Who would make a long one asks first: a body may have a fault in every
    /// other byte.
    pub(crate) fn shows(&self, reason: Reason) -> bool {
        self.refused.as_ref().is_none_or(|refused| refused.has_room(reason))
    }

    /// How many rows there are.
    #[inline]
    pub(crate) fn before_series(&self) -> Before {
        let batch = &self.batch;
        Before {
            samples: batch.samples.len(),
            histograms: batch.histograms.len(),
            exemplars: batch.exemplars.len(),
            starts: batch.starts.len(),
        }
    }

    /// The index that the series at hand will have, if it has rows.
    pub(crate) fn series_index(&self) -> u32 {
        self.batch.series.len() as u32
    }

    /// How many rows there are since, starts not counted.
    pub(crate) fn rows_since(&self, before: Before) -> usize {
        let batch = &self.batch;
        batch.samples.len() - before.samples + batch.histograms.len() - before.histograms + batch.exemplars.len()
            - before.exemplars
    }

    /// Leaves out the series at hand and its rows.
    #[cold]
    pub(crate) fn refuse_series(&mut self, before: Before, bad: Bad) -> Result<(), Error> {
        let rows = self.rows_since(before);
        self.batch.samples.truncate(before.samples);
        self.batch.histograms.truncate(before.histograms);
        self.batch.exemplars.truncate(before.exemplars);
        self.batch.starts.truncate(before.starts);
        self.refuse(bad, rows)
    }

    /// Whether the samples since `before` are all at times which are accepted and wanted.
    #[inline]
    pub(crate) fn is_in_time(&self, before: Before) -> bool {
        let is_right = |time_ms: i64| self.accepted_ms.contains(&time_ms) && self.wanted_ms.contains(&time_ms);
        self.batch.samples[before.samples..].iter().all(|sample| is_right(sample.time_ms))
    }

    /// Forgets the samples since `before`, as if they had never been read.
    #[cold]
    pub(crate) fn rewind(&mut self, before: Before) {
        self.rows -= self.batch.samples.len() - before.samples;
        self.batch.samples.truncate(before.samples);
    }

    /// Leaves out the rows since `before` that are at times which are not accepted, or not wanted. Gives how many are
    /// not accepted, and the time of one of them.
    pub(crate) fn sift_by_time(&mut self, before: Before) -> Option<(usize, i64)> {
        let batch = &mut self.batch;
        let samples = batch.samples[before.samples..].iter().map(|sample| sample.time_ms);
        let histograms = batch.histograms[before.histograms..].iter().map(|histogram| histogram.time_ms);
        let exemplars = batch.exemplars[before.exemplars..].iter().map(|exemplar| exemplar.time_ms);
        // The earliest and the latest are enough to know that all are right, as nearly always.
        let (first_ms, last_ms) = samples
            .chain(histograms)
            .chain(exemplars)
            .fold((i64::MAX, i64::MIN), |(first, last), time_ms| (first.min(time_ms), last.max(time_ms)));
        if first_ms > last_ms {
            return None;
        }
        let holds = |times: &RangeInclusive<i64>| times.contains(&first_ms) && times.contains(&last_ms);
        if holds(&self.accepted_ms) && holds(&self.wanted_ms) {
            return None;
        }
        let (accepted_ms, wanted_ms) = (&self.accepted_ms, &self.wanted_ms);
        let mut refused: Option<(usize, i64)> = None;
        let mut keep = |time_ms: i64| {
            if !accepted_ms.contains(&time_ms) {
                refused = Some((refused.map_or(0, |(rows, _)| rows) + 1, time_ms));
                return false;
            }
            wanted_ms.contains(&time_ms)
        };
        retain_from(&mut batch.samples, before.samples, |sample| keep(sample.time_ms));
        retain_from(&mut batch.histograms, before.histograms, |histogram| keep(histogram.time_ms));
        retain_from(&mut batch.exemplars, before.exemplars, |exemplar| keep(exemplar.time_ms));
        let is_right = |time_ms: &i64| accepted_ms.contains(time_ms) && wanted_ms.contains(time_ms);
        retain_from(&mut batch.starts, before.starts, |start| is_right(&start.time_ms));
        refused
    }

    /// What is wrong with a time that is not accepted.
    #[cold]
    pub(crate) fn untimely(&self, time_ms: i64, series: &str) -> Box<Bad> {
        let what = if model::time::in_range(time_ms) {
            let latest_ms = self.accepted_ms.end();
            format!(
                "the time {time_ms} ms of series {series} is too far in the future: nothing after {latest_ms} ms is taken \
                 (future_limit)"
            )
        } else {
            format!("the time {time_ms} ms of series {series} is outside years 1 to 9999")
        };
        Bad::new(Reason::OutOfRange, what)
    }

    /// Puts pieces of the body one behind the other at the end of the batch's body; gives their place there, and them.
    pub(crate) fn gather(&mut self, pieces: &[Range<usize>]) -> (Range<usize>, &[u8]) {
        let start = self.moved.len();
        for piece in pieces {
            self.moved.extend_from_slice(&self.body[piece.clone()]);
        }
        (self.body.len() + start..self.body.len() + self.moved.len(), &self.moved[start..])
    }

    /// Puts numbers, written as those of a packed field, at the end of the batch's body; gives their place there.
    pub(crate) fn append_packed(&mut self, numbers: &[u32]) -> Range<usize> {
        let start = self.body.len() + self.moved.len();
        for number in numbers {
            write_varint(*number, &mut self.moved);
        }
        start..self.body.len() + self.moved.len()
    }

    /// Takes a `Sample`; gives its field 3, which is its start in remote write 2.0.
    #[inline]
    pub(crate) fn sample(&mut self, series: u32, range: Range<usize>) -> Result<i64, Error> {
        self.count_rows(1)?;
        if let Some((value, time_ms)) = plain_sample(&self.body[range.clone()]) {
            self.batch.samples.push(Sample { series, time_ms, value });
            return Ok(0);
        }
        let (mut value, mut time_ms, mut start_ms) = (0.0, 0, 0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (2, Value::Varint(time)) => time_ms = time as i64,
                (3, Value::Varint(time)) => start_ms = time as i64,
                (1 | 2, _) => return Err(wrong_type("Sample", number)),
                _ => {}
            }
        }
        self.batch.samples.push(Sample { series, time_ms, value });
        Ok(start_ms)
    }

    /// The batch and what is not in it, once the whole message was read.
    pub(crate) fn finish(mut self) -> Result<Decoded, Error> {
        if !self.moved.is_empty() {
            if u32::try_from(self.body.len() + self.moved.len()).is_err() {
                return Err(Error::too_large(format!("the {} has more than 4 GiB of labels", self.noun)));
            }
            self.batch.body = [self.body, &self.moved].concat().into();
        }
        Ok(Decoded { batch: self.batch, refused: self.refused.unwrap_or_default() })
    }
}

/// Reads a sample of the form that nearly all have: the value, then the time of six bytes (from 1971 to 2109), and nothing
/// else.
#[inline]
fn plain_sample(bytes: &[u8]) -> Option<(f64, i64)> {
    const VALUE: u8 = 1 << 3 | 1;
    const TIME: u8 = 2 << 3;
    let [VALUE, rest @ ..] = <&[u8; 16]>::try_from(bytes).ok()? else { return None };
    let (bits, [TIME, time @ ..]) = rest.split_first_chunk::<8>()? else { return None };
    let mut time_ms = 0;
    for (place, byte) in time.iter().enumerate() {
        let goes_on = place + 1 < time.len();
        if (byte & 0x80 != 0) != goes_on {
            return None;
        }
        time_ms |= i64::from(byte & 0x7f) << (7 * place);
    }
    Some((f64::from_bits(u64::from_le_bytes(*bits)), time_ms))
}

fn write_varint(mut number: u32, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Keeps of the rows from `first` on those that pass, in their order.
fn retain_from<T>(rows: &mut Vec<T>, first: usize, mut keep: impl FnMut(&T) -> bool) {
    let mut kept = first;
    for at in first..rows.len() {
        if keep(&rows[at]) {
            rows.swap(kept, at);
            kept += 1;
        }
    }
    rows.truncate(kept);
}
