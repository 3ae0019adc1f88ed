//! Log rows and spans of histories: everything in a row follows from its seed, and must be read again as it was.
//!
//! Owns: the way from a seed to a row and back.
//! Does not own: which rows are written, and which must be there (`columnar`).

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use model::logs::Log;
use model::resource::{Resource, Scope};
use model::spans::Span;
use model::{Logs, Spans};
use storage::Table;
use storage::block::Block;

use crate::read::column;

/// What makes a row: its table and time, and a number that everything else is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seed {
    pub(crate) table: Table,
    pub(crate) time_unix_nano: i64,
    pub(crate) number: u64,
}

/// The live blocks of `logs` and `spans`, each with its rows.
pub(crate) type ColumnarBlocks = Vec<(Table, Arc<Block>, Arc<Vec<Seed>>)>;

impl Seed {
    /// What the tables are sorted by.
    pub(crate) fn order(&self) -> (&'static str, String, i64) {
        (self.cluster(), self.service(), self.time_unix_nano)
    }

    fn cluster(&self) -> &'static str {
        ["eu-1", "us-2", ""][(self.number % 3) as usize]
    }

    fn service(&self) -> String {
        format!("service {}", self.number % 5)
    }

    /// The line of a log row, the name of a span.
    fn text(&self) -> String {
        "ä\u{0}".repeat((self.number % 7) as usize) + &format!("row {}", self.number)
    }

    fn trace_id(&self) -> [u8; 16] {
        let mut id = [1; 16];
        id[8..].copy_from_slice(&self.number.to_be_bytes());
        id
    }

    /// The observed time of a log row, the duration of a span.
    fn second_number(&self) -> i64 {
        self.number as i64 * 1_000_003 - 7
    }

    fn attributes(&self) -> Vec<(String, String)> {
        (0..self.number % 4).map(|n| (format!("key {n}"), format!("{}", self.number + n))).collect()
    }

    fn events(&self) -> usize {
        (self.number % 3) as usize
    }

    fn resource(&self) -> Arc<Resource> {
        let (cluster, service) = (self.cluster(), self.service());
        Arc::new(Resource::new([("k8s.cluster.name", cluster), ("service.name", &service)]))
    }
}

/// The batch of these log rows.
pub(crate) fn logs(seeds: &[Seed]) -> Logs {
    let mut logs = Logs::default();
    for seed in seeds {
        seed.attributes().iter().for_each(|(key, value)| logs.attributes.push(key, value));
        let row = Log {
            resource: logs.resources.place(&seed.resource()),
            scope: logs.scopes.place(&Arc::new(Scope::default())),
            time_unix_nano: seed.time_unix_nano,
            observed_time_unix_nano: seed.second_number(),
            severity_number: 9,
            severity_text: "INFO",
            body: &seed.text(),
            trace_id: seed.trace_id(),
            span_id: seed.number.to_be_bytes(),
            flags: 1,
        };
        logs.push(&row);
    }
    logs
}

/// The batch of these spans.
pub(crate) fn spans(seeds: &[Seed]) -> Spans {
    let mut spans = Spans::default();
    for seed in seeds {
        seed.attributes().iter().for_each(|(key, value)| spans.attributes.push(key, value));
        for _ in 0..seed.events() {
            spans.push_event(seed.time_unix_nano, "event");
        }
        let row = Span {
            resource: spans.resources.place(&seed.resource()),
            scope: spans.scopes.place(&Arc::new(Scope::default())),
            trace_id: seed.trace_id(),
            span_id: seed.number.to_be_bytes(),
            parent_span_id: [0; 8],
            trace_state: "",
            flags: 1,
            name: &seed.text(),
            kind: 2,
            start_time_unix_nano: seed.time_unix_nano,
            duration_nano: seed.second_number(),
            status_code: 0,
            status_message: "",
        };
        spans.push(&row);
    }
    spans
}

/// The seeds of rows of `logs`; the error says which row is not as it was written.
pub(crate) fn logs_of(batch: &RecordBatch) -> Result<Vec<Seed>, String> {
    seeds_of(Table::Logs, batch, "observed_time_unix_nano", "body")
}

/// The seeds of rows of `spans`.
pub(crate) fn spans_of(batch: &RecordBatch) -> Result<Vec<Seed>, String> {
    seeds_of(Table::Spans, batch, "duration_nano", "name")
}

fn seeds_of(table: Table, batch: &RecordBatch, second: &str, text: &str) -> Result<Vec<Seed>, String> {
    let whole = |name: &str| column(batch, name, &DataType::Int64);
    let texts = |name: &str| column(batch, name, &DataType::Utf8);
    let bytes = |name: &str| column(batch, name, &DataType::Binary);
    let (times, second) = (whole(table.time().0)?, whole(second)?);
    let (clusters, services, text) = (texts("cluster")?, texts("service")?, texts(text)?);
    let (traces, ids) = (bytes("trace_id")?, bytes("span_id")?);
    let attributes = batch.column_by_name("attributes").and_then(|column| column.as_map_opt().cloned());
    let attributes = attributes.ok_or("attributes is no map")?;
    let events = batch.column_by_name("events").and_then(|column| column.as_list_opt::<i32>().cloned());
    let mut seeds = Vec::new();
    for at in 0..batch.num_rows() {
        let id =
            ids.as_binary::<i32>().value(at).try_into().map_err(|_| format!("row {at} has an odd id: {batch:?}"))?;
        let time_unix_nano = times.as_primitive::<Int64Type>().value(at);
        let seed = Seed { table, time_unix_nano, number: u64::from_be_bytes(id) };
        let own = pairs(&attributes.value(at))?;
        let is_as_written = clusters.as_string::<i32>().value(at) == seed.cluster()
            && services.as_string::<i32>().value(at) == seed.service()
            && text.as_string::<i32>().value(at) == seed.text()
            && traces.as_binary::<i32>().value(at) == seed.trace_id()
            && second.as_primitive::<Int64Type>().value(at) == seed.second_number()
            && events.as_ref().is_none_or(|events| events.value_length(at) as usize == seed.events())
            && own == seed.attributes();
        if !is_as_written {
            return Err(format!("row {at} is not what {seed:?} makes: {batch:?}"));
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

fn pairs(entries: &arrow::array::StructArray) -> Result<Vec<(String, String)>, String> {
    let text = |n: usize| arrow::compute::cast(entries.column(n), &DataType::Utf8).map_err(|e| e.to_string());
    let (keys, values) = (text(0)?, text(1)?);
    let pair = |at: usize| {
        let (key, value) = (keys.as_string::<i32>().value(at), values.as_string::<i32>().value(at));
        (key.to_owned(), value.to_owned())
    };
    Ok((0..entries.len()).map(pair).collect())
}
