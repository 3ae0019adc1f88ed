//! Rows of a table, gathered column by column: for the file of a block, and for a query of rows that are in no block yet.
//!
//! Owns: what all tables' columns have in common.
//! Does not own: which column holds what: each table's module does. Encoding and writing (`file`).

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::Int32Type;
use model::Error;

use crate::Table;

/// Rows gathered so far.
pub(crate) trait Columns: Default {
    /// The table that they are rows of.
    const TABLE: Table;
    /// So many are gathered before they are encoded.
    const BATCH_ROWS: usize = 8 << 10;

    /// Number of rows.
    fn rows(&self) -> usize;

    /// Bytes of text that differs from row to row.
    fn text_bytes(&self) -> usize;

    /// The columns of the table; starts the next batch. A text column may be a dictionary.
    ///
    /// # Errors
    /// `Internal` if the rows do not fit the columns.
    fn take(&mut self) -> Result<Vec<ArrayRef>, Error>;
}

/// The rows as a query reads them, in the table's [read schema](Table::read_schema); no batch if there are none.
///
/// # Errors
/// `Internal` if the rows do not fit the columns.
pub(crate) fn read_batches<C: Columns>(mut columns: C) -> Result<Vec<RecordBatch>, Error> {
    if columns.rows() == 0 {
        return Ok(Vec::new());
    }
    let schema = C::TABLE.read_schema();
    let unfit = |e| Error::internal(format!("rows do not fit the columns of {}", C::TABLE.name())).with_source(e);
    let gathered = columns.take()?;
    let read = schema.fields().iter().zip(&gathered).map(|(field, column)| cast(column, field.data_type()));
    let columns = read.collect::<Result<_, _>>().map_err(unfit)?;
    Ok(vec![RecordBatch::try_new(schema, columns).map_err(unfit)?])
}

/// A text column that comes in runs.
#[derive(Default)]
pub(crate) struct Texts {
    keys: Vec<i32>,
    values: Vec<Arc<str>>,
}

impl Texts {
    pub(crate) fn push(&mut self, value: &Arc<str>, rows: usize) {
        if self.values.last() != Some(value) {
            self.values.push(value.clone());
        }
        self.keys.resize(self.keys.len() + rows, self.values.len() as i32 - 1);
    }

    pub(crate) fn take(&mut self) -> Result<ArrayRef, Error> {
        let values = StringArray::from_iter_values(std::mem::take(&mut self.values));
        let array = DictionaryArray::<Int32Type>::try_new(std::mem::take(&mut self.keys).into(), Arc::new(values))
            .map_err(|e| Error::internal("a text column does not fit its dictionary").with_source(e))?;
        Ok(Arc::new(array))
    }
}
