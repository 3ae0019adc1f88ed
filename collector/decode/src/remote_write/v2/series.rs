//! One series of a request: numbers of symbols, and rows.

use std::ops::Range;

use model::Batch;
use model::batch::{Exemplar, RawSeries, Start};
use model::time::in_range;

use super::Decoder;
use super::metadata::Said;
use super::symbols::{bytes_of, check_name};
use crate::Error;
use crate::error::quoted;
use crate::protobuf::histogram::invalid_start;
use crate::protobuf::labels::shown;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Before, wrong_type};
use crate::refused::{Bad, Reason};
use crate::remote_write::kind_of;

/// The labels of the series at hand. Kept and reused, so that it allocates only while it grows.
#[derive(Debug, Default)]
pub(super) struct References {
    numbers: Vec<u32>,
    /// The one field that holds all of them, if there is one.
    packed: Option<Range<usize>>,
    fields: usize,
    /// Hashes of all texts, one behind the other.
    hashes: Vec<u8>,
    /// Those of the names; a clear bit of `classes` proves that a name is new.
    names: Vec<u128>,
    classes: u64,
}

impl References {
    fn clear(&mut self) {
        self.numbers.clear();
        self.packed = None;
        self.fields = 0;
    }

    /// Notes the hash of a name and says whether it is new.
    #[inline]
    fn note(&mut self, hash: u128) -> bool {
        let bit = 1u64 << (hash as u64 & 63);
        let known = self.classes & bit != 0 && self.names.contains(&hash);
        self.classes |= bit;
        self.names.push(hash);
        !known
    }
}

/// What is known of the labels of a series that are right.
struct Checked {
    hash: u128,
    /// The symbol of its name.
    name: u32,
    text_bytes: usize,
}

impl Decoder<'_> {
    /// Takes the `TimeSeries` at `range`.
    pub(super) fn series(&mut self, range: Range<usize>) -> Result<(), Error> {
        let before = self.draft.before_series();
        let index = self.draft.series_index();
        self.references.clear();
        let (mut said, mut created_ms, mut has_rows) = (Said::default(), 0, false);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, value) => self.references(value)?,
                (2, Value::Bytes(range)) => {
                    has_rows = true;
                    self.sample(index, range)?;
                }
                (3, Value::Bytes(range)) => {
                    has_rows = true;
                    if let Some(bad) = self.draft.histogram(index, range)? {
                        self.refuse_row(bad)?;
                    }
                }
                // Prometheus sends exemplars as series of their own.
                (4, Value::Bytes(range)) => {
                    has_rows = true;
                    self.exemplar(index, range)?;
                }
                (5, Value::Bytes(range)) => said = self.said(range)?,
                (6, Value::Varint(time)) => created_ms = time as i64,
                (1..=6, _) => return Err(wrong_type("TimeSeries", number)),
                _ => {}
            }
        }
        let checked = match self.check(said, has_rows) {
            Ok(checked) => checked,
            Err(bad) => {
                let bad = self.with_place(bad);
                return self.draft.refuse_series(before, *bad);
            }
        };
        self.draft.count_text(checked.text_bytes)?;
        self.enter(before, checked, said, created_ms)
    }

    /// Enters the series at hand into the batch, unless there is no row of it.
    fn enter(&mut self, before: Before, checked: Checked, said: Said, created_ms: i64) -> Result<(), Error> {
        if let Some((rows, time_ms)) = self.draft.sift_by_time(before) {
            let shown = if self.draft.shows(Reason::OutOfRange) { self.shown_series() } else { String::new() };
            let bad = self.draft.untimely(time_ms, &shown);
            self.draft.refuse(*bad, rows)?;
        }
        if self.draft.rows_since(before) == 0 {
            return Ok(());
        }
        self.starts(before, created_ms)?;
        let labels = match (&self.references.packed, self.references.fields) {
            (Some(packed), 1) => packed.clone(),
            _ => self.draft.append_packed(&self.references.numbers),
        };
        let labels = labels.start as u32..labels.end as u32;
        let kind = kind_of(u64::from(said.kind));
        self.draft.batch.series.push(RawSeries { labels, hash: checked.hash, kind });
        self.tell(checked.name, said)
    }

    /// Takes numbers of the labels: one, or all that stand packed in a field.
    fn references(&mut self, value: Value) -> Result<(), Error> {
        // One more than is taken is enough to know that there are too many.
        let most = 2 * self.draft.limits.max_labels + 4;
        let references = &mut self.references;
        references.fields += 1;
        let mut push = |number: u64| {
            if references.numbers.len() < most {
                references.numbers.push(u32::try_from(number).unwrap_or(u32::MAX));
            }
        };
        match value {
            Value::Varint(number) => push(number),
            Value::Bytes(range) => {
                let mut packed = Fields::new(self.draft.body, range.clone());
                while let Some(number) = packed.next_varint()? {
                    push(number);
                }
                references.packed = Some(range);
            }
            _ => return Err(wrong_type("TimeSeries", 1)),
        }
        Ok(())
    }

    fn check(&mut self, said: Said, has_rows: bool) -> Result<Checked, Box<Bad>> {
        let checked = self.check_labels()?;
        if said != Said::default() {
            self.check_said(said)?;
        }
        if has_rows {
            Ok(checked)
        } else {
            Err(Bad::new(Reason::EmptySeries, "there is neither a sample nor a histogram nor an exemplar"))
        }
    }

    /// Leaves out a row of the series at hand.
    #[cold]
    fn refuse_row(&mut self, bad: Box<Bad>) -> Result<(), Error> {
        let bad = self.with_place(bad);
        self.draft.refuse(*bad, 1)
    }

    /// The same with the series at hand, unless nobody will read it: the labels of a series may be long in few bytes.
    #[cold]
    fn with_place(&self, bad: Box<Bad>) -> Box<Bad> {
        if self.draft.shows(bad.reason) { bad.of_series(&self.shown_series()) } else { bad }
    }

    fn check_labels(&mut self) -> Result<Checked, Box<Bad>> {
        let limits = self.draft.limits;
        let references = &mut self.references;
        let invalid = |what: String| Err(Bad::new(Reason::InvalidLabels, what));
        // The name of the metric is a label here, and is not counted.
        if references.numbers.len() / 2 > limits.max_labels + 1 {
            let what = format!("a series has more than {} labels", limits.max_labels);
            return Err(Bad::new(Reason::LabelLimit, what));
        }
        references.hashes.clear();
        references.names.clear();
        references.classes = 0;
        let (mut metric, mut text_bytes) = (None, 0);
        for at in (0..references.numbers.len()).step_by(2) {
            let &[name, value] = &references.numbers[at..references.numbers.len().min(at + 2)] else {
                return invalid("the labels of a series are an odd number of symbols".to_owned());
            };
            let (body, ranges) = (self.draft.body, &self.draft.batch.symbols);
            let shown = || quoted(&body[bytes_of(&ranges[name as usize])]);
            self.symbols.look_at(name, body, ranges)?;
            self.symbols.look_at(value, body, ranges)?;
            let (symbol, text) = (self.symbols.get(name), self.symbols.get(value));
            check_name(symbol, shown, limits)?;
            let limit = if symbol.is_name_label() { limits.max_name_bytes } else { limits.max_value_bytes };
            if text.len as usize > limit {
                let what = format!("the value of label {} has {} bytes, the limit is {limit}", shown(), text.len);
                return Err(Bad::new(Reason::LabelLimit, what));
            }
            if !references.note(symbol.hash) {
                return invalid(format!("the label {} comes twice", shown()));
            }
            if symbol.is_name_label() && text.len > 0 {
                metric = Some(value);
            }
            text_bytes += symbol.len as usize + text.len as usize;
            references.hashes.extend_from_slice(&symbol.hash.to_le_bytes());
            references.hashes.extend_from_slice(&text.hash.to_le_bytes());
        }
        match metric {
            Some(name) => Ok(Checked { hash: Batch::hash(&references.hashes), name, text_bytes }),
            None if references.numbers.is_empty() => invalid("a series has no labels".to_owned()),
            None => invalid("a series has no name".to_owned()),
        }
    }

    /// The series at hand for a message, as text.
    #[cold]
    fn shown_series(&self) -> String {
        let text = |number: &u32| match self.draft.batch.symbols.get(*number as usize) {
            Some(range) => String::from_utf8_lossy(&self.draft.body[bytes_of(range)]).into_owned(),
            None => "?".to_owned(),
        };
        let pairs =
            self.references.numbers.chunks(2).map(|pair| (text(&pair[0]), pair.get(1).map_or("?".into(), text)));
        shown(&pairs.collect::<Vec<_>>())
    }

    #[inline]
    fn sample(&mut self, series: u32, range: Range<usize>) -> Result<(), Error> {
        let start_ms = self.draft.sample(series, range)?;
        // Zero is what is not said.
        if start_ms == 0 {
            return Ok(());
        }
        if !in_range(start_ms) {
            return self.refuse_row(invalid_start(start_ms));
        }
        let time_ms = self.draft.batch.samples.last().map_or(0, |sample| sample.time_ms);
        self.draft.batch.starts.push(Start { series, time_ms, start_ms });
        Ok(())
    }

    /// Leaves of the starts since `before` those that say something new, and gives rows without one that of the series.
    fn starts(&mut self, before: Before, created_ms: i64) -> Result<(), Error> {
        if created_ms != 0 && !in_range(created_ms) {
            return self.refuse_row(invalid_start(created_ms));
        }
        let batch = &mut self.draft.batch;
        if created_ms != 0 {
            for histogram in &mut batch.histograms[before.histograms..] {
                histogram.value.start_ms.get_or_insert(created_ms);
            }
            let first = batch.samples.get(before.samples).filter(|_| batch.starts.len() == before.starts);
            let start = first.map(|first| Start { series: first.series, time_ms: first.time_ms, start_ms: created_ms });
            batch.starts.extend(start);
        }
        let mut kept = before.starts;
        for at in before.starts..batch.starts.len() {
            if kept == before.starts || batch.starts[kept - 1].start_ms != batch.starts[at].start_ms {
                batch.starts.swap(kept, at);
                kept += 1;
            }
        }
        batch.starts.truncate(kept);
        Ok(())
    }

    fn exemplar(&mut self, series: u32, range: Range<usize>) -> Result<(), Error> {
        self.draft.count_rows(1)?;
        let mut exemplar = Exemplar { series, time_ms: 0, value: 0.0, labels: Vec::new() };
        let mut numbers = Vec::new();
        let most = 2 * self.draft.limits.max_labels + 1;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => numbers.push(number),
                (1, Value::Bytes(range)) => {
                    let mut packed = Fields::new(self.draft.body, range);
                    while let Some(number) = packed.next_varint()? {
                        numbers.push(number);
                        numbers.truncate(most);
                    }
                }
                (2, Value::Fixed64(bits)) => exemplar.value = f64::from_bits(bits),
                (3, Value::Varint(time)) => exemplar.time_ms = time as i64,
                (1..=3, _) => return Err(wrong_type("Exemplar", number)),
                _ => {}
            }
            numbers.truncate(most);
        }
        self.draft.count_rows(numbers.len() / 2)?;
        match self.exemplar_labels(&numbers) {
            Ok(labels) => {
                let bytes = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
                self.draft.count_text(bytes)?;
                exemplar.labels = labels;
                self.draft.batch.exemplars.push(exemplar);
                Ok(())
            }
            Err(bad) => self.refuse_row(bad),
        }
    }

    fn exemplar_labels(&mut self, numbers: &[u64]) -> Result<Vec<(String, String)>, Box<Bad>> {
        let (limits, body) = (self.draft.limits, self.draft.body);
        let invalid = |what: String| Bad::new(Reason::InvalidExemplar, what);
        if numbers.len() > 2 * limits.max_labels {
            return Err(invalid(format!("an exemplar has more than {} labels", limits.max_labels)));
        }
        if numbers.len() % 2 == 1 {
            return Err(invalid("the labels of an exemplar are an odd number of symbols".to_owned()));
        }
        let mut text = |number: u64, limit: usize| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let looked = self.symbols.look_at(number, body, &self.draft.batch.symbols);
            looked.map_err(|bad| invalid(format!("an exemplar: {}", bad.what)))?;
            let len = self.symbols.get(number).len as usize;
            if len > limit {
                return Err(invalid(format!("a label of an exemplar has {len} bytes, the limit is {limit}")));
            }
            let range = bytes_of(&self.draft.batch.symbols[number as usize]);
            Ok(String::from_utf8_lossy(&body[range]).into_owned())
        };
        let label = |pair: &[u64]| {
            let name = text(pair[0], limits.max_name_bytes)?;
            if name.is_empty() {
                return Err(invalid("a label of an exemplar has an empty name".to_owned()));
            }
            Ok((name, text(pair[1], limits.max_value_bytes)?))
        };
        numbers.chunks_exact(2).map(label).collect()
    }
}
