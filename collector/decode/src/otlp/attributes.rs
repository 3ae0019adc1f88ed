//! Attributes of records, written into the columns of rows.

use std::ops::Range;

use model::attributes::Attributes;

use super::Fault;
use super::envelope::long_key;
use super::values::{self, Attribute, Form};
use crate::Limits;

/// Writes attributes of rows. Kept and reused for its buffer.
#[derive(Debug)]
pub(super) struct RowAttributes<'a> {
    body: &'a [u8],
    limits: &'a Limits,
    pub(super) form: Form,
    /// For values that are no text on the wire.
    pub(super) scratch: String,
}

impl<'a> RowAttributes<'a> {
    /// A writer for the records of a body.
    pub(super) fn new(body: &'a [u8], limits: &'a Limits) -> Self {
        RowAttributes { body, limits, form: Form::attribute(limits), scratch: String::new() }
    }

    /// Adds the `KeyValue` at `range` to the row at hand, of which `read` counts those that were read.
    #[inline]
    pub(super) fn push(&mut self, range: Range<usize>, read: &mut usize, row: &mut Attributes) -> Result<(), Fault> {
        *read += 1;
        if *read > self.limits.max_attributes {
            return Err(self.too_many());
        }
        if let Some((key, value)) = short_pair(&self.body[range.clone()])
            && key.len() <= self.limits.max_name_bytes
            && value.len() <= self.form.max_bytes
        {
            row.push(key, value);
            return Ok(());
        }
        self.push_any(range, row)
    }

    fn push_any(&mut self, range: Range<usize>, row: &mut Attributes) -> Result<(), Fault> {
        let attribute = Attribute::read(self.body, range)?;
        let key = attribute.key(self.body)?;
        if key.len() > self.limits.max_name_bytes {
            return Err(long_key(key.as_bytes(), self.limits));
        }
        row.push(key, &values::read(self.body, attribute.value, &self.form, &mut self.scratch)?);
        Ok(())
    }

    #[cold]
    fn too_many(&self) -> Fault {
        Fault::Refused(format!("it has more than {} attributes (attribute_limit)", self.limits.max_attributes))
    }
}

/// Key and value of a `KeyValue` that is short, whole and in order, its value a string: nearly all are. Anything else is left
/// to [`Attribute::read`].
///
/// Tags and lengths are ASCII then, so one look at all of it tells that key and value are text.
#[inline]
fn short_pair(bytes: &[u8]) -> Option<(&str, &str)> {
    const KEY: u8 = 1 << 3 | 2;
    const VALUE: u8 = 2 << 3 | 2;
    const STRING: u8 = 1 << 3 | 2;
    let [KEY, key_len @ 0..0x80, ..] = *bytes else { return None };
    let key_end = 2 + usize::from(key_len);
    let [VALUE, value_len @ 0..0x80, STRING, text_len @ 0..0x80, ..] = *bytes.get(key_end..)? else { return None };
    let text_start = key_end + 4;
    if usize::from(text_len) + 2 != usize::from(value_len) || text_start + usize::from(text_len) != bytes.len() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some((text.get(2..key_end)?, text.get(text_start..)?))
}

#[cfg(test)]
mod tests;
