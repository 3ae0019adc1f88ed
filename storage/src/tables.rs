//! The tables and their Arrow schemas, column by column.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use object_store::path::Path;

/// A table of the store. Each is one Delta table, partitioned by `date` (UTC day, not among the columns of a file).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row per series and day.
    Series,
    /// One row per sample.
    Samples,
    /// One row per native histogram.
    Histograms,
    /// One row per series, day and time at which it began at zero; a restart may add it once more.
    Starts,
    /// One row per exemplar.
    Exemplars,
    /// One row per metric family, cluster, day and what is said of it then; a restart may add it once more.
    Metadata,
    /// One row per log line.
    Logs,
    /// One row per span.
    Spans,
}

/// The partition column of every table.
pub const DATE: &str = "date";

impl Table {
    /// All tables, in the order in which a cut commits them: a series before its samples.
    pub const ALL: [Table; 8] = [
        Table::Series,
        Table::Metadata,
        Table::Starts,
        Table::Exemplars,
        Table::Histograms,
        Table::Samples,
        Table::Logs,
        Table::Spans,
    ];

    /// Where it stands in [`Table::ALL`], which is the order of every list by table.
    pub(crate) fn place(self) -> usize {
        match self {
            Table::Series => 0,
            Table::Metadata => 1,
            Table::Starts => 2,
            Table::Exemplars => 3,
            Table::Histograms => 4,
            Table::Samples => 5,
            Table::Logs => 6,
            Table::Spans => 7,
        }
    }

    /// The first two columns, by which its rows are sorted first: they come in runs.
    pub fn keys(self) -> [&'static str; 2] {
        match self {
            Table::Logs | Table::Spans => ["cluster", "service"],
            _ => ["name", "cluster"],
        }
    }

    /// The column that is the time of a row, and how many of its units are a millisecond.
    pub fn time(self) -> (&'static str, i64) {
        match self {
            Table::Series => ("first_time_ms", 1),
            Table::Logs => ("time_unix_nano", model::time::MS_NANOS),
            Table::Spans => ("start_time_unix_nano", model::time::MS_NANOS),
            _ => ("time_ms", 1),
        }
    }

    /// The name of the table and of its folder under the root of the store.
    pub fn name(self) -> &'static str {
        match self {
            Table::Series => "series",
            Table::Samples => "samples",
            Table::Histograms => "histograms",
            Table::Starts => "starts",
            Table::Exemplars => "exemplars",
            Table::Metadata => "metadata",
            Table::Logs => "logs",
            Table::Spans => "spans",
        }
    }

    /// Where the object store has one of its files, by the path below the table's folder.
    pub(crate) fn location(self, path: &str) -> Path {
        Path::from(format!("{}/{path}", self.name()))
    }

    /// The columns of its files.
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; Table::ALL.len()]> = LazyLock::new(|| {
            let tables = [series(), metadata(), starts(), exemplars(), histograms(), samples(), logs(), spans()];
            tables.map(|fields| Arc::new(Schema::new(fields)))
        });
        SCHEMAS[self.place()].clone()
    }

    /// The columns as a query reads them: text as views, which costs no copy of a dictionary.
    pub fn read_schema(self) -> SchemaRef {
        let schema = self.schema();
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
            DataType::Binary => Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView)),
            _ => field.clone(),
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

fn series() -> Vec<Field> {
    vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("series_id", DataType::Int64, false),
        Field::new("labels", labels_type(), false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("first_time_ms", DataType::Int64, false),
    ]
}

fn samples() -> Vec<Field> {
    vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("series_id", DataType::Int64, false),
        Field::new("time_ms", DataType::Int64, false),
        Field::new("mantissa", DataType::Int64, true),
        Field::new("scale", DataType::Int8, true),
        Field::new("value", DataType::Float64, true),
    ]
}

/// Columns with counts come twice: as whole numbers, and as doubles for histograms that were computed. A row that has
/// neither is a staleness marker.
fn histograms() -> Vec<Field> {
    let list = |name: &str, item: DataType| Field::new(name, DataType::List(list_item(item)), true);
    let side = |side: &str| {
        [
            list(&format!("{side}_offsets"), DataType::Int32),
            list(&format!("{side}_lengths"), DataType::Int32),
            list(&format!("{side}_counts"), DataType::Int64),
            list(&format!("{side}_counts_float"), DataType::Float64),
        ]
    };
    let mut fields = vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("series_id", DataType::Int64, false),
        Field::new("time_ms", DataType::Int64, false),
        Field::new("start_time_ms", DataType::Int64, true),
        Field::new("reset_hint", DataType::Utf8, false),
        Field::new("schema", DataType::Int8, true),
        Field::new("count", DataType::Int64, true),
        Field::new("count_float", DataType::Float64, true),
        Field::new("sum", DataType::Float64, true),
        Field::new("zero_threshold", DataType::Float64, true),
        Field::new("zero_count", DataType::Int64, true),
        Field::new("zero_count_float", DataType::Float64, true),
        list("custom_bounds", DataType::Float64),
    ];
    fields.extend(side("positive"));
    fields.extend(side("negative"));
    fields
}

fn starts() -> Vec<Field> {
    vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("series_id", DataType::Int64, false),
        Field::new("time_ms", DataType::Int64, false),
        Field::new("start_time_ms", DataType::Int64, false),
    ]
}

fn exemplars() -> Vec<Field> {
    vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("series_id", DataType::Int64, false),
        Field::new("time_ms", DataType::Int64, false),
        Field::new("value", DataType::Float64, false),
        Field::new("trace_id", DataType::Utf8, false),
        Field::new("span_id", DataType::Utf8, false),
        Field::new("labels", labels_type(), false),
    ]
}

fn metadata() -> Vec<Field> {
    vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("cluster", DataType::Utf8, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("unit", DataType::Utf8, false),
        Field::new("help", DataType::Utf8, false),
        Field::new("time_ms", DataType::Int64, false),
    ]
}

/// The columns that are made of a resource's attributes, after cluster and service.
fn places() -> [Field; 4] {
    ["namespace", "pod", "container", "node"].map(|name| Field::new(name, DataType::Utf8, false))
}

fn logs() -> Vec<Field> {
    let mut fields = vec![
        Field::new("cluster", DataType::Utf8, false),
        Field::new("service", DataType::Utf8, false),
        Field::new("time_unix_nano", DataType::Int64, false),
        Field::new("observed_time_unix_nano", DataType::Int64, false),
    ];
    fields.extend(places());
    fields.extend([
        Field::new("severity_number", DataType::Int32, false),
        Field::new("severity_text", DataType::Utf8, false),
        Field::new("body", DataType::Utf8, false),
        Field::new("trace_id", DataType::Binary, true),
        Field::new("span_id", DataType::Binary, true),
        Field::new("flags", DataType::Int32, false),
        Field::new("scope_name", DataType::Utf8, false),
        Field::new("scope_version", DataType::Utf8, false),
        Field::new("resource", labels_type(), false),
        Field::new("attributes", labels_type(), false),
    ]);
    fields
}

fn spans() -> Vec<Field> {
    let mut fields = vec![
        Field::new("cluster", DataType::Utf8, false),
        Field::new("service", DataType::Utf8, false),
        Field::new("start_time_unix_nano", DataType::Int64, false),
        Field::new("duration_nano", DataType::Int64, false),
    ];
    fields.extend(places());
    fields.extend([
        Field::new("name", DataType::Utf8, false),
        Field::new("kind", DataType::Int32, false),
        Field::new("trace_id", DataType::Binary, false),
        Field::new("span_id", DataType::Binary, false),
        Field::new("parent_span_id", DataType::Binary, true),
        Field::new("trace_state", DataType::Utf8, false),
        Field::new("flags", DataType::Int32, false),
        Field::new("status_code", DataType::Int32, false),
        Field::new("status_message", DataType::Utf8, false),
        Field::new("scope_name", DataType::Utf8, false),
        Field::new("scope_version", DataType::Utf8, false),
        Field::new("resource", labels_type(), false),
        Field::new("attributes", labels_type(), false),
        Field::new("events", DataType::List(list_item(DataType::Struct(event_fields()))), false),
        Field::new("links", DataType::List(list_item(DataType::Struct(link_fields()))), false),
    ]);
    fields
}

/// What is known of an event of a span.
pub(crate) fn event_fields() -> Fields {
    Fields::from(vec![
        Field::new("time_unix_nano", DataType::Int64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("attributes", labels_type(), false),
    ])
}

/// What is known of a link of a span.
pub(crate) fn link_fields() -> Fields {
    Fields::from(vec![
        Field::new("trace_id", DataType::Binary, false),
        Field::new("span_id", DataType::Binary, false),
        Field::new("trace_state", DataType::Utf8, false),
        Field::new("attributes", labels_type(), false),
    ])
}

/// The items of a list, named as Parquet and Delta name them.
pub(crate) fn list_item(item: DataType) -> FieldRef {
    Arc::new(Field::new("element", item, false))
}

/// `map<string, string>` with the field names that Parquet and Delta use.
pub fn labels_type() -> DataType {
    map_type(DataType::Utf8, DataType::Utf8)
}

/// As [`labels_type`], with keys and values in other types of text.
pub(crate) fn map_type(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries), false)), false)
}
