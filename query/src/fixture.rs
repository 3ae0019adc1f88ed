//! A store that tests make by hand: Parquet files in memory, head rows, series.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int8Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Field};
use model::batch::{Kind, is_stale};
use model::labels::{CLUSTER_LABEL, LabelsBuilder, NAME_LABEL};
use model::time::Date;
use model::{Error, SeriesKey};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use storage::block::Block;
use storage::snapshot::HeadRows;
use storage::{Resolved, Selection, SeriesInfo, Table};
use uuid::Uuid;

/// One sample: series, milliseconds, value.
pub(crate) type Row = (usize, i64, f64);

/// See the module.
#[derive(Debug)]
pub(crate) struct Fixture {
    series: Vec<Arc<SeriesInfo>>,
    store: Arc<InMemory>,
    blocks: BTreeMap<Table, Vec<Arc<Block>>>,
    heads: Vec<(i64, Vec<Row>)>,
    /// Rows of a data page.
    page_rows: usize,
    /// Rows of a row group.
    group_rows: usize,
}

/// A series key out of a name, a cluster and labels.
pub(crate) fn key(name: &str, cluster: &str, labels: &[(&str, &str)]) -> SeriesKey {
    let mut builder = LabelsBuilder::default();
    builder.push(NAME_LABEL, name);
    builder.push(CLUSTER_LABEL, cluster);
    for (label, value) in labels {
        builder.push(label, value);
    }
    builder.build(None).unwrap()
}

impl Fixture {
    /// A store that knows these series; positions in `keys` are what [`Row`] means by a series.
    pub(crate) fn new(keys: &[SeriesKey]) -> Self {
        let info = |key: &SeriesKey| {
            Arc::new(SeriesInfo { id: key.labels.series_id(), key: key.clone(), kind: Kind::Gauge, first_time_ms: 0 })
        };
        Fixture {
            series: keys.iter().map(info).collect(),
            store: Arc::new(InMemory::new()),
            blocks: BTreeMap::new(),
            heads: Vec::new(),
            page_rows: 100,
            group_rows: 1000,
        }
    }

    /// Sets the rows of a page and of a row group for the blocks made from now on.
    pub(crate) fn sized(mut self, page_rows: usize, group_rows: usize) -> Self {
        (self.page_rows, self.group_rows) = (page_rows, group_rows);
        self
    }

    /// Adds a block of samples committed at version `generation`; `window` as [`Block::window_ms`].
    pub(crate) async fn block(&mut self, generation: i64, window: Option<(i64, i64)>, rows: &[Row]) {
        let batch = self.batch(rows);
        let times = rows.iter().map(|row| row.1);
        let (min, max) = (times.clone().min().unwrap(), times.max().unwrap());
        self.put(Table::Samples, generation, window, (min, max), &batch).await;
    }

    /// Adds a block of `series` that holds every series.
    pub(crate) async fn series_block(&mut self) {
        let batch = self.series_batch();
        self.put(Table::Series, 1, None, (0, 0), &batch).await;
    }

    /// Adds rows that are in no block.
    pub(crate) fn head(&mut self, rank: i64, rows: &[Row]) {
        self.heads.push((rank, rows.to_vec()));
    }

    async fn put(
        &mut self,
        table: Table,
        generation: i64,
        window: Option<(i64, i64)>,
        time: (i64, i64),
        batch: &RecordBatch,
    ) {
        let properties = WriterProperties::builder()
            .set_data_page_row_count_limit(self.page_rows)
            .set_write_batch_size(self.page_rows.min(1024))
            .set_max_row_group_row_count(Some(self.group_rows))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_column_dictionary_enabled(ColumnPath::from("time_ms"), false)
            .set_column_dictionary_enabled(ColumnPath::from("mantissa"), false)
            .set_column_dictionary_enabled(ColumnPath::from("value"), false)
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        let blocks = self.blocks.entry(table).or_default();
        let date = Date::of_ms(time.0);
        let path = format!("date={date}/{}.parquet", blocks.len());
        let size_bytes = bytes.len() as u64;
        let location = Path::parse(format!("{}/{path}", table.name())).unwrap();
        self.store.put(&location, bytes.into()).await.unwrap();
        blocks.push(Arc::new(Block {
            path,
            size_bytes,
            date,
            rows: batch.num_rows() as u64,
            min_time_ms: time.0,
            max_time_ms: time.1,
            window_ms: window,
            journal: Uuid::nil(),
            gen_min: generation,
            gen_max: generation,
        }));
    }

    /// Rows in the order of the tables. A value that is an integer goes to `mantissa`, half of them scaled.
    fn batch(&self, rows: &[Row]) -> RecordBatch {
        let mut rows = rows.to_vec();
        let order = |row: &Row| {
            let s = &self.series[row.0];
            (Arc::clone(&s.key.name), Arc::clone(&s.key.cluster), s.id, row.1)
        };
        rows.sort_by_key(order);
        let info = |row: &Row| &self.series[row.0];
        let as_decimal = |value: f64| {
            let tenths = value * 10.0;
            (tenths.fract() == 0.0 && tenths.abs() < 1e12).then_some((tenths as i64, 1i8))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|r| Some(&*info(r).key.name)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|r| Some(&*info(r).key.cluster)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|r| Some(info(r).id)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|r| Some(r.1)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|r| as_decimal(r.2).map(|d| d.0)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|r| as_decimal(r.2).map(|d| d.1)).collect::<Int8Array>()),
            Arc::new(
                rows.iter()
                    .map(|r| (as_decimal(r.2).is_none() && !is_stale(r.2)).then_some(r.2))
                    .collect::<Float64Array>(),
            ),
        ];
        RecordBatch::try_new(Table::Samples.schema(), columns).unwrap()
    }

    fn series_batch(&self) -> RecordBatch {
        let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
        let mut labels = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
            .with_keys_field(Field::new("key", DataType::Utf8, false))
            .with_values_field(Field::new("value", DataType::Utf8, true));
        for series in &self.series {
            for (name, value) in series.key.labels.iter() {
                labels.keys().append_value(name);
                labels.values().append_value(value);
            }
            labels.append(true).unwrap();
        }
        let all = &self.series;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(all.iter().map(|s| Some(&*s.key.name)).collect::<StringArray>()),
            Arc::new(all.iter().map(|s| Some(&*s.key.cluster)).collect::<StringArray>()),
            Arc::new(all.iter().map(|s| Some(s.id)).collect::<Int64Array>()),
            Arc::new(labels.finish()),
            Arc::new(all.iter().map(|s| Some(s.kind.as_str())).collect::<StringArray>()),
            Arc::new(all.iter().map(|s| Some(s.first_time_ms)).collect::<Int64Array>()),
        ];
        RecordBatch::try_new(Table::Series.schema(), columns).unwrap()
    }

    pub(crate) fn resolve(&self, selection: &Selection) -> Resolved {
        let fulfils = |series: &&Arc<SeriesInfo>| {
            selection.matchers.iter().all(|matcher| {
                let value = match matcher.label.as_str() {
                    NAME_LABEL => &series.key.name,
                    CLUSTER_LABEL => &series.key.cluster,
                    label => series.key.labels.get(label).unwrap_or(""),
                };
                matcher.condition.holds(value)
            })
        };
        let mut series: Vec<_> = self.series.iter().filter(fulfils).cloned().collect();
        series.sort_by(|a, b| a.key.table_order(&b.key));
        Resolved { series }
    }

    pub(crate) fn blocks(&self, table: Table) -> Vec<Arc<Block>> {
        self.blocks.get(&table).cloned().unwrap_or_default()
    }

    pub(crate) fn head_samples(&self, resolved: &Resolved, time_ms: &RangeInclusive<i64>) -> Vec<HeadRows> {
        let wanted = |row: &&Row| time_ms.contains(&row.1) && resolved.series.contains(&self.series[row.0]);
        let heads = self.heads.iter().filter_map(|(rank, rows)| {
            let rows: Vec<Row> = rows.iter().filter(wanted).copied().collect();
            let (min, max) = (rows.iter().map(|r| r.1).min()?, rows.iter().map(|r| r.1).max()?);
            Some(HeadRows { batches: vec![self.batch(&rows)], rank: *rank, min_time_ms: min, max_time_ms: max })
        });
        heads.collect()
    }

    pub(crate) fn head_rows(&self, table: Table) -> Vec<RecordBatch> {
        match table {
            Table::Series if !self.blocks.contains_key(&Table::Series) => vec![self.series_batch()],
            _ => Vec::new(),
        }
    }

    pub(crate) fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        let mut last = BTreeMap::new();
        for (series, time, _) in self.heads.iter().flat_map(|(_, rows)| rows) {
            let newest = last.entry(Arc::clone(&self.series[*series].key.cluster)).or_insert(*time);
            *newest = (*newest).max(*time);
        }
        last
    }

    pub(crate) fn object_store(&self, table: Table) -> (Arc<dyn ObjectStore>, Path) {
        (Arc::clone(&self.store) as Arc<dyn ObjectStore>, Path::from(table.name()))
    }

    pub(crate) async fn footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        let location = Path::parse(format!("{}/{}", table.name(), block.path)).unwrap();
        let bytes = self.store.get(&location).await.unwrap().bytes().await.unwrap();
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
        reader.try_parse(&bytes).unwrap();
        Ok(Arc::new(reader.finish().unwrap()))
    }
}
