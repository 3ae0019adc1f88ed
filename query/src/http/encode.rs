//! Encoders: batches in, bytes of one format out.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::FormatOptions;
use axum::body::Bytes;
use model::ErrorKind;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::json;

use super::annotations::push_keys;
use super::error::json_of;
use super::format::Format;
use super::value::{Column, push_text, quote};
use crate::error::Error;
use crate::promql::Annotations;

/// Rows of a row group of a Parquet answer: all that is held back at a time.
const GROUP_ROWS: usize = 128 * 1024;

/// What a writer has written and nobody has taken yet.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        Bytes::from(std::mem::take(&mut *self.0.lock()))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes one answer.
pub(crate) struct Encoder {
    /// Column names, each once.
    schema: SchemaRef,
    rows: u64,
    kind: Kind,
}

enum Kind {
    Json,
    Ndjson,
    Csv,
    Arrow(Box<StreamWriter<Written>>, Written),
    Parquet(Option<Box<ArrowWriter<Written>>>, Written),
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("the answer cannot be written: {error}"))
}

impl Encoder {
    /// An encoder for rows of a schema.
    ///
    /// # Errors
    /// `Invalid` if the format cannot hold a column's type.
    pub(crate) fn new(format: Format, schema: &SchemaRef) -> Result<Self, Error> {
        let schema = plain(schema);
        let unfit = |e: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Invalid, format!("{} cannot hold these columns: {e}", format.content_type()))
        };
        let written = Written::default();
        let kind = match format {
            Format::Json => Kind::Json,
            Format::Ndjson => Kind::Ndjson,
            Format::Csv => Kind::Csv,
            Format::Arrow => {
                let writer = StreamWriter::try_new(written.clone(), &schema).map_err(|e| unfit(&e))?;
                Kind::Arrow(Box::new(writer), written)
            }
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .build();
                let writer = ArrowWriter::try_new(written.clone(), Arc::clone(&schema), Some(properties));
                Kind::Parquet(Some(Box::new(writer.map_err(|e| unfit(&e))?)), written)
            }
        };
        Ok(Encoder { schema, rows: 0, kind })
    }

    /// What comes before the rows.
    pub(crate) fn start(&mut self) -> Result<Bytes, Error> {
        match &self.kind {
            Kind::Json => {
                let column = |f: &Arc<Field>| json!({ "name": f.name(), "type": f.data_type().to_string() });
                let columns: Vec<_> = self.schema.fields().iter().map(column).collect();
                Ok(format!("{{\"columns\":{},\"rows\":[", serde_json::Value::from(columns)).into())
            }
            Kind::Csv => {
                let mut line = String::new();
                for (at, field) in self.schema.fields().iter().enumerate() {
                    if at > 0 {
                        line.push(',');
                    }
                    let start = line.len();
                    line.push_str(field.name());
                    quote(&mut line, start);
                }
                line.push_str("\r\n");
                Ok(line.into())
            }
            Kind::Ndjson => Ok(Bytes::new()),
            Kind::Arrow(_, written) | Kind::Parquet(_, written) => Ok(written.take()),
        }
    }

    /// Some rows.
    pub(crate) fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, Error> {
        let before = self.rows;
        self.rows += batch.num_rows() as u64;
        match &mut self.kind {
            Kind::Json => objects(&self.schema, batch, |row| if before + row as u64 > 0 { ",\n" } else { "\n" }, ""),
            Kind::Ndjson => objects(&self.schema, batch, |_| "", "\n"),
            Kind::Csv => lines(batch),
            Kind::Arrow(writer, written) => {
                writer.write(&plain_batch(&self.schema, batch)?).map_err(broken)?;
                Ok(written.take())
            }
            Kind::Parquet(writer, written) => {
                if let Some(writer) = writer {
                    writer.write(&plain_batch(&self.schema, batch)?).map_err(broken)?;
                }
                Ok(written.take())
            }
        }
    }

    /// What comes after the last row. Only JSON has room for annotations.
    pub(crate) fn finish(&mut self, annotations: &Annotations) -> Result<Bytes, Error> {
        match &mut self.kind {
            Kind::Json => {
                let mut end = "\n]".to_owned();
                push_keys(annotations, &mut end);
                end.push_str("}\n");
                Ok(end.into())
            }
            Kind::Ndjson | Kind::Csv => Ok(Bytes::new()),
            Kind::Arrow(writer, written) => {
                writer.finish().map_err(broken)?;
                Ok(written.take())
            }
            Kind::Parquet(writer, written) => {
                if let Some(writer) = writer.take() {
                    writer.close().map_err(broken)?;
                }
                Ok(written.take())
            }
        }
    }

    /// What comes after the last row where more should have come.
    pub(crate) fn fail(&mut self, error: &Error) -> Bytes {
        let json = json_of(error);
        match &self.kind {
            Kind::Json => format!("\n],\"error\":{json}}}\n").into(),
            Kind::Ndjson => format!("{}\n", json!({ "error": json })).into(),
            Kind::Csv | Kind::Arrow(..) | Kind::Parquet(..) => Bytes::new(),
        }
    }
}

/// The schema with each name once and text in the type that every reader knows.
fn plain(schema: &SchemaRef) -> SchemaRef {
    let mut taken: HashSet<String> = HashSet::new();
    let fields = schema.fields().iter().map(|field| {
        let mut name = field.name().clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}_{number}", field.name());
        }
        let data_type = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            DataType::BinaryView => DataType::Binary,
            other => other.clone(),
        };
        Field::new(name, data_type, field.is_nullable())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn plain_batch(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(broken)
}

fn columns<'a>(batch: &'a RecordBatch, options: &'a FormatOptions<'a>) -> Result<Vec<Column<'a>>, Error> {
    batch.columns().iter().map(|column| Column::new(column, options)).collect()
}

fn objects(
    schema: &Schema,
    batch: &RecordBatch,
    before: impl Fn(usize) -> &'static str,
    after: &str,
) -> Result<Bytes, Error> {
    let options = FormatOptions::new();
    let columns = columns(batch, &options)?;
    let keys: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| {
            let mut key = String::new();
            push_text(field.name(), &mut key);
            key.push(':');
            key
        })
        .collect();
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        text.push_str(before(row));
        text.push('{');
        for (at, (key, column)) in keys.iter().zip(&columns).enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(key);
            column.json(row, &mut text)?;
        }
        text.push('}');
        text.push_str(after);
    }
    Ok(text.into())
}

fn lines(batch: &RecordBatch) -> Result<Bytes, Error> {
    let options = FormatOptions::new();
    let columns = columns(batch, &options)?;
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            column.csv(row, &mut text)?;
        }
        text.push_str("\r\n");
    }
    Ok(text.into())
}
