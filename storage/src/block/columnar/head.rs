//! Columns of rows that are in no block yet, as a query reads them: one by one, of the rows that it wants.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewBuilder, Int32Array, Int64Array, RecordBatch, StringViewBuilder};
use arrow::compute::cast;
use model::attributes::Attributes;
use model::resource::{Resource, Scope};
use model::shared::Shared;
use model::texts::{Dictionary, Texts};
use model::{Error, Logs, Spans};

use super::events::{EventColumn, LinkColumn};
use super::words::Words;
use crate::block::labels::LabelsColumn;
use crate::columnar::Chunk;
use crate::tables::Table;

/// Rows of logs or spans that are in no block yet. Cloning shares them.
#[derive(Debug, Clone)]
pub struct HeadColumns(Rows);

#[derive(Debug, Clone)]
enum Rows {
    Logs(Chunk<Logs>),
    Spans(Chunk<Spans>),
}

impl From<Chunk<Logs>> for HeadColumns {
    fn from(rows: Chunk<Logs>) -> Self {
        HeadColumns(Rows::Logs(rows))
    }
}

impl From<Chunk<Spans>> for HeadColumns {
    fn from(rows: Chunk<Spans>) -> Self {
        HeadColumns(Rows::Spans(rows))
    }
}

impl HeadColumns {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match &self.0 {
            Rows::Logs(chunk) => chunk.rows.len(),
            Rows::Spans(chunk) => chunk.rows.len(),
        }
    }

    /// The earliest and the latest time, in milliseconds, rounded down.
    pub fn time_ms(&self) -> (i64, i64) {
        match &self.0 {
            Rows::Logs(chunk) => (chunk.min_ms, chunk.max_ms),
            Rows::Spans(chunk) => (chunk.min_ms, chunk.max_ms),
        }
    }

    /// What the rows come from.
    pub fn resources(&self) -> &Shared<Resource> {
        match &self.0 {
            Rows::Logs(chunk) => &chunk.rows.resources,
            Rows::Spans(chunk) => &chunk.rows.resources,
        }
    }

    /// Some of the columns of some of the rows, in the types of the [read schema](Table::read_schema).
    ///
    /// # Errors
    /// `Internal` if the table has no such column.
    pub fn read(&self, columns: &[usize], rows: Range<usize>) -> Result<RecordBatch, Error> {
        let table = match &self.0 {
            Rows::Logs(_) => Table::Logs,
            Rows::Spans(_) => Table::Spans,
        };
        let fault = |e| Error::internal(format!("rows do not fit the columns of {}", table.name())).with_source(e);
        let schema = Arc::new(table.read_schema().project(columns).map_err(fault)?);
        let mut arrays = Vec::with_capacity(columns.len());
        for field in schema.fields() {
            let array = match &self.0 {
                Rows::Logs(chunk) => log_column(&chunk.rows, field.name(), rows.clone())?,
                Rows::Spans(chunk) => span_column(&chunk.rows, field.name(), rows.clone())?,
            };
            // Columns within columns are gathered with dictionaries.
            arrays.push(if array.data_type() == field.data_type() {
                array
            } else {
                cast(&array, field.data_type()).map_err(fault)?
            });
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(schema, arrays, &options).map_err(fault)
    }
}

fn log_column(logs: &Logs, column: &str, rows: Range<usize>) -> Result<ArrayRef, Error> {
    Ok(match column {
        "time_unix_nano" => longs(&logs.time_unix_nano[rows]),
        "observed_time_unix_nano" => longs(&logs.observed_time_unix_nano[rows]),
        "severity_number" => ints(logs.severity_number[rows].iter().map(|number| i32::from(*number))),
        "severity_text" => words(&logs.severity_texts, &logs.severity_text[rows]),
        "body" => texts(&logs.body, rows),
        "trace_id" => ids(&logs.trace_id[rows]),
        "span_id" => ids(&logs.span_id[rows]),
        "flags" => ints(logs.flags[rows].iter().map(|flags| flags.cast_signed())),
        "attributes" => attributes(&logs.attributes, rows)?,
        _ => origin(column, (&logs.resources, &logs.resource[rows.clone()]), (&logs.scopes, &logs.scope[rows]))?,
    })
}

fn span_column(spans: &Spans, column: &str, rows: Range<usize>) -> Result<ArrayRef, Error> {
    Ok(match column {
        "start_time_unix_nano" => longs(&spans.start_time_unix_nano[rows]),
        "duration_nano" => longs(&spans.duration_nano[rows]),
        "name" => words(&spans.texts, &spans.name[rows]),
        "kind" => ints(spans.kind[rows].iter().map(|kind| i32::from(*kind))),
        "trace_id" => ids(&spans.trace_id[rows]),
        "span_id" => ids(&spans.span_id[rows]),
        "parent_span_id" => ids(&spans.parent_span_id[rows]),
        "trace_state" => words(&spans.texts, &spans.trace_state[rows]),
        "flags" => ints(spans.flags[rows].iter().map(|flags| flags.cast_signed())),
        "status_code" => ints(spans.status_code[rows].iter().map(|code| i32::from(*code))),
        "status_message" => words(&spans.texts, &spans.status_message[rows]),
        "attributes" => attributes(&spans.attributes, rows)?,
        "events" => {
            let (mut words, mut column) = (Words::default(), EventColumn::default());
            let (texts, names) = (words.places_of(&spans.texts), column.attributes.adopt(&spans.events.attributes));
            rows.for_each(|row| column.push(&spans.events, row, &texts, &names));
            column.take(&mut words)?
        }
        "links" => {
            let (mut words, mut column) = (Words::default(), LinkColumn::default());
            let (texts, names) = (words.places_of(&spans.texts), column.attributes.adopt(&spans.links.attributes));
            rows.for_each(|row| column.push(&spans.links, row, &texts, &names));
            column.take(&mut words)?
        }
        _ => origin(column, (&spans.resources, &spans.resource[rows.clone()]), (&spans.scopes, &spans.scope[rows]))?,
    })
}

/// A column that rows have from their resource or scope.
fn origin(
    column: &str,
    (resources, of_rows): (&Shared<Resource>, &[u32]),
    (scopes, scope_of_rows): (&Shared<Scope>, &[u32]),
) -> Result<ArrayRef, Error> {
    let of_resource = |text: fn(&Resource) -> &str| shared(resources, of_rows, text);
    Ok(match column {
        "cluster" => of_resource(|resource| &resource.cluster),
        "service" => of_resource(|resource| &resource.service),
        "namespace" => of_resource(|resource| &resource.namespace),
        "pod" => of_resource(|resource| &resource.pod),
        "container" => of_resource(|resource| &resource.container),
        "node" => of_resource(|resource| &resource.node),
        "scope_name" => shared(scopes, scope_of_rows, |scope| &scope.name),
        "scope_version" => shared(scopes, scope_of_rows, |scope| &scope.version),
        "resource" => {
            let sets: Vec<Vec<(&str, &str)>> =
                resources.iter().map(|resource| resource.attributes.iter().collect()).collect();
            let mut maps = LabelsColumn::default();
            of_rows.iter().for_each(|place| maps.push(sets[*place as usize].iter().copied()));
            maps.take()?
        }
        other => return Err(Error::internal(format!("there is no column {other}"))),
    })
}

fn shared<T>(values: &Shared<T>, of_rows: &[u32], text: fn(&T) -> &str) -> ArrayRef {
    let values: Vec<&str> = values.iter().map(|value| text(value)).collect();
    let mut builder = StringViewBuilder::with_capacity(of_rows.len());
    of_rows.iter().for_each(|place| builder.append_value(values[*place as usize]));
    Arc::new(builder.finish())
}

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn ints(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

fn words(words: &Dictionary, places: &[u32]) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(places.len());
    places.iter().for_each(|place| builder.append_value(words.get(*place)));
    Arc::new(builder.finish())
}

fn texts(texts: &Texts, rows: Range<usize>) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows.len());
    rows.for_each(|row| builder.append_value(texts.get(row)));
    Arc::new(builder.finish())
}

fn ids<const N: usize>(ids: &[[u8; N]]) -> ArrayRef {
    let mut builder = BinaryViewBuilder::with_capacity(ids.len());
    ids.iter().for_each(|id| builder.append_option((*id != [0; N]).then_some(id)));
    Arc::new(builder.finish())
}

fn attributes(attributes: &Attributes, rows: Range<usize>) -> Result<ArrayRef, Error> {
    let mut maps = LabelsColumn::default();
    rows.for_each(|row| maps.push(attributes.row(row)));
    maps.take()
}
