use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{Int32Type, Int64Type, Schema};
use bytes::Bytes;
use model::resource::Resource;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::head::HeadColumns;
use super::*;
use crate::Table;
use crate::columnar::testing::{logs, spans};

/// Noon of a day.
const NOON: i64 = 1_795_348_800_000_000_000;

/// The rows of a block as they are read, in the types that the table has.
fn read_block(bytes: Vec<u8>, table: Table) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let schema = batches[0].schema();
    for (read, wanted) in schema.fields().iter().zip(table.schema().fields()) {
        assert_eq!(
            (read.name(), read.data_type(), read.is_nullable()),
            (wanted.name(), wanted.data_type(), wanted.is_nullable())
        );
    }
    concat_batches(&schema, &batches).unwrap()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = cast(batch.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
}

fn longs(batch: &RecordBatch, column: &str) -> Vec<i64> {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec()
}

fn ints(batch: &RecordBatch, column: &str) -> Vec<i32> {
    batch.column_by_name(column).unwrap().as_primitive::<Int32Type>().values().to_vec()
}

fn ids(batch: &RecordBatch, column: &str) -> Vec<Option<Vec<u8>>> {
    let column = cast(batch.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Binary).unwrap();
    column.as_binary::<i32>().iter().map(|id| id.map(<[u8]>::to_vec)).collect()
}

fn map(column: &dyn Array, row: usize) -> Vec<(String, String)> {
    let entries = column.as_map().value(row);
    let text = |at: usize| cast(entries.column(at), &arrow::datatypes::DataType::Utf8).unwrap();
    let (names, values) = (text(0), text(1));
    let pairs = names.as_string::<i32>().iter().zip(values.as_string::<i32>().iter());
    pairs.map(|(name, value)| (name.unwrap().to_owned(), value.unwrap().to_owned())).collect()
}

fn optional<const N: usize>(id: [u8; N]) -> Option<Vec<u8>> {
    (id != [0; N]).then(|| id.to_vec())
}

fn check_origin(batch: &RecordBatch, row: usize, resource: &Resource) {
    let names = ["cluster", "namespace", "pod", "container", "node", "service"];
    let there = names.map(|name| texts(batch, name)[row].clone());
    assert_eq!(there, resource.columns().map(|text| text.to_string()));
    let attributes: Vec<_> =
        resource.attributes.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(map(batch.column_by_name("resource").unwrap(), row), attributes);
}

fn check_logs(batch: &RecordBatch, row: usize, logs: &Logs, from: usize) {
    let log = logs.row(from);
    check_origin(batch, row, logs.resources.get(log.resource).unwrap());
    assert_eq!(longs(batch, "time_unix_nano")[row], log.time_unix_nano);
    assert_eq!(longs(batch, "observed_time_unix_nano")[row], log.observed_time_unix_nano);
    assert_eq!(ints(batch, "severity_number")[row], i32::from(log.severity_number));
    assert_eq!((&*texts(batch, "severity_text")[row], &*texts(batch, "body")[row]), (log.severity_text, log.body));
    assert_eq!(
        (&ids(batch, "trace_id")[row], &ids(batch, "span_id")[row]),
        (&optional(log.trace_id), &optional(log.span_id))
    );
    assert_eq!(ints(batch, "flags")[row].cast_unsigned(), log.flags);
    let scope = logs.scopes.get(log.scope).unwrap();
    assert_eq!((&texts(batch, "scope_name")[row], &texts(batch, "scope_version")[row]), (&scope.name, &scope.version));
    let attributes: Vec<_> =
        logs.attributes.row(from).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(map(batch.column_by_name("attributes").unwrap(), row), attributes);
}

fn check_spans(batch: &RecordBatch, row: usize, spans: &Spans, from: usize) {
    let span = spans.row(from);
    check_origin(batch, row, spans.resources.get(span.resource).unwrap());
    assert_eq!(longs(batch, "start_time_unix_nano")[row], span.start_time_unix_nano);
    assert_eq!(longs(batch, "duration_nano")[row], span.duration_nano);
    assert_eq!((&*texts(batch, "name")[row], &*texts(batch, "trace_state")[row]), (span.name, span.trace_state));
    assert_eq!(
        (ints(batch, "kind")[row], ints(batch, "status_code")[row]),
        (span.kind.into(), span.status_code.into())
    );
    assert_eq!(
        (&*texts(batch, "status_message")[row], ints(batch, "flags")[row].cast_unsigned()),
        (span.status_message, span.flags)
    );
    assert_eq!(ids(batch, "trace_id")[row].as_deref(), Some(&span.trace_id[..]));
    assert_eq!(ids(batch, "span_id")[row].as_deref(), Some(&span.span_id[..]));
    assert_eq!(ids(batch, "parent_span_id")[row], optional(span.parent_span_id));
    let attributes: Vec<_> =
        spans.attributes.row(from).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(map(batch.column_by_name("attributes").unwrap(), row), attributes);

    let events = batch.column_by_name("events").unwrap().as_list::<i32>().value(row);
    let events = RecordBatch::from(events.as_struct().clone());
    assert_eq!(events.num_rows(), spans.events.of(from).len());
    for (at, event) in spans.events.of(from).enumerate() {
        assert_eq!(longs(&events, "time_unix_nano")[at], spans.events.time_unix_nano[event]);
        assert_eq!(texts(&events, "name")[at], spans.texts.get(spans.events.name[event]));
        let told: Vec<_> =
            spans.events.attributes.row(event).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(map(events.column_by_name("attributes").unwrap(), at), told);
    }
    let links = batch.column_by_name("links").unwrap().as_list::<i32>().value(row);
    let links = RecordBatch::from(links.as_struct().clone());
    assert_eq!(links.num_rows(), spans.links.of(from).len());
    for (at, link) in spans.links.of(from).enumerate() {
        assert_eq!(ids(&links, "trace_id")[at].as_deref(), Some(&spans.links.trace_id[link][..]));
        assert_eq!(ids(&links, "span_id")[at].as_deref(), Some(&spans.links.span_id[link][..]));
        assert_eq!(texts(&links, "trace_state")[at], spans.texts.get(spans.links.trace_state[link]));
    }
}

type Check<C> = fn(&RecordBatch, usize, &C, usize);

/// Writes the rows of chunks into blocks and reads them back; of each row also what a query reads of the head.
fn blocks_hold_the_rows<C: Blocked>(chunks: Vec<C>, check: Check<C>)
where
    HeadColumns: From<Chunk<C>>,
{
    let chunks: Vec<Chunk<C>> = chunks.into_iter().filter_map(|rows| Chunk::new(Arc::new(rows))).collect();
    let mut seen = HashMap::new();
    for (date, rows) in sorted(&chunks) {
        let mut bytes = Vec::new();
        let meta = write(&chunks, &rows, &mut bytes).unwrap();
        let batch = read_block(bytes, C::TABLE);
        assert_eq!((meta.rows as usize, batch.num_rows()), (rows.len(), rows.len()));
        let keys = |row: usize| {
            let (cluster, service) = (texts(&batch, "cluster")[row].clone(), texts(&batch, "service")[row].clone());
            (cluster, service, longs(&batch, C::TABLE.time().0)[row])
        };
        assert!((0..rows.len()).map(keys).is_sorted(), "in the order of the table");
        let bounds = meta.bounds.unwrap();
        for (row, from) in rows.iter().enumerate() {
            check(&batch, row, &chunks[from.chunk as usize].rows, from.row as usize);
            let (cluster, service, time) = keys(row);
            assert_eq!(Date::of_ms(time.div_euclid(MS_NANOS)), date);
            assert!((bounds.min_time_ms..=bounds.max_time_ms).contains(&time.div_euclid(MS_NANOS)));
            let of_key = |key: &str, (min, max): &(Arc<str>, Arc<str>)| &**min <= key && key <= &**max;
            assert!(of_key(&cluster, &bounds.keys[0]) && of_key(&service, &bounds.keys[1]));
            *seen.entry((from.chunk, from.row)).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), chunks.iter().map(|chunk| chunk.rows.len()).sum::<usize>(), "no row is missing");
    assert!(seen.values().all(|count| *count == 1));

    for chunk in &chunks {
        let all: Vec<usize> = (0..C::TABLE.schema().fields().len()).collect();
        for half in [0..chunk.rows.len() / 2, chunk.rows.len() / 2..chunk.rows.len()] {
            let batch = HeadColumns::from(chunk.clone()).read(&all, half.clone()).unwrap();
            assert_eq!(batch.schema(), C::TABLE.read_schema());
            let narrow: Vec<_> = batch
                .columns()
                .iter()
                .zip(C::TABLE.schema().fields())
                .map(|(column, field)| cast(column, field.data_type()).unwrap())
                .collect();
            let batch =
                RecordBatch::try_new(Arc::new(Schema::new(C::TABLE.schema().fields().clone())), narrow).unwrap();
            (0..batch.num_rows()).for_each(|row| check(&batch, row, &chunk.rows, half.start + row));
        }
    }
}

fn chunks() -> impl Strategy<Value = Vec<Vec<(i64, u8)>>> {
    let day = 86_400_000_000_000;
    let seed = (NOON - day..NOON + day, any::<u8>());
    prop::collection::vec(prop::collection::vec(seed, 0..20), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn blocks_of_logs_hold_what_was_written(chunks in chunks()) {
        blocks_hold_the_rows(chunks.iter().map(|seeds| logs(seeds)).collect(), check_logs);
    }

    #[test]
    fn blocks_of_spans_hold_what_was_written(chunks in chunks()) {
        blocks_hold_the_rows(chunks.iter().map(|seeds| spans(seeds)).collect(), check_spans);
    }
}
