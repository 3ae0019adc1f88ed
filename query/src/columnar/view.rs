//! The columns of `logs` and `spans` as a query sees them, and how they are made of those of the tables.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, StringViewArray, StringViewBuilder, StructArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use storage::Table;
use storage::tables::labels_type;

/// How a column of the view is made of one of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Same,
    /// Nanoseconds as a timestamp.
    Time,
    /// Bytes as hexadecimal text.
    Id,
    /// The number of a span's kind as its word.
    Kind,
    /// The number of a status as its word.
    Status,
    /// The events of a span, their times as timestamps.
    Events,
    /// The links of a span, their ids as text.
    Links,
}

/// The words for the kinds of spans, by their numbers.
///
/// Source: `opentelemetry/proto/trace/v1/trace.proto`, `SpanKind`
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
/// The words for the codes of a status, by their numbers.
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// A column of a view.
#[derive(Debug)]
pub(crate) struct ViewColumn {
    pub(crate) field: FieldRef,
    /// The place of the column of the table.
    pub(crate) physical: usize,
    pub(crate) form: Form,
    /// The name of the column of the table.
    pub(crate) source: &'static str,
}

/// A view of a table.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) table: Table,
    pub(crate) columns: Vec<ViewColumn>,
    pub(crate) schema: SchemaRef,
}

/// Columns of the view that bear the name of the one of the table.
const LOGS: [&str; 14] = [
    "cluster",
    "service",
    "namespace",
    "pod",
    "container",
    "node",
    "severity_number",
    "severity_text",
    "body",
    "flags",
    "scope_name",
    "scope_version",
    "resource",
    "attributes",
];
/// See `LOGS`.
const SPANS: [&str; 15] = [
    "cluster",
    "service",
    "namespace",
    "pod",
    "container",
    "node",
    "name",
    "duration_nano",
    "trace_state",
    "flags",
    "status_message",
    "scope_name",
    "scope_version",
    "resource",
    "attributes",
];

impl View {
    /// The view of a table of logs or spans.
    pub(crate) fn of(table: Table) -> &'static View {
        static VIEWS: LazyLock<[View; 2]> = LazyLock::new(|| {
            let mut logs = vec![
                ("ts", "time_unix_nano", Form::Time),
                ("observed_ts", "observed_time_unix_nano", Form::Time),
                ("trace_id", "trace_id", Form::Id),
                ("span_id", "span_id", Form::Id),
            ];
            logs.splice(2..2, LOGS[..9].iter().map(|name| (*name, *name, Form::Same)));
            logs.extend(LOGS[9..].iter().map(|name| (*name, *name, Form::Same)));
            let mut spans = vec![
                ("ts", "start_time_unix_nano", Form::Time),
                ("kind", "kind", Form::Kind),
                ("status", "status_code", Form::Status),
                ("trace_id", "trace_id", Form::Id),
                ("span_id", "span_id", Form::Id),
                ("parent_span_id", "parent_span_id", Form::Id),
            ];
            spans.splice(1..1, SPANS[..8].iter().map(|name| (*name, *name, Form::Same)));
            spans.extend(SPANS[8..].iter().map(|name| (*name, *name, Form::Same)));
            spans.extend([("events", "events", Form::Events), ("links", "links", Form::Links)]);
            [View::new(Table::Logs, logs), View::new(Table::Spans, spans)]
        });
        if table == Table::Spans { &VIEWS[1] } else { &VIEWS[0] }
    }

    fn new(table: Table, columns: Vec<(&'static str, &'static str, Form)>) -> Self {
        let physical = table.read_schema();
        let columns = columns.into_iter().filter_map(|(name, source, form)| {
            let (place, of) = physical.column_with_name(source)?;
            let field = Arc::new(Field::new(name, form.data_type(of.data_type()), of.is_nullable()));
            Some(ViewColumn { field, physical: place, form, source })
        });
        let columns: Vec<ViewColumn> = columns.collect();
        let schema = Arc::new(Schema::new(columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>()));
        View { table, columns, schema }
    }

    /// The column with a name.
    pub(crate) fn column(&self, name: &str) -> Option<&ViewColumn> {
        self.columns.iter().find(|column| column.field.name() == name)
    }
}

impl Form {
    fn data_type(self, physical: &DataType) -> DataType {
        let list = |fields| DataType::List(Arc::new(Field::new("element", DataType::Struct(fields), false)));
        match self {
            Form::Same => physical.clone(),
            Form::Time => time_type(),
            Form::Id | Form::Kind | Form::Status => DataType::Utf8View,
            Form::Events => list(event_fields()),
            Form::Links => list(link_fields()),
        }
    }

    /// The column of the view that is made of one of the table.
    ///
    /// # Errors
    /// `Internal` if it has another type than its table.
    pub(crate) fn convert(self, array: &ArrayRef) -> Result<ArrayRef> {
        let unfit = || DataFusionError::Internal(format!("a column of {} cannot become {self:?}", array.data_type()));
        Ok(match self {
            Form::Same => Arc::clone(array),
            Form::Time => times(array).ok_or_else(unfit)?,
            Form::Id => hex(array.as_binary_view_opt().ok_or_else(unfit)?.iter()),
            Form::Kind => words(array, &KINDS).ok_or_else(unfit)?,
            Form::Status => words(array, &STATUSES).ok_or_else(unfit)?,
            Form::Events => {
                let list = array.as_list_opt::<i32>().ok_or_else(unfit)?;
                let parts = list.values().as_struct_opt().ok_or_else(unfit)?;
                let [time, name, attributes] = parts.columns() else { return Err(unfit()) };
                let time = times(time).ok_or_else(unfit)?;
                lists(list, event_fields(), vec![time, Arc::clone(name), Arc::clone(attributes)])?
            }
            Form::Links => {
                let list = array.as_list_opt::<i32>().ok_or_else(unfit)?;
                let parts = list.values().as_struct_opt().ok_or_else(unfit)?;
                let [trace, span, state, attributes] = parts.columns() else { return Err(unfit()) };
                let id = |ids: &ArrayRef| ids.as_binary_opt::<i32>().map(|ids| hex(ids.iter())).ok_or_else(unfit);
                let columns = vec![id(trace)?, id(span)?, Arc::clone(state), Arc::clone(attributes)];
                lists(list, link_fields(), columns)?
            }
        })
    }
}

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn event_fields() -> Fields {
    Fields::from(vec![
        Field::new("ts", time_type(), false),
        Field::new("name", DataType::Utf8, false),
        Field::new("attributes", labels_type(), false),
    ])
}

fn link_fields() -> Fields {
    Fields::from(vec![
        Field::new("trace_id", DataType::Utf8View, false),
        Field::new("span_id", DataType::Utf8View, false),
        Field::new("trace_state", DataType::Utf8, false),
        Field::new("attributes", labels_type(), false),
    ])
}

fn times(array: &ArrayRef) -> Option<ArrayRef> {
    let times = array.as_primitive_opt::<Int64Type>()?;
    let times = TimestampNanosecondArray::new(times.values().clone(), times.nulls().cloned());
    Some(Arc::new(times.with_timezone("UTC")))
}

/// Each number's word; the first for numbers that have none.
fn words(array: &ArrayRef, words: &[&str]) -> Option<ArrayRef> {
    let numbers = array.as_primitive_opt::<Int32Type>()?;
    let word = |number: &i32| usize::try_from(*number).ok().and_then(|number| words.get(number)).unwrap_or(&words[0]);
    Some(Arc::new(StringViewArray::from_iter_values(numbers.values().iter().map(word))))
}

/// Bytes in hexadecimal digits.
fn hex<'a>(ids: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(ids.len());
    let mut digits = String::new();
    for id in ids {
        match id {
            Some(id) => builder.append_value(write_hex(id, &mut digits)),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn write_hex<'a>(bytes: &[u8], into: &'a mut String) -> &'a str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    into.clear();
    for byte in bytes {
        into.push(char::from(DIGITS[usize::from(byte >> 4)]));
        into.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    into
}

/// The bytes of hexadecimal digits, if they are such of `N` bytes.
pub(crate) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        // What is written is in lower case; nothing else is equal to it.
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn lists(list: &ListArray, fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
    let items = StructArray::try_new(fields, columns, None)?;
    let field = Arc::new(Field::new("element", items.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(field, list.offsets().clone(), Arc::new(items), list.nulls().cloned())?))
}

#[cfg(test)]
mod tests;
