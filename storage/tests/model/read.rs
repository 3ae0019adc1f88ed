//! Reading a snapshot with nothing of the store's own code below its public surface: the stock Parquet reader on the
//! bytes of each live block, and the rows of the head.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int64Type};
use model::batch::STALE_NAN_BITS;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use storage::block::Block;
use storage::{Resolved, Selection, Snapshot, Table};

use crate::series::{Identity, Key};

/// The value of each key.
pub(crate) type Values = BTreeMap<Key, u64>;
/// How often each key is stored.
pub(crate) type Counts = BTreeMap<Key, usize>;

/// A row of `samples` as it is stored.
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

/// Rows of `samples` that are not in a block.
#[derive(Debug)]
pub(crate) struct HeadPart {
    pub(crate) rank: i64,
    pub(crate) min_time_ms: i64,
    pub(crate) max_time_ms: i64,
    pub(crate) rows: Vec<Stored>,
}

/// All that a snapshot shows.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) samples: Vec<(Arc<Block>, Arc<Vec<Stored>>)>,
    pub(crate) series: Vec<(Arc<Block>, Arc<Vec<StoredSeries>>)>,
    pub(crate) head: Vec<HeadPart>,
    pub(crate) head_series: Vec<StoredSeries>,
    pub(crate) resolved: Resolved,
}

/// Blocks never change: each is read once in a life.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    samples: BTreeMap<String, Arc<Vec<Stored>>>,
    series: BTreeMap<String, Arc<Vec<StoredSeries>>>,
}

impl Reader {
    /// Reads all of a snapshot. The error says what cannot be read.
    pub(crate) async fn read(&mut self, snapshot: &Snapshot) -> Result<Picture, String> {
        let resolved = snapshot.resolve(&Selection::all()).await.map_err(|e| format!("resolve: {e}"))?;
        let mut head = Vec::new();
        let parts = snapshot.head_samples(&resolved, Selection::all().time_ms, &mut |_| Ok(()));
        for part in parts.map_err(|e| format!("head rows of samples: {e}"))? {
            let batches = part.batches(Table::Samples.read_schema(), 1000).collect::<Result<Vec<_>, _>>();
            let rows = all(&batches.map_err(|e| format!("head rows of samples: {e}"))?, samples_of)?;
            let (rank, min_time_ms, max_time_ms) = (part.rank, part.min_time_ms, part.max_time_ms);
            head.push(HeadPart { rank, min_time_ms, max_time_ms, rows });
        }
        let head_rows = snapshot.head_rows(Table::Series).await.map_err(|e| format!("head rows of series: {e}"))?;
        let head_series = all(&head_rows, series_of)?;
        let mut samples = Vec::new();
        for block in snapshot.blocks(Table::Samples) {
            if !self.samples.contains_key(&block.path) {
                let batches = fetch(snapshot, Table::Samples, &block).await?;
                self.samples.insert(block.path.clone(), Arc::new(all(&batches, samples_of)?));
            }
            let rows = self.samples[&block.path].clone();
            samples.push((block, rows));
        }
        let mut series = Vec::new();
        for block in snapshot.blocks(Table::Series) {
            if !self.series.contains_key(&block.path) {
                let batches = fetch(snapshot, Table::Series, &block).await?;
                self.series.insert(block.path.clone(), Arc::new(all(&batches, series_of)?));
            }
            let rows = self.series[&block.path].clone();
            series.push((block, rows));
        }
        Ok(Picture { samples, series, head, head_series, resolved })
    }
}

impl Picture {
    /// The value of each key by the rule of ranks, and how often each key is stored.
    ///
    /// The error names a row whose series no row of `series` explains.
    pub(crate) fn merged(&self) -> Result<(Values, Counts), String> {
        let mut by_rank: Vec<(i64, &[Stored])> = self.samples.iter().map(|(b, rows)| (b.gen_max, &rows[..])).collect();
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

    /// How large the parts are, for the tally of a case.
    pub(crate) fn sizes(&self) -> [(&'static str, usize); 4] {
        let late = self.samples.iter().filter(|(block, _)| block.window_ms.is_none()).count();
        [
            ("most late blocks", late),
            ("most blocks of a window", self.samples.len() - late),
            ("most rows in blocks", self.samples.iter().map(|(_, rows)| rows.len()).sum()),
            ("most rows in the head", self.head.iter().map(|part| part.rows.len()).sum()),
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

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<Arc<dyn Array>, String> {
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
