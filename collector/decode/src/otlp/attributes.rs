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

    /// Adds the `KeyValue` at `range` to the row at hand.
    #[inline]
    pub(super) fn push(&mut self, range: Range<usize>, row: &mut Attributes) -> Result<(), Fault> {
        let attribute = Attribute::read(self.body, range)?;
        let key = attribute.key(self.body)?;
        if key.len() > self.limits.max_name_bytes {
            return Err(long_key(key.as_bytes(), self.limits));
        }
        if row.pending() >= self.limits.max_attributes {
            return Err(self.too_many());
        }
        row.push(key, &values::read(self.body, attribute.value, &self.form, &mut self.scratch)?);
        Ok(())
    }

    #[cold]
    fn too_many(&self) -> Fault {
        Fault::Refused(format!("it has more than {} attributes", self.limits.max_attributes))
    }
}
