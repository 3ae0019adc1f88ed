//! The column of attributes, which differ from row to row.

use arrow::array::ArrayRef;
use model::Error;
use model::attributes::Attributes;
use model::texts::Texts;

use super::words::{Words, strings};
use crate::block::labels::maps;

/// Attributes gathered so far.
#[derive(Default)]
pub(crate) struct AttributeColumn {
    names: Words,
    keys: Vec<i32>,
    values: Texts,
    ends: Vec<i32>,
}

impl AttributeColumn {
    /// Takes over the names of a batch; returns their places here.
    pub(crate) fn adopt(&mut self, attributes: &Attributes) -> Vec<i32> {
        attributes.names().iter().map(|name| self.names.place(name)).collect()
    }

    /// Adds a row of a batch whose names have these places.
    pub(crate) fn push(&mut self, attributes: &Attributes, row: usize, places: &[i32]) {
        let range = attributes.range(row);
        self.keys.extend(attributes.keys()[range.clone()].iter().map(|key| places[*key as usize]));
        self.values.extend_from(attributes.values(), range);
        self.ends.push(self.keys.len() as i32);
    }

    /// Bytes of text gathered so far.
    pub(crate) fn text_bytes(&self) -> usize {
        self.values.all().len()
    }

    /// The column so far; starts the next.
    ///
    /// # Errors
    /// `Internal` if it does not fit together.
    pub(crate) fn take(&mut self) -> Result<ArrayRef, Error> {
        let names = self.names.column(std::mem::take(&mut self.keys))?;
        let values = strings(&std::mem::take(&mut self.values));
        maps(names, values, std::mem::take(&mut self.ends))
    }
}
