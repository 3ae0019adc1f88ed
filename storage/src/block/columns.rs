//! Rows of a table, gathered column by column: for the file of a block, and for a query of rows that are in no block yet.
//!
//! Owns: what all tables' columns have in common.
//! Does not own: which column holds what: each table's module does. Encoding and writing (`file`).

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use model::Error;

use crate::Table;
pub(crate) use crate::block::texts::Texts;

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

    /// The first two columns, name and cluster, which come in runs.
    fn keys(&mut self) -> [&mut Texts; 2];

    /// The other columns of the table; starts the next batch of them. A text column may be a dictionary.
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
    let mut gathered = columns.keys().map(Texts::take).into_iter().collect::<Result<Vec<_>, _>>()?;
    gathered.append(&mut columns.take()?);
    let read = schema.fields().iter().zip(&gathered).map(|(field, column)| cast(column, field.data_type()));
    let columns = read.collect::<Result<_, _>>().map_err(unfit)?;
    Ok(vec![RecordBatch::try_new(schema, columns).map_err(unfit)?])
}
