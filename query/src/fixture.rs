//! A store that tests make by hand: head rows, series, and blocks in memory that the store's own writers have written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use model::batch::Kind;
use model::labels::{CLUSTER_LABEL, LabelsBuilder, NAME_LABEL};
use model::time::Date;
use model::{Error, SeriesKey};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use storage::block::page::{self, PageRows, SamplePage};
use storage::block::{Block, Layout, SamplesWriter, SeriesWriter};
use storage::snapshot::HeadRows;
use storage::{Resolved, Selection, SeriesInfo, Table};
use uuid::Uuid;

mod store;

pub(crate) use store::Fault;
use store::FaultyStore;

/// One sample: series, milliseconds, value.
pub(crate) type Row = (usize, i64, f64);

/// Samples of one series: milliseconds and the bits of the value.
type Samples = Vec<(i64, u64)>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Fixture {
    series: Vec<Arc<SeriesInfo>>,
    /// Series that have samples and no row of `series`.
    unknown: Vec<usize>,
    store: Arc<FaultyStore>,
    blocks: BTreeMap<Table, Vec<Arc<Block>>>,
    heads: Vec<(i64, Vec<Row>)>,
    layout: Layout,
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
            unknown: Vec::new(),
            store: Arc::default(),
            blocks: BTreeMap::new(),
            heads: Vec::new(),
            layout: Layout { page_rows: 100, group_rows: 1000, ..Layout::default() },
        }
    }

    /// Sets the rows of a page and of a row group for the blocks made from now on.
    pub(crate) fn sized(mut self, page_rows: usize, group_rows: usize) -> Self {
        self.layout = Layout { page_rows, group_rows, ..Layout::default() };
        self
    }

    /// Adds a block of samples committed at version `generation`; `window` as [`Block::window_ms`].
    pub(crate) async fn block(&mut self, generation: i64, window: Option<(i64, i64)>, rows: &[Row]) {
        let mut bytes = Vec::new();
        let mut writer = SamplesWriter::with_layout(&mut bytes, self.layout).unwrap();
        for (info, samples) in self.by_series(rows) {
            writer.push_series(&info.key, info.id, &samples).unwrap();
        }
        let bounds = writer.finish().unwrap().bounds.unwrap();
        let times = (bounds.min_time_ms, bounds.max_time_ms);
        self.put(Table::Samples, generation, window, times, rows.len(), bytes).await;
    }

    /// Adds a block of `series` that holds every series.
    pub(crate) async fn series_block(&mut self) {
        let mut bytes = Vec::new();
        let mut writer = SeriesWriter::new(&mut bytes).unwrap();
        let all = self.resolve(&Selection::all()).series;
        for info in &all {
            writer.push(&info.key, info.id, info.kind, info.first_time_ms).unwrap();
        }
        writer.finish().unwrap();
        self.put(Table::Series, 1, None, (0, 0), all.len(), bytes).await;
    }

    /// Adds rows that are in no block.
    pub(crate) fn head(&mut self, rank: i64, rows: &[Row]) {
        self.heads.push((rank, rows.to_vec()));
    }

    /// Leaves a series out of `series`, though it has samples.
    pub(crate) fn forget(&mut self, series: usize) {
        self.unknown.push(series);
    }

    /// From now on parts of files whose path ends with `path` are read like this; blocks are `/0.parquet` and so on.
    pub(crate) fn fail(&self, path: &'static str, fault: Fault) {
        self.store.fail(path, fault);
    }

    async fn put(
        &mut self,
        table: Table,
        generation: i64,
        window: Option<(i64, i64)>,
        time: (i64, i64),
        rows: usize,
        bytes: Vec<u8>,
    ) {
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
            rows: rows as u64,
            min_time_ms: time.0,
            max_time_ms: time.1,
            window_ms: window,
            journal: Uuid::nil(),
            gen_min: generation,
            gen_max: generation,
        }));
    }

    /// Series in the order of the tables with their samples, sorted by time.
    fn by_series(&self, rows: &[Row]) -> Vec<(Arc<SeriesInfo>, Samples)> {
        let mut samples: BTreeMap<usize, Samples> = BTreeMap::new();
        for (series, time_ms, value) in rows {
            samples.entry(*series).or_default().push((*time_ms, value.to_bits()));
        }
        let mut found: Vec<_> =
            samples.into_iter().map(|(series, samples)| (Arc::clone(&self.series[series]), samples)).collect();
        found.iter_mut().for_each(|(_, samples)| samples.sort_by_key(|sample| sample.0));
        found.sort_by(|a, b| a.0.key.table_order(&b.0.key));
        found
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
        let known = self.series.iter().enumerate().filter(|(at, _)| !self.unknown.contains(at)).map(|(_, info)| info);
        let mut series: Vec<_> = known.filter(fulfils).cloned().collect();
        series.sort_by(|a, b| a.key.table_order(&b.key));
        Resolved { series }
    }

    pub(crate) fn label_names(&self, selection: &Selection) -> BTreeSet<String> {
        let resolved = self.resolve(selection).series;
        let names = resolved.iter().flat_map(|series| series.key.labels.iter().map(|(name, _)| name.to_owned()));
        names.chain([NAME_LABEL.to_owned(), CLUSTER_LABEL.to_owned()]).collect()
    }

    pub(crate) fn label_values(&self, name: &str, selection: &Selection) -> BTreeSet<String> {
        let resolved = self.resolve(selection).series;
        resolved.iter().filter_map(|series| series.key.labels.get(name)).map(str::to_owned).collect()
    }

    pub(crate) fn blocks(&self, table: Table) -> Vec<Arc<Block>> {
        self.blocks.get(&table).cloned().unwrap_or_default()
    }

    pub(crate) fn head_samples(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: &RangeInclusive<i64>,
        reserve: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<Vec<HeadRows>, Error> {
        let is_wanted: Vec<bool> = self.series.iter().map(|info| series.contains(info)).collect();
        let mut found = Vec::new();
        for (rank, rows) in &self.heads {
            let rows: Vec<Row> =
                rows.iter().filter(|row| is_wanted[row.0] && time_ms.contains(&row.1)).copied().collect();
            found.extend(HeadRows::pack(*rank, self.by_series(&rows)));
        }
        reserve(found.iter().map(HeadRows::own_bytes).sum())?;
        Ok(found)
    }

    /// All series have a row in a block.
    pub(crate) fn head_rows(&self, _table: Table) -> Vec<RecordBatch> {
        Vec::new()
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

    pub(crate) async fn sample_pages(
        &self,
        block: &Block,
        footer: &Arc<ParquetMetaData>,
        pages: &[PageRows],
    ) -> Result<Vec<Arc<SamplePage>>, Error> {
        let read = page::read(&*self.store, block, footer, pages).await?;
        Ok(read.into_iter().map(Arc::new).collect())
    }

    pub(crate) async fn footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        let location = Path::parse(format!("{}/{}", table.name(), block.path)).unwrap();
        let bytes = self.store.get(&location).await.unwrap().bytes().await.unwrap();
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
        reader.try_parse(&bytes).unwrap();
        Ok(Arc::new(reader.finish().unwrap()))
    }
}
