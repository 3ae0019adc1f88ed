//! The Parquet side that the writers of all tables share: batches, properties, errors, sorting columns.
//!
//! Owns: when gathered rows are encoded, and how.
//! Does not own: what rows there are and in which order they must come: each table's writer does.

use std::io::Write;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use model::{Error, ErrorKind};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::Table;
use crate::block::columns::Columns;
use crate::block::meta::BlockMeta;
use crate::block::texts::TextChunk;

/// Bytes of text that are gathered before they are encoded.
const BATCH_TEXT_BYTES: usize = 8 << 20;
/// Bytes of a page before compression at most.
const PAGE_BYTES: usize = 64 << 10;
/// Bytes of a dictionary at most: two million ids. Beyond it a column of ids goes on without dictionary, and one of names
/// in the next row group.
const DICTIONARY_BYTES: usize = 16 << 20;

/// Bytes of the dictionary of values of attributes at most.
const VALUES_BYTES: usize = 256 << 10;

/// How many rows the parts of a file have at most. Everyone takes the default; a test has reason for smaller parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Rows of a page. Smaller pages prune better and compress worse: 4,096 rows cost 0.06 to 0.16 bytes a sample.
    pub page_rows: usize,
    /// A page of the [keys](Table::keys) that has so many rows ends where their value changes.
    pub run_rows: usize,
    /// Rows of a row group.
    pub group_rows: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { page_rows: 20_000, run_rows: 20_000, group_rows: 8 << 20 }
    }
}

impl Layout {
    /// What suits a table. Lines are long, so those of one service at one time are to be found without their neighbours.
    fn of(table: Table) -> Self {
        match table {
            Table::Logs | Table::Spans => Layout { page_rows: 4096, run_rows: 256, ..Layout::default() },
            _ => Layout::default(),
        }
    }
}

/// One Parquet file on its way into a sink. Its writer adds rows to `columns`, takes them into account in `meta`, and
/// calls [`File::write_if_full`].
pub(crate) struct File<W: Write + Send, C: Columns> {
    writer: SerializedFileWriter<W>,
    columns_of_group: ArrowRowGroupWriterFactory,
    layout: Layout,
    group: Option<Group>,
    /// Rows not yet encoded.
    pub(crate) columns: C,
    /// What is known of all rows.
    pub(crate) meta: BlockMeta,
}

/// The row group that is being encoded.
struct Group {
    rows: usize,
    /// Name and cluster.
    keys: [TextChunk; 2],
    others: Vec<ArrowColumnWriter>,
}

impl<W: Write + Send, C: Columns> File<W, C> {
    /// Starts a file.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn new(sink: W) -> Result<Self, Error> {
        Self::with_layout(sink, Layout::of(C::TABLE))
    }

    /// As [`File::new`], with parts of other sizes.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn with_layout(sink: W, layout: Layout) -> Result<Self, Error> {
        let table = C::TABLE;
        let properties = Arc::new(properties(table, layout)?);
        // The schema is told by Parquet's own types; a copy in Arrow's terms would only bind readers to our choice.
        let schema = ArrowSchemaConverter::new().convert(&table.schema()).map_err(|e| failed(table, e))?;
        let writer = SerializedFileWriter::new(sink, schema.root_schema_ptr(), properties);
        let writer = writer.map_err(|e| failed(table, e))?;
        let columns_of_group = ArrowRowGroupWriterFactory::new(&writer, table.schema());
        Ok(File { writer, columns_of_group, layout, group: None, columns: C::default(), meta: BlockMeta::default() })
    }

    /// Encodes the gathered rows once they are many.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn write_if_full(&mut self) -> Result<(), Error> {
        if self.columns.rows() >= C::BATCH_ROWS || self.columns.text_bytes() >= BATCH_TEXT_BYTES {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Error> {
        let (rows, mut written) = (self.columns.rows(), 0);
        if rows == 0 {
            return Ok(());
        }
        let columns = self.columns.take()?;
        while written < rows {
            let mut group = match self.group.take() {
                Some(group) => group,
                None => self.begin_group().map_err(|e| failed(C::TABLE, e))?,
            };
            let part = (rows - written).min(self.layout.group_rows - group.rows);
            for (chunk, texts) in group.keys.iter_mut().zip(self.columns.keys()) {
                chunk.take_from(texts, part);
            }
            let columns: Vec<ArrayRef> = columns.iter().map(|column| column.slice(written, part)).collect();
            group.write::<C>(&columns).map_err(|e| failed(C::TABLE, e))?;
            group.rows += part;
            written += part;
            let is_full = group.rows >= self.layout.group_rows;
            let has_long_texts = group.keys.iter().any(|chunk| chunk.text_bytes() >= DICTIONARY_BYTES);
            self.group = Some(group);
            if is_full || has_long_texts {
                self.end_group().map_err(|e| failed(C::TABLE, e))?;
            }
        }
        Ok(())
    }

    fn begin_group(&self) -> Result<Group, ParquetError> {
        let place = self.writer.flushed_row_groups().len();
        let mut others = self.columns_of_group.create_column_writers(place)?;
        others.drain(..2);
        Ok(Group { rows: 0, keys: Default::default(), others })
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let Some(group) = self.group.take() else { return Ok(()) };
        let schema = self.writer.schema_descr();
        let columns = [schema.column(0), schema.column(1)];
        let mut into = self.writer.next_row_group()?;
        for (chunk, column) in group.keys.into_iter().zip(columns) {
            let (bytes, told) = chunk.close(column, self.layout)?;
            into.append_column(&bytes, told)?;
        }
        for column in group.others {
            column.close()?.append_to_row_group(&mut into)?;
        }
        into.close().map(drop)
    }

    /// Writes what is left of the rows, then bytes that no reader of Parquet looks at, and says under `key` where they
    /// are: `offset,length,version`.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn embed(&mut self, key: &str, version: u8, bytes: &[u8]) -> Result<(), Error> {
        self.write()?;
        self.end_group().map_err(|e| failed(C::TABLE, e))?;
        let place = format!("{},{},{version}", self.writer.bytes_written(), bytes.len());
        self.writer.write_all(bytes).map_err(|e| failed(C::TABLE, ParquetError::External(Box::new(e))))?;
        self.note(key, place);
        Ok(())
    }

    /// Says something in the footer.
    pub(crate) fn note(&mut self, key: &str, value: String) {
        self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }

    /// Writes what is left of the rows and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub(crate) fn finish(mut self) -> Result<BlockMeta, Error> {
        self.write()?;
        self.end_group().map_err(|e| failed(C::TABLE, e))?;
        self.writer.finish().map_err(|e| failed(C::TABLE, e))?;
        self.writer.flush().map_err(|e| failed(C::TABLE, ParquetError::External(Box::new(e))))?;
        self.meta.size_bytes = self.writer.bytes_written() as u64;
        Ok(self.meta)
    }
}

/// Where the footer says that [embedded](File::embed) bytes are, by offset and length; `None` if there are none that this
/// program reads.
///
/// # Errors
/// `Corrupt` if it says so in other words than ours.
pub(crate) fn embedded(footer: &ParquetMetaData, key: &str, version: u8) -> Result<Option<(usize, usize)>, Error> {
    let entries = footer.file_metadata().key_value_metadata();
    let Some(place) = entries.into_iter().flatten().find(|entry| entry.key == key) else { return Ok(None) };
    let fields: Option<Vec<usize>> =
        place.value.as_deref().unwrap_or_default().split(',').map(|field| field.parse().ok()).collect();
    match fields.as_deref() {
        Some([offset, length, there]) if *there == usize::from(version) => Ok(Some((*offset, *length))),
        // A later version: those bytes are not for us, the rows are.
        Some([_, _, _]) => Ok(None),
        _ => {
            let what = format!("{key} is {:?}, not offset,length,version", place.value);
            Err(Error::new(ErrorKind::Corrupt, what))
        }
    }
}

impl Group {
    /// Encodes rows of the columns behind name and cluster.
    fn write<C: Columns>(&mut self, columns: &[ArrayRef]) -> Result<(), ParquetError> {
        let schema = C::TABLE.schema();
        let mut writers = self.others.iter_mut();
        for (field, column) in schema.fields().iter().skip(2).zip(columns) {
            // A column has the type that it was gathered in: a text column may be a dictionary.
            for leaf in compute_leaves(&gathered((field, column)), column)? {
                let writer = writers.next().ok_or_else(|| ParquetError::General("a column too many".into()))?;
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }
}

fn gathered((field, column): (&FieldRef, &ArrayRef)) -> Field {
    Field::new(field.name(), column.data_type().clone(), field.is_nullable())
}

fn failed(table: Table, error: ParquetError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot write a block of {}", table.name())).with_source(error)
}

fn properties(table: Table, layout: Layout) -> Result<WriterProperties, Error> {
    // The writer looks at the limit of a page's rows only after so many.
    let write_rows = parquet::file::properties::DEFAULT_WRITE_BATCH_SIZE.min(layout.page_rows);
    let level = ZstdLevel::try_new(1).map_err(|e| failed(table, e))?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(layout.group_rows))
        .set_data_page_row_count_limit(layout.page_rows)
        .set_write_batch_size(write_rows)
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
        "name"
        | "cluster"
        | "service"
        | "series_id"
        | "time_ms"
        | "first_time_ms"
        | "time_unix_nano"
        | "start_time_unix_nano"
        | "duration_nano"
        | "severity_number"
        | "status_code"
        | "kind" => builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page),
        _ => builder,
    };
    match (field.name().as_str(), field.data_type()) {
        (
            "time_ms"
            | "first_time_ms"
            | "mantissa"
            | "count"
            | "zero_count"
            | "time_unix_nano"
            | "observed_time_unix_nano"
            | "start_time_unix_nano"
            | "duration_nano",
            _,
        ) => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        ("body", _) | (_, DataType::Binary) => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        // Values that differ from row to row would fill a dictionary in vain.
        ("attributes", _) => {
            builder.set_column_dictionary_page_size_limit(ColumnPath::from("attributes.key_value.value"), VALUES_BYTES)
        }
        (_, DataType::Float64) => builder.set_column_dictionary_enabled(path, false),
        _ => builder,
    }
}

fn sorting_columns(table: Table) -> Vec<SortingColumn> {
    let columns = match table {
        Table::Series => 3,
        Table::Samples | Table::Histograms | Table::Starts | Table::Exemplars => 4,
        Table::Metadata => 2,
        Table::Logs | Table::Spans => 3,
    };
    (0..columns).map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false }).collect()
}
