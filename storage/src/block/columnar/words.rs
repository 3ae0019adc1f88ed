//! Columns of texts that come again and again: as dictionaries.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;
use model::Error;
use model::texts::{Dictionary, Texts};

/// The texts of one or more columns, each kept once.
#[derive(Default)]
pub(crate) struct Words {
    known: Dictionary,
    /// The texts as an array, as long as none has come.
    array: Option<Arc<StringArray>>,
}

impl Words {
    /// The place of a text.
    pub(crate) fn place(&mut self, text: &str) -> i32 {
        self.known.place(text) as i32
    }

    /// The places of the texts of a dictionary, by their places there.
    pub(crate) fn places_of(&mut self, other: &Dictionary) -> Vec<i32> {
        other.texts().iter().map(|text| self.place(text)).collect()
    }

    /// A column of these texts, by their places.
    ///
    /// # Errors
    /// `Internal` if there is no text at a place.
    pub(crate) fn column(&mut self, places: Vec<i32>) -> Result<ArrayRef, Error> {
        let texts = self.known.texts();
        let values = match self.array.take().filter(|array| array.len() == texts.len()) {
            Some(array) => array,
            None => Arc::new(StringArray::from_iter_values(texts.iter())),
        };
        self.array = Some(values.clone());
        let column = DictionaryArray::<Int32Type>::try_new(places.into(), values);
        Ok(Arc::new(column.map_err(|e| Error::internal("a column does not fit its dictionary").with_source(e))?))
    }
}

/// Texts as an array.
pub(crate) fn strings(texts: &Texts) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts.iter()))
}
