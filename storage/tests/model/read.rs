//! Reading a snapshot with nothing of the store's own code below its public surface: the stock Parquet reader on the
//! bytes of each live block, and the rows of the head.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int64Type};
use model::batch::STALE_NAN_BITS;
use model::histogram;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use storage::block::Block;
use storage::{Resolved, Selection, Snapshot, Table};

use crate::columnar_read::{ColumnarBlocks, Seed, logs_of, spans_of};
use crate::series::{Identity, Key, distribution};

/// The value of each key.
pub(crate) type Values = BTreeMap<Key, u64>;
/// How often each key is stored.
pub(crate) type Counts = BTreeMap<Key, usize>;

/// The live blocks of a table with their rows.
pub(crate) type Blocks<T = Stored> = Vec<(Arc<Block>, Arc<Vec<T>>)>;

/// A row of `samples` or `histograms` as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) cluster: String,
    pub(crate) series_id: i64,
    pub(crate) time_ms: i64,
    pub(crate) bits: u64,
}

impl Stored {
    /// What the tables are sorted by.
    pub(crate) fn order(&self) -> (&str, &str, i64, i64) {
        (&self.name, &self.cluster, self.series_id, self.time_ms)
    }
}

/// A row of `series` as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredSeries {
    pub(crate) identity: Identity,
    pub(crate) series_id: i64,
    pub(crate) first_time_ms: i64,
}

/// Rows of `samples` or `histograms` that are not in a block.
#[derive(Debug)]
pub(crate) struct HeadPart {
    pub(crate) table: Table,
    pub(crate) rank: i64,
    pub(crate) min_time_ms: i64,
    pub(crate) max_time_ms: i64,
    pub(crate) rows: Vec<Stored>,
}

/// All that a snapshot shows.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) samples: Blocks,
    pub(crate) histograms: Blocks,
    pub(crate) series: Blocks<StoredSeries>,
    pub(crate) head: Vec<HeadPart>,
    pub(crate) head_series: Vec<StoredSeries>,
    pub(crate) resolved: Resolved,
    pub(crate) columnar: ColumnarBlocks,
    pub(crate) columnar_head: Vec<Seed>,
}

/// Blocks never change: each is read once in a life.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    rows: BTreeMap<String, Arc<Vec<Stored>>>,
    series: BTreeMap<String, Arc<Vec<StoredSeries>>>,
    columnar: BTreeMap<String, Arc<Vec<Seed>>>,
}

impl Reader {
    /// Reads all of a snapshot. The error says what cannot be read.
    pub(crate) async fn read(&mut self, snapshot: &Snapshot) -> Result<Picture, String> {
        let resolved = snapshot.resolve(&Selection::all()).await.map_err(|e| format!("resolve: {e}"))?;
        let mut head = Vec::new();
        let parts = snapshot.head_samples(&resolved.series, Selection::all().time_ms, &mut |_| Ok(()));
        for part in parts.map_err(|e| format!("head rows of samples: {e}"))? {
            let batches = part.batches(Table::Samples.read_schema(), 1000).collect::<Result<Vec<_>, _>>();
            let rows = all(&batches.map_err(|e| format!("head rows of samples: {e}"))?, samples_of)?;
            let (rank, min_time_ms, max_time_ms) = (part.rank, part.min_time_ms, part.max_time_ms);
            head.push(HeadPart { table: Table::Samples, rank, min_time_ms, max_time_ms, rows });
        }
        let batches = snapshot.head_rows(Table::Histograms).await;
        head.extend(ranked(all(&batches.map_err(|e| format!("head rows of histograms: {e}"))?, histograms_of)?));
        let head_rows = snapshot.head_rows(Table::Series).await.map_err(|e| format!("head rows of series: {e}"))?;
        let head_series = all(&head_rows, series_of)?;
        let samples = self.blocks(snapshot, Table::Samples, samples_of).await?;
        let histograms = self.blocks(snapshot, Table::Histograms, histograms_of).await?;
        let mut series = Vec::new();
        for block in snapshot.blocks(Table::Series) {
            if !self.series.contains_key(&block.path) {
                let batches = fetch(snapshot, Table::Series, &block).await?;
                self.series.insert(block.path.clone(), Arc::new(all(&batches, series_of)?));
            }
            let rows = self.series[&block.path].clone();
            series.push((block, rows));
        }
        let (columnar, columnar_head) = self.columnar(snapshot).await?;
        Ok(Picture { samples, histograms, series, head, head_series, resolved, columnar, columnar_head })
    }

    async fn columnar(&mut self, snapshot: &Snapshot) -> Result<(ColumnarBlocks, Vec<Seed>), String> {
        let (mut blocks, mut head) = (Vec::new(), Vec::new());
        for table in [Table::Logs, Table::Spans] {
            let seeds_of = if table == Table::Logs { logs_of } else { spans_of };
            let rows = snapshot.head_rows(table).await.map_err(|e| format!("head rows of {}: {e}", table.name()))?;
            head.extend(all(&rows, seeds_of)?);
            for block in snapshot.blocks(table) {
                if !self.columnar.contains_key(&block.path) {
                    let batches = fetch(snapshot, table, &block).await?;
                    self.columnar.insert(block.path.clone(), Arc::new(all(&batches, seeds_of)?));
                }
                let rows = self.columnar[&block.path].clone();
                blocks.push((table, block, rows));
            }
        }
        Ok((blocks, head))
    }

    async fn blocks(
        &mut self,
        snapshot: &Snapshot,
        table: Table,
        rows_of: fn(&RecordBatch) -> Result<Vec<Stored>, String>,
    ) -> Result<Blocks, String> {
        let mut found = Vec::new();
        for block in snapshot.blocks(table) {
            if !self.rows.contains_key(&block.path) {
                let batches = fetch(snapshot, table, &block).await?;
                self.rows.insert(block.path.clone(), Arc::new(all(&batches, rows_of)?));
            }
            let rows = self.rows[&block.path].clone();
            found.push((block, rows));
        }
        Ok(found)
    }
}

/// Native histograms of the head come series by series, of a series what is older first: of equal keys the later counts.
fn ranked(rows: Vec<Stored>) -> Vec<HeadPart> {
    let mut parts: Vec<Vec<Stored>> = Vec::new();
    let mut met: BTreeMap<(String, String, i64, i64), usize> = BTreeMap::new();
    for row in rows {
        let times = met.entry((row.name.clone(), row.cluster.clone(), row.series_id, row.time_ms)).or_default();
        if parts.len() == *times {
            parts.push(Vec::new());
        }
        parts[*times].push(row);
        *times += 1;
    }
    let part = |(at, mut rows): (usize, Vec<Stored>)| {
        rows.sort_by(|a, b| a.order().cmp(&b.order()));
        let times = || rows.iter().map(|row| row.time_ms);
        let (min_time_ms, max_time_ms) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        HeadPart { table: Table::Histograms, rank: i64::MAX / 2 + at as i64, min_time_ms, max_time_ms, rows }
    };
    parts.into_iter().enumerate().map(part).collect()
}

impl Picture {
    /// The value of each key by the rule of ranks, and how often each key is stored.
    ///
    /// The error names a row whose series no row of `series` explains.
    pub(crate) fn merged(&self) -> Result<(Values, Counts), String> {
        let blocks = self.samples.iter().chain(&self.histograms);
        let mut by_rank: Vec<(i64, &[Stored])> = blocks.map(|(block, rows)| (block.gen_max, &rows[..])).collect();
        by_rank.extend(self.head.iter().map(|part| (part.rank, &part.rows[..])));
        by_rank.sort_by_key(|(rank, _)| *rank);
        let (mut seen, mut stored) = (BTreeMap::new(), BTreeMap::new());
        let mut ranks: BTreeMap<Key, i64> = BTreeMap::new();
        let names = self.names();
        for (rank, rows) in by_rank {
            for row in rows {
                let id = (row.name.clone(), row.cluster.clone(), row.series_id);
                let identity = names.get(&id).ok_or_else(|| format!("no row of `series` for {row:?}"))?;
                let key = ((*identity).clone(), row.time_ms);
                if ranks.insert(key.clone(), rank) == Some(rank) {
                    return Err(format!("{key:?} comes twice with the rank {rank}"));
                }
                *stored.entry(key.clone()).or_default() += 1;
                seen.insert(key, row.bits);
            }
        }
        Ok((seen, stored))
    }

    /// All log rows and spans, in blocks and not.
    pub(crate) fn seeds(&self) -> Vec<Seed> {
        self.columnar.iter().flat_map(|(_, _, rows)| rows.iter()).chain(&self.columnar_head).copied().collect()
    }

    /// How large the parts are, for the tally of a case.
    pub(crate) fn sizes(&self) -> [(&'static str, usize); 7] {
        let late = self.samples.iter().filter(|(block, _)| block.window_ms.is_none()).count();
        [
            ("most late blocks", late),
            ("most blocks of a window", self.samples.len() - late),
            ("most rows in blocks", self.samples.iter().map(|(_, rows)| rows.len()).sum()),
            ("most rows of histograms in blocks", self.histograms.iter().map(|(_, rows)| rows.len()).sum()),
            ("most rows in the head", self.head.iter().map(|part| part.rows.len()).sum()),
            ("most logs and spans in blocks", self.columnar.iter().map(|(_, _, rows)| rows.len()).sum()),
            ("most logs and spans in the head", self.columnar_head.len()),
        ]
    }

    /// The identity behind each (name, cluster, series_id).
    fn names(&self) -> BTreeMap<(String, String, i64), &Identity> {
        let rows = self.series.iter().flat_map(|(_, rows)| rows.iter()).chain(&self.head_series);
        rows.map(|r| ((r.identity.name.clone(), r.identity.cluster.clone(), r.series_id), &r.identity)).collect()
    }
}

async fn fetch(snapshot: &Snapshot, table: Table, block: &Block) -> Result<Vec<RecordBatch>, String> {
    let (store, root) = snapshot.object_store(table);
    let path = Path::parse(format!("{root}/{}", block.path)).map_err(|e| format!("{}: {e}", block.path))?;
    let wrong = |e: String| format!("{path} (generation {} to {}): {e}", block.gen_min, block.gen_max);
    let got = store.get(&path).await.map_err(|e| wrong(e.to_string()))?;
    let bytes = got.bytes().await.map_err(|e| wrong(e.to_string()))?;
    if bytes.len() as u64 != block.size_bytes {
        return Err(wrong(format!("{} bytes, the log says {}", bytes.len(), block.size_bytes)));
    }
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options);
    let reader = builder.and_then(|b| b.build()).map_err(|e| wrong(e.to_string()))?;
    reader.collect::<Result<Vec<_>, _>>().map_err(|e| wrong(e.to_string()))
}

fn all<T>(batches: &[RecordBatch], rows: fn(&RecordBatch) -> Result<Vec<T>, String>) -> Result<Vec<T>, String> {
    Ok(batches.iter().map(rows).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

pub(crate) fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<Arc<dyn Array>, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("no column {name}"))?;
    arrow::compute::cast(column, kind).map_err(|e| format!("column {name}: {e}"))
}

fn samples_of(batch: &RecordBatch) -> Result<Vec<Stored>, String> {
    let (name, cluster) = (column(batch, "name", &DataType::Utf8)?, column(batch, "cluster", &DataType::Utf8)?);
    let (id, time) = (column(batch, "series_id", &DataType::Int64)?, column(batch, "time_ms", &DataType::Int64)?);
    let (mantissa, scale) = (column(batch, "mantissa", &DataType::Int64)?, column(batch, "scale", &DataType::Int8)?);
    let value = column(batch, "value", &DataType::Float64)?;
    let mut rows = Vec::new();
    for at in 0..batch.num_rows() {
        let mantissa = mantissa.is_valid(at).then(|| mantissa.as_primitive::<Int64Type>().value(at));
        let scale = scale.is_valid(at).then(|| scale.as_primitive::<Int8Type>().value(at));
        let value = value.is_valid(at).then(|| value.as_primitive::<Float64Type>().value(at));
        rows.push(Stored {
            name: name.as_string::<i32>().value(at).to_owned(),
            cluster: cluster.as_string::<i32>().value(at).to_owned(),
            series_id: id.as_primitive::<Int64Type>().value(at),
            time_ms: time.as_primitive::<Int64Type>().value(at),
            bits: bits(mantissa, scale, value)?,
        });
    }
    Ok(rows)
}

/// value = mantissa / 10^scale, or the value itself, or neither for a staleness marker.
fn bits(mantissa: Option<i64>, scale: Option<i8>, value: Option<f64>) -> Result<u64, String> {
    match (mantissa, scale, value) {
        (Some(m), Some(s), None) if m.unsigned_abs() < 1 << 53 && (0..=22).contains(&s) => {
            Ok((m as f64 / 10f64.powi(i32::from(s))).to_bits())
        }
        (None, None, Some(value)) if value.to_bits() != STALE_NAN_BITS => Ok(value.to_bits()),
        (None, None, None) => Ok(STALE_NAN_BITS),
        other => Err(format!("(mantissa, scale, value) = {other:?} is no value")),
    }
}

/// The value that a native histogram stands for; the error says where it differs from the one that was written for it.
fn histograms_of(batch: &RecordBatch) -> Result<Vec<Stored>, String> {
    let (name, cluster) = (column(batch, "name", &DataType::Utf8)?, column(batch, "cluster", &DataType::Utf8)?);
    let (id, time) = (column(batch, "series_id", &DataType::Int64)?, column(batch, "time_ms", &DataType::Int64)?);
    let (sum, start) = (column(batch, "sum", &DataType::Float64)?, column(batch, "start_time_ms", &DataType::Int64)?);
    let buckets = ["positive_counts", "positive_counts_float"].map(|name| batch.column_by_name(name).cloned());
    let [Some(whole), Some(float)] = buckets else { return Err("no columns of counts".into()) };
    let mut rows = Vec::new();
    for at in 0..batch.num_rows() {
        let bits = match sum.is_valid(at) {
            true => sum.as_primitive::<Float64Type>().value(at).to_bits(),
            false => STALE_NAN_BITS,
        };
        let counts = |list: &Arc<dyn Array>| {
            let list = list.as_list_opt::<i32>().ok_or("counts are no list")?;
            let values = list.is_valid(at).then(|| column_of(&list.value(at))).transpose()?;
            Ok::<_, String>(values.map(|values| values.as_primitive::<Float64Type>().values().to_vec()))
        };
        let expected = distribution(bits);
        let (expected_whole, expected_float) = match &expected.counts {
            _ if expected.is_stale() => (None, None),
            histogram::Counts::Integer(counts) => {
                (Some(counts.positive.iter().map(|count| *count as f64).collect()), None)
            }
            histogram::Counts::Float(counts) => (None, Some(counts.positive.clone())),
        };
        let start_ms = start.is_valid(at).then(|| start.as_primitive::<Int64Type>().value(at));
        if (counts(&whole)?, counts(&float)?, start_ms) != (expected_whole, expected_float, expected.start_ms) {
            return Err(format!("row {at} is not {expected:?}: {batch:?}"));
        }
        rows.push(Stored {
            name: name.as_string::<i32>().value(at).to_owned(),
            cluster: cluster.as_string::<i32>().value(at).to_owned(),
            series_id: id.as_primitive::<Int64Type>().value(at),
            time_ms: time.as_primitive::<Int64Type>().value(at),
            bits,
        });
    }
    Ok(rows)
}

fn column_of(values: &Arc<dyn Array>) -> Result<Arc<dyn Array>, String> {
    arrow::compute::cast(values, &DataType::Float64).map_err(|e| e.to_string())
}

fn series_of(batch: &RecordBatch) -> Result<Vec<StoredSeries>, String> {
    let (name, cluster) = (column(batch, "name", &DataType::Utf8)?, column(batch, "cluster", &DataType::Utf8)?);
    let id = column(batch, "series_id", &DataType::Int64)?;
    let first = column(batch, "first_time_ms", &DataType::Int64)?;
    let labels = batch.column_by_name("labels").ok_or("no column labels")?;
    let labels = labels.as_map_opt().ok_or("labels is no map")?;
    let mut rows = Vec::new();
    for at in 0..batch.num_rows() {
        let entries = labels.value(at);
        let text = |n: usize| arrow::compute::cast(entries.column(n), &DataType::Utf8).map_err(|e| e.to_string());
        let (names, values) = (text(0)?, text(1)?);
        let pair = |i: usize| {
            let (name, value) = (names.as_string::<i32>().value(i), values.as_string::<i32>().value(i));
            (name.to_owned(), value.to_owned())
        };
        let identity = Identity {
            name: name.as_string::<i32>().value(at).to_owned(),
            cluster: cluster.as_string::<i32>().value(at).to_owned(),
            labels: (0..entries.len()).map(pair).collect(),
        };
        let series_id = id.as_primitive::<Int64Type>().value(at);
        rows.push(StoredSeries { identity, series_id, first_time_ms: first.as_primitive::<Int64Type>().value(at) });
    }
    Ok(rows)
}
