//! One series of a message: its labels and rows, taken up to the entry of the batch.

use std::ops::Range;

use model::Batch;
use model::batch::{Exemplar, Kind, RawSeries};

use super::labels::Label;
use super::wire::{Fields, Value};
use super::{Before, Decoder, wrong_type};
use crate::Error;
use crate::error::quoted;
use crate::refused::{Bad, Reason};

/// The first byte of a label.
const LABEL: u8 = 1 << 3 | 2;

impl Decoder<'_> {
    /// Takes the `TimeSeries` at `range`.
    pub(crate) fn series(&mut self, range: Range<usize>) -> Result<(), Error> {
        if !self.checks_labels && self.plain_series(range.clone())? {
            return Ok(());
        }
        self.any_series(range)
    }

    /// Takes a series of the form that nearly all have: labels, then samples in time, and nothing else. Says whether it was
    /// one; if not, nothing of it is kept. Its labels are not looked at.
    fn plain_series(&mut self, range: Range<usize>) -> Result<bool, Error> {
        let (before, index) = (self.draft.before_series(), self.draft.series_index());
        let mut fields = Fields::new(self.draft.body, range);
        let start = fields.at();
        while fields.next_short(LABEL).is_some() {}
        let labels = start..fields.at();
        let mut is_plain = !labels.is_empty();
        while let Some((number, value)) = fields.next()? {
            let (2, Value::Bytes(range)) = (number, value) else {
                is_plain = false;
                break;
            };
            self.draft.sample(index, range)?;
        }
        if !is_plain || !self.draft.is_in_time(before) {
            self.draft.rewind(before);
            return Ok(false);
        }
        if self.draft.rows_since(before) > 0 {
            let hash = Batch::hash(&self.draft.body[labels.clone()]);
            let labels = labels.start as u32..labels.end as u32;
            self.draft.batch.series.push(RawSeries { labels, hash, kind: Kind::Unknown });
        }
        Ok(true)
    }

    fn any_series(&mut self, range: Range<usize>) -> Result<(), Error> {
        let before = self.begin_series();
        let index = self.draft.series_index();
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = self.next_but_labels(&mut fields)? {
            match (number, value) {
                (2, Value::Bytes(range)) => {
                    self.draft.sample(index, range)?;
                }
                (3, Value::Bytes(range)) => self.exemplar(index, range)?,
                (4, Value::Bytes(range)) => {
                    if let Some(bad) = self.draft.histogram(index, range)? {
                        self.refuse_row(bad)?;
                    }
                }
                (1..=4, _) => return Err(wrong_type("TimeSeries", number)),
                _ => {}
            }
        }
        self.end_series(before)
    }

    /// Makes ready for a series.
    #[inline]
    pub(crate) fn begin_series(&mut self) -> Before {
        self.labels.clear();
        self.draft.before_series()
    }

    /// The next field of the series at hand that is no label; takes the labels before it.
    ///
    /// One loop for the labels of every message: with two, neither is compiled into one piece, and each is slower.
    pub(crate) fn next_but_labels(&mut self, fields: &mut Fields<'_>) -> Result<Option<(u64, Value)>, Error> {
        loop {
            let start = fields.at();
            let label = match fields.next_short(LABEL) {
                Some(label) => label,
                None => match fields.next()? {
                    Some((1, Value::Bytes(label))) => label,
                    other => return Ok(other),
                },
            };
            self.labels.take(self.draft.body, self.draft.limits, start..label.end, label)?;
        }
    }

    /// The series at hand for a message, as text.
    pub(crate) fn shown_series(&self) -> String {
        self.labels.shown(self.draft.body)
    }

    /// Leaves out a row of the series at hand.
    #[cold]
    fn refuse_row(&mut self, mut bad: Box<Bad>) -> Result<(), Error> {
        if self.draft.shows(bad.reason) {
            bad = bad.of_series(&self.shown_series());
        }
        self.draft.refuse(*bad, 1)
    }

    /// Checks the series at hand and enters it into the batch, unless there is no row of it.
    pub(crate) fn end_series(&mut self, before: Before) -> Result<(), Error> {
        // Answers of a server hold what it has taken once, names or not.
        let needs_name = self.draft.keeps_what_is_good();
        if let Some(bad) = self.labels.fault(self.draft.body, needs_name) {
            return self.draft.refuse_series(before, *bad);
        }
        if let Some((rows, time_ms)) = self.draft.sift_by_time(before) {
            let bad = self.draft.untimely(time_ms, &self.shown_series());
            self.draft.refuse(*bad, rows)?;
        }
        if self.draft.rows_since(before) == 0 {
            return Ok(());
        }
        let (labels, hash) = match self.labels.contiguous() {
            Some(all) => (all.clone(), Batch::hash(&self.draft.body[all])),
            None => {
                let (place, bytes) = self.draft.gather(self.labels.fields());
                (place, Batch::hash(bytes))
            }
        };
        let labels = labels.start as u32..labels.end as u32;
        self.draft.batch.series.push(RawSeries { labels, hash, kind: Kind::Unknown });
        Ok(())
    }

    fn exemplar(&mut self, series: u32, range: Range<usize>) -> Result<(), Error> {
        self.draft.count_rows(1)?;
        let mut exemplar = Exemplar { series, time_ms: 0, value: 0.0, labels: Vec::new() };
        let mut fault = None;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => {
                    self.draft.count_rows(1)?;
                    let label = Label::read(self.draft.body, range)?;
                    if fault.is_none() {
                        fault = self.exemplar_label(&label, &mut exemplar).err();
                    }
                }
                (2, Value::Fixed64(bits)) => exemplar.value = f64::from_bits(bits),
                (3, Value::Varint(time)) => exemplar.time_ms = time as i64,
                (1..=3, _) => return Err(wrong_type("Exemplar", number)),
                _ => {}
            }
        }
        if let Some(bad) = fault {
            return self.refuse_row(bad);
        }
        self.draft.batch.exemplars.push(exemplar);
        Ok(())
    }

    fn exemplar_label(&self, label: &Label, exemplar: &mut Exemplar) -> Result<(), Box<Bad>> {
        let invalid = |what| Bad::new(Reason::InvalidExemplar, what);
        let (body, limits) = (self.draft.body, self.draft.limits);
        label.check(body, limits).map_err(|bad| invalid(format!("an exemplar: {}", bad.what)))?;
        if exemplar.labels.len() == limits.max_labels {
            return Err(invalid(format!("an exemplar has more than {} labels", limits.max_labels)));
        }
        let text = |range: &Range<usize>| {
            let bytes = &body[range.clone()];
            let text = std::str::from_utf8(bytes).map(str::to_owned);
            text.map_err(|_| invalid(format!("the label of an exemplar is not UTF-8: {}", quoted(bytes))))
        };
        exemplar.labels.push((text(&label.name)?, text(&label.value)?));
        Ok(())
    }
}
