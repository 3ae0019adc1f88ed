//! The actions of the Delta log as JSON lines, and blocks in their terms.
//!
//! Owns: the names of our tags, what stands in an `add`, reading both back.
//! Does not own: which actions a commit holds (`commit`), what follows from them (`state`).
//!
//! Format: Delta Transaction Log Protocol, "Actions"; tags and statistics of ours: docs/formats/tables.md.

use std::collections::BTreeMap;

use model::time::{Date, MAX_TIME_MS, MIN_TIME_MS};
use model::{Error, ErrorKind};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Table;
use crate::block::{Block, LastSamples};
use crate::tables::DATE;

/// Who writes, for other programs and for people.
const ENGINE: &str = concat!("fleetscope/", env!("CARGO_PKG_VERSION"));

/// The tag with the Delta version that first committed the oldest rows of a block.
pub const GEN_MIN: &str = "gen_min";
/// The tag with the Delta version that first committed the newest rows of a block.
pub const GEN_MAX: &str = "gen_max";
/// The tag with the start of the cut window in milliseconds; absent from a late block.
pub const WINDOW_START_MS: &str = "window_start_ms";
/// The tag with the end of the cut window in milliseconds, itself outside; absent from a late block.
pub const WINDOW_END_MS: &str = "window_end_ms";
/// The tag with the UUID of the journal that the rows came through.
pub const JOURNAL: &str = "journal";
/// The tag with the time of the newest sample of each cluster, JSON; of `samples` only.
pub const LAST_SAMPLES: &str = "last_samples";

type Strings = BTreeMap<String, Option<String>>;

/// One line of a commit, or one row of a checkpoint: at most one of the actions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit_info: Option<CommitInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meta_data: Option<MetaData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) txn: Option<SetTransaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) add: Option<Add>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remove: Option<Remove>,
}

/// Who wrote a commit, when and why.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CommitInfo {
    pub(super) timestamp: Option<i64>,
    pub(super) operation: Option<String>,
    pub(super) operation_parameters: Value,
    pub(super) engine_info: Option<String>,
    /// Tells our own commit from another's, whatever the store answered.
    pub(super) txn_id: Option<String>,
}

impl CommitInfo {
    /// What we say of a commit of ours; `id` tells it from another's.
    pub(super) fn new(operation: &str, operation_parameters: Value, id: Uuid, now_ms: i64) -> Self {
        CommitInfo {
            timestamp: Some(now_ms),
            operation: Some(operation.to_owned()),
            operation_parameters,
            engine_info: Some(ENGINE.to_owned()),
            txn_id: Some(id.to_string()),
        }
    }
}

/// What a program must be able to do to read and write the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: i32,
    pub(super) min_writer_version: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reader_features: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) writer_features: Option<Vec<String>>,
}

/// Identity, schema and properties of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetaData {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) format: Value,
    pub(super) schema_string: String,
    pub(super) partition_columns: Vec<String>,
    #[serde(default)]
    pub(super) configuration: Strings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_time: Option<i64>,
}

/// The last version an application brought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetTransaction {
    pub(super) app_id: String,
    pub(super) version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_updated: Option<i64>,
}

/// A file comes in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Add {
    /// Percent-encoded, relative to the table's folder.
    pub(super) path: String,
    pub(super) partition_values: Strings,
    pub(super) size: i64,
    pub(super) modification_time: i64,
    pub(super) data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stats: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Strings>,
}

/// A file goes out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    /// As it stands in the `add`.
    pub(super) path: String,
    #[serde(default)]
    pub(super) deletion_timestamp: Option<i64>,
    pub(super) data_change: bool,
    #[serde(default)]
    pub(super) extended_file_metadata: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) partition_values: Option<Strings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<i64>,
}

/// Reads the lines of a commit.
///
/// # Errors
/// Says what is wrong if the bytes are not a whole commit.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Line>, String> {
    let lines: Vec<Line> =
        serde_json::Deserializer::from_slice(bytes).into_iter().collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    if lines.is_empty() { Err("it is empty".into()) } else { Ok(lines) }
}

/// Writes the lines of a commit.
///
/// # Errors
/// `Internal` if a value has no JSON.
pub(super) fn encode(lines: &[Line]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line)
            .map_err(|e| Error::internal("a delta action cannot be written as json").with_source(e))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The name of an object in the table's folder for a path of the log.
///
/// # Errors
/// `Corrupt` if the path leads out of the folder.
pub(super) fn decode_path(path: &str) -> Result<String, Error> {
    let outside = path.starts_with('/') || path.contains("://");
    match Path::from_url_path(path) {
        Ok(decoded) if !outside => Ok(decoded.into()),
        _ => Err(Error::new(ErrorKind::Corrupt, format!("the delta log names a file outside its table: {path:?}"))),
    }
}

impl Add {
    /// The block that this action brings in; `version` is that of its commit, 0 if unknown.
    ///
    /// A file of another program has neither tags nor, maybe, statistics: it counts as late, of generation `version`,
    /// of no journal, with rows at any time.
    ///
    /// # Errors
    /// `Corrupt` if path, partition or a tag cannot be read.
    pub(super) fn block(&self, table: Table, version: i64) -> Result<Block, Error> {
        let path = decode_path(&self.path)?;
        let damaged = |what: &str| {
            let message = format!("the delta log of table {} is damaged: {what} of {path}", table.name());
            Error::new(ErrorKind::Corrupt, message)
        };
        let date = self.partition_values.get(DATE).and_then(|v| v.as_deref()).and_then(Date::parse);
        let number = |tag: &str| match self.tag(tag) {
            None => Ok(None),
            Some(text) => text.parse::<i64>().map(Some).map_err(|_| damaged(tag)),
        };
        let journal = match self.tag(JOURNAL) {
            None => Uuid::nil(),
            Some(text) => Uuid::try_parse(text).map_err(|_| damaged(JOURNAL))?,
        };
        let (rows, min_time_ms, max_time_ms) = self.statistics(table);
        Ok(Block {
            size_bytes: u64::try_from(self.size).map_err(|_| damaged("the size"))?,
            date: date.ok_or_else(|| damaged("the partition"))?,
            rows,
            min_time_ms,
            max_time_ms,
            window_ms: number(WINDOW_START_MS)?.zip(number(WINDOW_END_MS)?),
            journal,
            gen_min: number(GEN_MIN)?.unwrap_or(version),
            gen_max: number(GEN_MAX)?.unwrap_or(version),
            path,
        })
    }

    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        self.tags.as_ref()?.get(name)?.as_deref()
    }

    /// Rows, smallest and largest time; 0 rows at any time where the file does not say.
    fn statistics(&self, table: Table) -> (u64, i64, i64) {
        let parsed = self.stats.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let stats = parsed.unwrap_or_default();
        let (column, per_ms) = table.time();
        let time = |bound: &str| stats[bound][column].as_i64().map(|time| time.div_euclid(per_ms));
        (
            stats["numRecords"].as_u64().unwrap_or(0),
            time("minValues").unwrap_or(MIN_TIME_MS),
            time("maxValues").unwrap_or(MAX_TIME_MS),
        )
    }
}

/// A file that was uploaded and is to become a block.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBlock {
    /// The block. Its generations count only if `keep_generations` is set, else they become the commit's version.
    pub block: Block,
    /// Whether the rows were committed before (compaction), so that their generations stay.
    pub keep_generations: bool,
    /// The smallest and largest of each of the [keys](Table::keys), if known: lets other engines skip the file.
    pub keys: Option<[(String, String); 2]>,
    /// The newest sample, log row or span of each cluster, for a block of such rows.
    pub last_samples: LastSamples,
}

impl NewBlock {
    /// A block of rows that no commit had before.
    pub fn new(block: Block) -> Self {
        NewBlock { block, keep_generations: false, keys: None, last_samples: LastSamples::default() }
    }

    /// The action that brings the block in with version `version`.
    pub(super) fn add(&self, table: Table, version: i64, now_ms: i64, data_change: bool) -> Add {
        let block = &self.block;
        let (gen_min, gen_max) =
            if self.keep_generations { (block.gen_min, block.gen_max) } else { (version, version) };
        let mut tags = BTreeMap::from([
            (GEN_MIN, gen_min.to_string()),
            (GEN_MAX, gen_max.to_string()),
            (JOURNAL, block.journal.to_string()),
        ]);
        if let Some((start, end)) = block.window_ms {
            tags.insert(WINDOW_START_MS, start.to_string());
            tags.insert(WINDOW_END_MS, end.to_string());
        }
        if let Some(last_samples) = self.last_samples.tag() {
            tags.insert(LAST_SAMPLES, last_samples);
        }
        Add {
            path: block.path.clone(),
            partition_values: partition(block.date),
            size: block.size_bytes as i64,
            modification_time: now_ms,
            data_change,
            stats: Some(self.stats(table).to_string()),
            tags: Some(tags.into_iter().map(|(tag, text)| (tag.to_owned(), Some(text))).collect()),
        }
    }

    fn stats(&self, table: Table) -> Value {
        let (time, per_ms) = table.time();
        let mut stats = json!({
            "numRecords": self.block.rows,
            "minValues": { time: self.block.min_time_ms.saturating_mul(per_ms) },
            "maxValues": { time: self.block.max_time_ms.saturating_mul(per_ms).saturating_add(per_ms - 1) },
            "nullCount": { time: 0 },
        });
        if per_ms > 1 {
            // We know the milliseconds; some engines answer `min` and `max` from what is said to be exact.
            stats["tightBounds"] = false.into();
        }
        for (column, (min, max)) in self.keys.iter().flat_map(|keys| table.keys().into_iter().zip(keys)) {
            stats["minValues"][column] = min.as_str().into();
            stats["maxValues"][column] = max.as_str().into();
            stats["nullCount"][column] = 0.into();
        }
        stats
    }
}

/// The partition values of a day.
pub(super) fn partition(date: Date) -> Strings {
    BTreeMap::from([(DATE.to_owned(), Some(date.to_string()))])
}
