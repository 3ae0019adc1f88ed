use arrow::array::ArrayRef;
use arrow::compute::{cast, concat_batches};
use model::batch::{BatchBuilder, Exemplar, Histogram, Metadata, Start};
use model::files::sim::SimDisk;
use model::histogram::{BucketCounts, Counts, Span};
use model::time::ManualClock;
use model::{Ingest, NativeHistogram};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::{Config, Parts, Store};

/// 2026-01-01T00:07:00Z.
const NOW: i64 = 1_767_226_020_000;

/// The rows of a table that are in its only block.
async fn block_rows(snapshot: &Snapshot, table: Table) -> RecordBatch {
    let blocks = snapshot.blocks(table);
    assert_eq!(blocks.len(), 1, "blocks of {}", table.name());
    let bytes = snapshot.object_store(table).0.get(&table.location(&blocks[0].path)).await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.bytes().await.unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let batch = concat_batches(&batches[0].schema(), &batches).unwrap();
    let schema = table.read_schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| cast(column, field.data_type()));
    let columns: Vec<ArrayRef> = columns.map(Result::unwrap).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

#[tokio::test]
async fn a_row_reads_the_same_before_and_after_it_moves_into_a_block() {
    let disk = SimDisk::new();
    let config = Config { url: "/store".into(), journal_bytes: 64 << 20, ..Config::default() };
    let parts = Parts { files: Arc::new(disk), clock: Arc::new(ManualClock::new(NOW)) };
    let store = Store::open(config, parts).await.unwrap();
    let mut builder = BatchBuilder::default();
    for instance in ["b", "a"] {
        let series = builder.series("up", &[("zone", "z"), ("instance", instance)], Kind::Gauge);
        builder.sample(series, NOW - 600_000, 1.0);
    }
    let mut batch = builder.build();
    let labels = [("user", "u"), ("trace_id", "abc"), ("app", "first"), ("span_id", "def"), ("app", "second")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (time_ms, labels) in [(NOW - 600_000, labels.to_vec()), (NOW - 500_000, Vec::new())] {
        batch.exemplars.push(Exemplar { series: 0, time_ms, value: 0.5, labels });
    }
    for (name, kind, help) in [("up", Kind::Gauge, "whether"), ("down", Kind::Counter, "")] {
        let (name, unit, help) = (name.into(), "s".into(), help.into());
        batch.metadata.push(Metadata { name, kind, unit, help });
    }
    for (time_ms, schema) in [(NOW - 600_000, 3), (NOW - 590_000, -4)] {
        let counts = BucketCounts { count: 6, zero: 1, positive: vec![2, 3], negative: Vec::new() };
        let value = NativeHistogram {
            schema,
            sum: 0.25,
            positive_spans: vec![Span { offset: 7, length: 2 }],
            counts: Counts::Integer(counts),
            ..NativeHistogram::stale()
        };
        batch.histograms.push(Histogram { series: 1, time_ms, value });
    }
    batch.histograms.push(Histogram { series: 1, time_ms: NOW - 580_000, value: NativeHistogram::stale() });
    for series in [0, 1] {
        batch.starts.push(Start { series, time_ms: NOW - 600_000, start_ms: NOW - 700_000 });
    }
    store.write(batch.stamped("eu".into())).await.unwrap();
    let tables =
        [(Table::Series, 2), (Table::Exemplars, 2), (Table::Metadata, 2), (Table::Histograms, 3), (Table::Starts, 2)];
    let mut before = Vec::new();
    for (table, rows) in tables {
        before.push(concat_batches(&table.read_schema(), &store.snapshot().head_rows(table).await.unwrap()).unwrap());
        assert_eq!(before[before.len() - 1].num_rows(), rows, "rows of {}", table.name());
    }
    store.cut().await.unwrap();
    let snapshot = store.snapshot();
    for ((table, _), before) in tables.into_iter().zip(before) {
        assert_eq!(snapshot.head_rows(table).await.unwrap(), []);
        assert_eq!(block_rows(&snapshot, table).await, before);
    }
    // Over days, so that no block of any day is between.
    let backwards =
        Selection { matchers: Vec::new(), time_ms: RangeInclusive::new(NOW, NOW - 10 * model::time::DAY_MS) };
    assert_eq!(snapshot.resolve(&backwards).await.unwrap().series, []);
    assert!(snapshot.label_names(&backwards).await.unwrap().is_empty());
}
