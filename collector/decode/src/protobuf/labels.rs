//! The labels of a series: checked, and left where they are.

use std::ops::Range;

use model::batch::RawLabels;
use model::labels::{LabelsBuilder, NAME_LABEL};

use super::wire::{Fields, Value};
use super::wrong_type;
use crate::error::quoted;
use crate::names::SeenNames;
use crate::refused::{Bad, Reason};
use crate::{Error, Limits, text};

/// Reads label fields, the bytes that a series of the batch points to.
pub(super) fn read(RawLabels { bytes, .. }: RawLabels<'_>, labels: &mut LabelsBuilder) -> Result<(), model::Error> {
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
pub(super) struct Label {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

impl Label {
    #[inline]
    pub(super) fn read(body: &[u8], range: Range<usize>) -> Result<Self, Error> {
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
    pub(super) fn check(&self, body: &[u8], limits: &Limits) -> Result<(), Box<Bad>> {
        let fits = self.name.len() <= limits.max_name_bytes && self.value.len() <= limits.max_value_bytes;
        // A metric name is held against the limit of names, which no short text can break.
        let short = self.value.len() <= limits.max_name_bytes;
        let fits = fits && (short || body[self.name.clone()] != *NAME_LABEL.as_bytes());
        if fits && !self.name.is_empty() { Ok(()) } else { Err(self.fault(body, limits)) }
    }

    #[cold]
    fn fault(&self, body: &[u8], limits: &Limits) -> Box<Bad> {
        let (name, value) = (&body[self.name.clone()], &body[self.value.clone()]);
        if name.is_empty() {
            let what = format!("a label with the value {} has an empty name", quoted(value));
            return Bad::new(Reason::InvalidLabels, what);
        }
        let (part, bytes, limit) = if name.len() > limits.max_name_bytes {
            ("name", name.len(), limits.max_name_bytes)
        } else if name == NAME_LABEL.as_bytes() {
            ("value", value.len(), limits.max_name_bytes)
        } else {
            ("value", value.len(), limits.max_value_bytes)
        };
        let what = format!("the {part} of label {} has {bytes} bytes, the limit is {limit}", quoted(name));
        Bad::new(Reason::LabelLimit, what)
    }
}

/// The labels of the series at hand. Kept and reused, so that it allocates only while it grows.
#[derive(Default)]
pub(super) struct Labels {
    ranges: Vec<Label>,
    /// Where the label fields lie, tags included, those joined that touch.
    fields: Vec<Range<usize>>,
    seen: SeenNames,
    /// What is wrong with the first bad label.
    fault: Option<Box<Bad>>,
}

impl Labels {
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.fields.clear();
        self.seen.clear();
        self.fault = None;
    }

    /// Takes the label at `range`, which `field` holds. A bad one is left out and remembered.
    #[inline]
    pub(super) fn take(
        &mut self,
        body: &[u8],
        limits: &Limits,
        field: Range<usize>,
        range: Range<usize>,
    ) -> Result<(), Error> {
        let label = Label::read(body, range)?;
        if let Err(bad) = label.check(body, limits) {
            self.note(bad, body);
        } else if self.ranges.len() > limits.max_labels {
            // The name of the metric is a label here, and is not counted.
            let what = format!("a series has more than {} labels", limits.max_labels);
            self.note(Bad::new(Reason::LabelLimit, what), body);
        } else if !self.seen.note(body, label.name.start, label.name.end) {
            let what = format!("the label {} comes twice", quoted(&body[label.name]));
            self.note(Bad::new(Reason::InvalidLabels, what), body);
        } else {
            self.push(label, field);
        }
        Ok(())
    }

    #[cold]
    fn note(&mut self, bad: Box<Bad>, body: &[u8]) {
        if self.fault.is_none() {
            self.fault = Some(bad.of_series(&self.shown(body)));
        }
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

    /// Where the label fields lie, those joined that touch.
    pub(super) fn fields(&self) -> &[Range<usize>] {
        &self.fields
    }

    /// The range of all label fields if nothing lies between them.
    pub(super) fn contiguous(&self) -> Option<Range<usize>> {
        match &self.fields[..] {
            [all] => Some(all.clone()),
            _ => None,
        }
    }

    /// What is wrong with the labels as a whole, once the last one was taken.
    pub(super) fn fault(&mut self, body: &[u8], needs_name: bool) -> Option<Box<Bad>> {
        if self.fault.is_some() {
            return self.fault.take();
        }
        let invalid = |what: String| Some(Bad::new(Reason::InvalidLabels, what));
        if self.ranges.iter().all(|label| label.value.is_empty()) {
            return invalid("a series has no labels".to_owned());
        }
        let is_name = |label: &Label| body[label.name.clone()] == *NAME_LABEL.as_bytes() && !label.value.is_empty();
        if needs_name && !self.ranges.iter().any(is_name) {
            return invalid(format!("a series has no name: {}", self.shown(body)));
        }
        // Tags and lengths below 128 are ASCII as well, so one look at all bytes settles the common case.
        if self.contiguous().is_some_and(|all| body[all].is_ascii()) {
            return None;
        }
        for label in &self.ranges {
            for (part, range) in [("name", &label.name), ("value", &label.value)] {
                if std::str::from_utf8(&body[range.clone()]).is_err() {
                    let what = format!("the {part} of a label is not UTF-8: {}", quoted(&body[range.clone()]));
                    return invalid(format!("{what}, in series {}", self.shown(body)));
                }
            }
        }
        None
    }

    /// The series for a message, as text.
    pub(super) fn shown(&self, body: &[u8]) -> String {
        let text = |range: &Range<usize>| String::from_utf8_lossy(&body[range.clone()]).into_owned();
        let pairs: Vec<_> = self.ranges.iter().map(|label| (text(&label.name), text(&label.value))).collect();
        shown(&pairs)
    }
}

/// A series for a message, as text.
pub(crate) fn shown(labels: &[(String, String)]) -> String {
    let name = labels.iter().find(|(name, _)| name == NAME_LABEL).map_or("", |(_, value)| value.as_str());
    let others = labels.iter().filter(|(name, _)| name != NAME_LABEL);
    let mut series = String::new();
    // Writing to a string cannot fail.
    let _ = text::write_series(&mut series, name, others.map(|(name, value)| (name.as_str(), value.as_str())));
    const SHOWN: usize = 400;
    match series.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &series[..cut]),
        None => series,
    }
}
