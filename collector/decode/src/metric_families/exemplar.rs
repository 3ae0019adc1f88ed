//! Exemplars of a page.

use std::ops::Range;

use model::batch::Exemplar;

use super::Decoder;
use crate::Error;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::wrong_type;

/// The most characters that the labels of an exemplar have, names and values together; one with more is left out, as in
/// the text of OpenMetrics.
const MAX_CHARACTERS: usize = 128;

impl Decoder<'_> {
    /// Takes an exemplar. One without a time gets `default_ms`, or is left out if there is none.
    pub(super) fn exemplar(&mut self, series: u32, range: Range<usize>, default_ms: Option<i64>) -> Result<(), Error> {
        let limits = self.draft.limits;
        let (mut labels, mut value, mut time_ms) = (Vec::new(), 0.0, default_ms);
        let mut characters = 0;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Bytes(pair)) => {
                    let (name, text) = self.pair(pair)?;
                    let name = self.text(name, limits.max_name_bytes, "the label name of an exemplar")?;
                    let text = self.text(text, limits.max_value_bytes, "the label value of an exemplar")?;
                    if name.is_empty() {
                        return Err(Error::invalid("a label of an exemplar has an empty name"));
                    }
                    characters += name.chars().count() + text.chars().count();
                    // An empty value means that the label is absent, as in a series.
                    if characters <= MAX_CHARACTERS && !text.is_empty() {
                        labels.push((name.to_owned(), text.to_owned()));
                    }
                }
                (2, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (3, Value::Bytes(range)) => {
                    let said = self.timestamp(range)?;
                    time_ms = Some(said.ok_or_else(|| Error::invalid("an exemplar is outside years 1 to 9999"))?);
                }
                (1..=3, _) => return Err(wrong_type("Exemplar", number)),
                _ => {}
            }
        }
        let Some(time_ms) = time_ms.filter(|_| characters <= MAX_CHARACTERS) else { return Ok(()) };
        self.draft.count_rows(labels.len() + 1)?;
        self.draft.batch.exemplars.push(Exemplar { series, time_ms, value, labels });
        Ok(())
    }
}
