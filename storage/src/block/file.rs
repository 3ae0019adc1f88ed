//! The Parquet side that the writers of all tables share: properties, errors, sorting columns.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use model::{Error, ErrorKind};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::Table;
use crate::block::meta::BlockMeta;

/// Rows of a page at most. Smaller pages prune better and compress worse: 4,096 rows cost 0.06 to 0.16 bytes a sample.
const PAGE_ROWS: usize = 20_000;
/// Bytes of a page before compression at most.
const PAGE_BYTES: usize = 64 << 10;
/// Rows of a row group at most.
const GROUP_ROWS: usize = 8 << 20;
/// Bytes of a dictionary at most: two million ids. Beyond it the column goes on without dictionary.
const DICTIONARY_BYTES: usize = 16 << 20;

/// One Parquet file on its way into a sink.
pub(crate) struct File<W: Write + Send> {
    writer: ArrowWriter<W>,
    table: Table,
}

impl<W: Write + Send> File<W> {
    /// Starts a file of a table.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn new(sink: W, table: Table) -> Result<Self, Error> {
        let properties = properties(table)?;
        // The schema is told by Parquet's own types; a copy in Arrow's terms would only bind readers to our choice.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(sink, table.schema(), options).map_err(|e| failed(table, e))?;
        Ok(File { writer, table })
    }

    /// Writes rows. A text column may come as a dictionary.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), Error> {
        let schema = Arc::new(Schema::new(
            self.table
                .schema()
                .fields()
                .iter()
                .zip(&columns)
                .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), field.is_nullable()))
                .collect::<Vec<_>>(),
        )) as SchemaRef;
        let batch = RecordBatch::try_new(schema, columns).map_err(|e| {
            Error::internal(format!("rows of {} do not fit its columns", self.table.name())).with_source(e)
        })?;
        self.writer.write(&batch).map_err(|e| failed(self.table, e))
    }

    /// Writes bytes that no reader of Parquet looks at, and says under `key` where they are: `offset,length,version`.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn embed(&mut self, key: &str, version: u8, bytes: &[u8]) -> Result<(), Error> {
        self.writer.flush().map_err(|e| failed(self.table, e))?;
        let place = format!("{},{},{version}", self.writer.bytes_written(), bytes.len());
        self.writer.write_all(bytes).map_err(|e| failed(self.table, ParquetError::External(Box::new(e))))?;
        self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), place));
        Ok(())
    }

    /// Writes the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn finish(mut self, mut meta: BlockMeta) -> Result<BlockMeta, Error> {
        self.writer.finish().map_err(|e| failed(self.table, e))?;
        self.writer.sync().map_err(|e| failed(self.table, ParquetError::External(Box::new(e))))?;
        meta.size_bytes = self.writer.bytes_written() as u64;
        Ok(meta)
    }
}

fn failed(table: Table, error: ParquetError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot write a block of {}", table.name())).with_source(error)
}

fn properties(table: Table) -> Result<WriterProperties, Error> {
    let level = ZstdLevel::try_new(1).map_err(|e| failed(table, e))?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_sorting_columns(Some(sorting_columns(table)))
        .set_created_by(concat!("fleetscope ", env!("CARGO_PKG_VERSION")).to_owned());
    for field in table.schema().fields() {
        builder = column(builder, field);
    }
    Ok(builder.build())
}

/// The encoding of a column, decided by its name: the same name means the same in every table.
fn column(builder: WriterPropertiesBuilder, field: &Field) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(field.name().as_str());
    let builder = match field.name().as_str() {
        "name" | "cluster" | "series_id" | "time_ms" | "first_time_ms" => {
            builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
        }
        _ => builder,
    };
    match (field.name().as_str(), field.data_type()) {
        ("time_ms" | "first_time_ms" | "mantissa", _) => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        (_, DataType::Float64) => builder.set_column_dictionary_enabled(path, false),
        _ => builder,
    }
}

fn sorting_columns(table: Table) -> Vec<SortingColumn> {
    let columns = match table {
        Table::Series => 3,
        Table::Samples | Table::Exemplars => 4,
        Table::Metadata => 2,
    };
    (0..columns).map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false }).collect()
}
