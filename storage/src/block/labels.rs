//! The `labels` column: `map<string, string>`.

use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, AsArray, MapArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use model::{Error, ErrorKind};

use crate::tables::map_type;

/// Gathers the maps of a column.
#[derive(Default)]
pub(crate) struct LabelsColumn {
    names: StringBuilder,
    values: StringBuilder,
    ends: Vec<i32>,
}

impl LabelsColumn {
    /// Adds a row.
    pub(crate) fn push<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, value) in labels {
            self.names.append_value(name);
            self.values.append_value(value);
        }
        self.ends.push(self.names.len() as i32);
    }

    /// Bytes of text gathered so far.
    pub(crate) fn text_bytes(&self) -> usize {
        self.names.values_slice().len() + self.values.values_slice().len()
    }

    /// The column so far; starts the next.
    pub(crate) fn take(&mut self) -> Result<ArrayRef, Error> {
        let (names, values) = (Arc::new(self.names.finish()), Arc::new(self.values.finish()));
        maps(names, values, std::mem::take(&mut self.ends))
    }
}

/// A column of maps: names and values one behind the other, each plain or with a dictionary, and where those of each row end.
///
/// # Errors
/// `Internal` if they do not fit together.
pub(crate) fn maps(names: ArrayRef, values: ArrayRef, ends: Vec<i32>) -> Result<ArrayRef, Error> {
    let fault = |e| Error::internal("cannot make a column of maps").with_source(e);
    let DataType::Map(entries, sorted) = map_type(names.data_type().clone(), values.data_type().clone()) else {
        return Err(Error::internal("a column of maps is not a map"));
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Error::internal("a column of maps has no entries"));
    };
    let pairs = StructArray::try_new(fields.clone(), vec![names, values], None).map_err(fault)?;
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.extend(ends);
    let map = MapArray::try_new(entries, OffsetBuffer::new(offsets.into()), pairs, None, sorted);
    Ok(Arc::new(map.map_err(fault)?))
}

/// A column of maps that was read, row by row.
pub(crate) struct ReadLabels<'a> {
    map: &'a MapArray,
    names: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> ReadLabels<'a> {
    /// Looks at a column.
    ///
    /// # Errors
    /// `Corrupt` if it is no map of texts.
    pub(crate) fn new(column: &'a ArrayRef) -> Result<Self, Error> {
        let damaged = || Error::new(ErrorKind::Corrupt, "column labels of a block is no map of texts");
        let map = column.as_map_opt().ok_or_else(damaged)?;
        let names = map.keys().as_string_opt::<i32>().ok_or_else(damaged)?;
        let values = map.values().as_string_opt::<i32>().ok_or_else(damaged)?;
        Ok(ReadLabels { map, names, values })
    }

    /// The labels of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let offsets = self.map.offsets();
        let (names, values) = (self.names, self.values);
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        range.map(move |i| (names.value(i), if values.is_null(i) { "" } else { values.value(i) }))
    }
}
