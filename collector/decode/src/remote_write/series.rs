//! One `TimeSeries` of a request: labels checked and left where they are, samples and exemplars taken.

use std::ops::Range;

use model::Batch;
use model::batch::{Exemplar, Kind, RawSeries, Sample};
use model::labels::{LabelsBuilder, NAME_LABEL};

use super::wire::{Fields, Value};
use super::{Decoder, wrong_type};
use crate::error::quoted;
use crate::names::SeenNames;
use crate::{Error, Limits, text};

/// Reads label fields, the bytes that a series of the batch points to.
pub(super) fn read(bytes: &[u8], labels: &mut LabelsBuilder) -> Result<(), model::Error> {
    let mut fields = Fields::new(bytes, 0..bytes.len());
    while let Some((number, value)) = fields.next().map_err(Error::from)? {
        let (1, Value::Bytes(range)) = (number, value) else {
            return Err(model::Error::invalid("the labels hold another field"));
        };
        let label = Label::read(bytes, range)?;
        labels.push_bytes(&bytes[label.name], &bytes[label.value])?;
    }
    Ok(())
}

/// Ranges of the body.
#[derive(Debug, Clone, Default)]
struct Label {
    name: Range<usize>,
    value: Range<usize>,
}

impl Label {
    #[inline]
    fn read(body: &[u8], range: Range<usize>) -> Result<Self, Error> {
        match Self::read_short(body, &range) {
            Some(label) => Ok(label),
            None => Self::read_any(body, range),
        }
    }

    /// Reads the form that every sender writes: the name, the value, both below 128 bytes, nothing else.
    #[inline]
    fn read_short(body: &[u8], range: &Range<usize>) -> Option<Self> {
        const NAME: u8 = 1 << 3 | 2;
        const VALUE: u8 = 2 << 3 | 2;
        let [NAME, name_len @ 0..0x80, rest @ ..] = body.get(range.clone())? else { return None };
        let name_len = usize::from(*name_len);
        let [VALUE, value_len @ 0..0x80, value @ ..] = rest.get(name_len..)? else { return None };
        if value.len() != usize::from(*value_len) {
            return None;
        }
        let name = range.start + 2;
        Some(Label { name: name..name + name_len, value: range.end - value.len()..range.end })
    }

    fn read_any(body: &[u8], range: Range<usize>) -> Result<Self, Error> {
        let mut label = Label::default();
        let mut fields = Fields::new(body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(text)) => label.name = text,
                (2, Value::Bytes(text)) => label.value = text,
                (1 | 2, _) => return Err(wrong_type("Label", number)),
                _ => {}
            }
        }
        Ok(label)
    }

    #[inline]
    fn check(&self, body: &[u8], limits: &Limits) -> Result<(), Error> {
        let fits = self.name.len() <= limits.max_name_bytes && self.value.len() <= limits.max_value_bytes;
        // A metric name is held against the limit of names, which no short text can break.
        let short = self.value.len() <= limits.max_name_bytes;
        let fits = fits && (short || body[self.name.clone()] != *NAME_LABEL.as_bytes());
        if fits && !self.name.is_empty() { Ok(()) } else { Err(self.fault(body, limits)) }
    }

    #[cold]
    fn fault(&self, body: &[u8], limits: &Limits) -> Error {
        let (name, value) = (&body[self.name.clone()], &body[self.value.clone()]);
        if name.is_empty() {
            return Error::invalid(format!("a label with the value {} has an empty name", quoted(value)));
        }
        let (part, bytes, limit) = if name.len() > limits.max_name_bytes {
            ("name", name.len(), limits.max_name_bytes)
        } else if name == NAME_LABEL.as_bytes() {
            ("value", value.len(), limits.max_name_bytes)
        } else {
            ("value", value.len(), limits.max_value_bytes)
        };
        Error::too_large(format!("the {part} of label {} has {bytes} bytes, the limit is {limit}", quoted(name)))
    }
}

/// The labels of the series at hand. Kept and reused, so that it allocates only while it grows.
#[derive(Default)]
pub(super) struct Labels {
    ranges: Vec<Label>,
    /// Where the label fields lie, tags included, those joined that touch.
    fields: Vec<Range<usize>>,
    seen: SeenNames,
}

impl Labels {
    fn clear(&mut self) {
        self.ranges.clear();
        self.fields.clear();
        self.seen.clear();
    }

    /// Adds a label and the field that holds it.
    #[inline]
    fn push(&mut self, label: Label, field: Range<usize>) {
        self.ranges.push(label);
        match self.fields.last_mut() {
            Some(last) if last.end == field.start => last.end = field.end,
            _ => self.fields.push(field),
        }
    }

    /// The range of all label fields if nothing lies between them.
    fn contiguous(&self) -> Option<Range<usize>> {
        match &self.fields[..] {
            [all] => Some(all.clone()),
            _ => None,
        }
    }

    fn check(&self, body: &[u8]) -> Result<(), Error> {
        if self.ranges.iter().all(|label| label.value.is_empty()) {
            return Err(Error::invalid("a series has no labels"));
        }
        // Tags and lengths below 128 are ASCII as well, so one look at all bytes settles the common case.
        if self.contiguous().is_some_and(|all| body[all].is_ascii()) {
            return Ok(());
        }
        for label in &self.ranges {
            for (part, range) in [("name", &label.name), ("value", &label.value)] {
                if std::str::from_utf8(&body[range.clone()]).is_err() {
                    let what = format!("the {part} of a label is not UTF-8: {}", quoted(&body[range.clone()]));
                    return Err(Error::invalid(format!("{what}, in series {}", self.shown(body))));
                }
            }
        }
        Ok(())
    }

    /// The series for a message, as text.
    fn shown(&self, body: &[u8]) -> String {
        let text = |range: &Range<usize>| String::from_utf8_lossy(&body[range.clone()]).into_owned();
        let pairs: Vec<_> = self.ranges.iter().map(|label| (text(&label.name), text(&label.value))).collect();
        let name = pairs.iter().find(|(name, _)| name == NAME_LABEL).map_or("", |(_, value)| value.as_str());
        let others = pairs.iter().filter(|(name, _)| name != NAME_LABEL);
        let mut series = String::new();
        // Writing to a string cannot fail.
        let _ = text::write_series(&mut series, name, others.map(|(name, value)| (name.as_str(), value.as_str())));
        const SHOWN: usize = 400;
        match series.char_indices().nth(SHOWN) {
            Some((cut, _)) => format!("{}…", &series[..cut]),
            None => series,
        }
    }
}

impl Decoder<'_> {
    /// Takes the `TimeSeries` at `range`.
    pub(super) fn series(&mut self, range: Range<usize>) -> Result<(), Error> {
        self.labels.clear();
        let (samples, exemplars) = (self.batch.samples.len(), self.batch.exemplars.len());
        let index = self.batch.series.len() as u32;
        let mut fields = Fields::new(self.body, range);
        loop {
            let start = fields.at();
            let Some((number, value)) = fields.next()? else { break };
            match (number, value) {
                (1, Value::Bytes(range)) => self.label(start..range.end, range)?,
                (2, Value::Bytes(range)) => self.sample(index, range)?,
                (3, Value::Bytes(range)) => self.exemplar(index, range)?,
                (4, Value::Bytes(_)) => {
                    let what =
                        "native histograms are not accepted yet: set send_native_histograms: false in remote_write";
                    return Err(Error::invalid(what));
                }
                (1..=4, _) => return Err(wrong_type("TimeSeries", number)),
                _ => {}
            }
        }
        self.labels.check(self.body)?;
        let times = self.batch.samples[samples..].iter().map(|sample| sample.time_ms);
        let times = times.chain(self.batch.exemplars[exemplars..].iter().map(|exemplar| exemplar.time_ms));
        if let Some(time_ms) = { times }.find(|time_ms| !model::time::in_range(*time_ms)) {
            let series = self.labels.shown(self.body);
            return Err(Error::invalid(format!("the time {time_ms} ms of series {series} is outside years 1 to 9999")));
        }
        if (samples, exemplars) == (self.batch.samples.len(), self.batch.exemplars.len()) {
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

    /// Copies scattered label fields together; returns their hash and the place they will have in the batch.
    fn gather(&mut self) -> (u128, Range<usize>) {
        let start = self.moved.len();
        for field in &self.labels.fields {
            self.moved.extend_from_slice(&self.body[field.clone()]);
        }
        let place = self.body.len() + start..self.body.len() + self.moved.len();
        (Batch::hash(&self.moved[start..]), place)
    }

    #[inline]
    fn label(&mut self, field: Range<usize>, range: Range<usize>) -> Result<(), Error> {
        let label = Label::read(self.body, range)?;
        label.check(self.body, self.limits)?;
        // The name of the metric is a label here, and is not counted.
        if self.labels.ranges.len() > self.limits.max_labels {
            let what = format!("a series has more than {} labels", self.limits.max_labels);
            return Err(Error::too_large(format!("{what}: {}", self.labels.shown(self.body))));
        }
        if !self.labels.seen.note(self.body, label.name.start, label.name.end) {
            let name = quoted(&self.body[label.name]);
            let what = format!("the label {name} comes twice in series {}", self.labels.shown(self.body));
            return Err(Error::invalid(what));
        }
        self.labels.push(label, field);
        Ok(())
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
