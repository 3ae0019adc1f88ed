//! Opening a table: the newest checkpoint, the commits after it, a torn last commit mended.
//!
//! Owns: reading the log back.
//! Does not own: making a table (`delta`), what actions mean (`state`).
//!
//! What is live never rests on a listing: commits are asked for by name until one is missing. A listing only finds a
//! checkpoint to begin with, if `_last_checkpoint` does not, and any will do as long as the commits after it are there.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::json::LineDelimitedWriter;
use bytes::Bytes;
use deltalake_core::logstore::LogStore;
use futures::{StreamExt, TryStreamExt, stream};
use model::{Error, ErrorKind};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::action::{Line, parse};
use super::state::State;
use super::{log_failed, store_failed};
use crate::Table;

/// Commits asked for at once.
const READ_AHEAD: usize = 16;

/// The files of one checkpoint.
type Checkpoint = Vec<Path>;

/// Reads the log of a table; `None` if it has none. With `mend`, a last commit that is empty or torn is removed.
///
/// # Errors
/// `Unavailable` if the store cannot be reached, `Corrupt` if the log is damaged or has a gap.
pub(super) async fn replay(log: &dyn LogStore, table: Table, mend: bool) -> Result<Option<State>, Error> {
    let store = log.object_store(None);
    if let Some((version, files)) = hinted(store.as_ref()).await? {
        match from_checkpoint(store.as_ref(), table, version, &files).await {
            Ok(state) => return forward(log, state, mend).await.map(Some),
            Err(e) => tracing::warn!(table = table.name(), version, error = %e, "a checkpoint cannot be read"),
        }
    }
    let (checkpoints, oldest_commit) = listed(store.as_ref()).await?;
    for (version, files) in checkpoints.into_iter().rev() {
        match from_checkpoint(store.as_ref(), table, version, &files).await {
            Ok(state) => return forward(log, state, mend).await.map(Some),
            Err(e) => tracing::warn!(table = table.name(), version, error = %e, "a checkpoint cannot be read"),
        }
    }
    let state = forward(log, State::new(table), mend).await?;
    match oldest_commit {
        _ if state.version >= 0 => Ok(Some(state)),
        None | Some(0) => Ok(None),
        Some(oldest) => Err(Error::new(
            ErrorKind::Corrupt,
            format!("the delta log of table {} begins at version {oldest} and has no whole checkpoint", table.name()),
        )),
    }
}

/// The checkpoint that `_last_checkpoint` names, if it is there and can be read.
async fn hinted(store: &dyn ObjectStore) -> Result<Option<(i64, Checkpoint)>, Error> {
    let hint = match store.get(&log_file("_last_checkpoint")).await {
        Ok(found) => found.bytes().await.map_err(store_failed)?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(e) => return Err(store_failed(e)),
    };
    // The hint may be older damage or of another kind; the listing finds what it would have told.
    let Ok(hint) = serde_json::from_slice::<serde_json::Value>(&hint) else { return Ok(None) };
    let Some(version) = hint["version"].as_i64() else { return Ok(None) };
    let files = match hint["parts"].as_u64() {
        None => vec![log_file(&format!("{version:020}.checkpoint.parquet"))],
        Some(parts) if parts <= 10_000 => (1..=parts)
            .map(|part| log_file(&format!("{version:020}.checkpoint.{part:010}.{parts:010}.parquet")))
            .collect(),
        Some(_) => return Ok(None),
    };
    Ok(Some((version, files)))
}

/// The whole checkpoints in the log's folder by version, and the oldest commit.
async fn listed(store: &dyn ObjectStore) -> Result<(BTreeMap<i64, Checkpoint>, Option<i64>), Error> {
    let mut parts: BTreeMap<(i64, u64), Checkpoint> = BTreeMap::new();
    let mut oldest = None;
    let mut files = store.list(Some(&Path::from(super::LOG)));
    while let Some(file) = files.try_next().await.map_err(store_failed)? {
        let Some((version, rest)) = file.location.filename().and_then(split_version) else { continue };
        if rest == "json" {
            oldest = Some(oldest.map_or(version, |oldest: i64| oldest.min(version)));
        }
        match rest.split('.').collect::<Vec<_>>()[..] {
            ["checkpoint", "parquet"] => drop(parts.insert((version, 1), vec![file.location])),
            ["checkpoint", _, of, "parquet"] => {
                if let Ok(of) = of.parse() {
                    parts.entry((version, of)).or_default().push(file.location);
                }
            }
            _ => {}
        }
    }
    let whole = parts.into_iter().filter(|((_, of), files)| files.len() as u64 == *of);
    Ok((whole.map(|((version, _), files)| (version, files)).collect(), oldest))
}

/// Splits `00000000000000000042.checkpoint.parquet` into 42 and the rest.
pub(super) fn split_version(name: &str) -> Option<(i64, &str)> {
    let (digits, rest) = name.split_once('.')?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten().map(|version| (version, rest))
}

fn log_file(name: &str) -> Path {
    Path::from(super::LOG).join(name)
}

async fn from_checkpoint(store: &dyn ObjectStore, table: Table, version: i64, files: &[Path]) -> Result<State, Error> {
    let mut state = State::new(table);
    for file in files {
        let bytes = store.get(file).await.map_err(store_failed)?.bytes().await.map_err(store_failed)?;
        // Files without tags came from elsewhere at a version no longer known.
        state.apply(version, 0, &rows(bytes).map_err(|e| Error::new(ErrorKind::Corrupt, format!("{file}: {e}")))?)?;
    }
    Ok(state)
}

/// The actions in one file of a checkpoint: each row is what would be a line of a commit.
fn rows(bytes: Bytes) -> Result<Vec<Line>, Box<dyn std::error::Error + Send + Sync>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let actions = ["protocol", "metaData", "txn", "add", "remove"];
    let present = builder.schema().fields().iter().map(|field| field.name().as_str());
    let wanted: Vec<&str> = present.filter(|name| actions.contains(name)).collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    let mut json = LineDelimitedWriter::new(Vec::new());
    for batch in builder.with_projection(mask).build()? {
        let batch: RecordBatch = batch?;
        json.write(&batch)?;
    }
    json.finish()?;
    Ok(parse(&json.into_inner())?)
}

/// Takes in all commits after `state`.
async fn forward(log: &dyn LogStore, mut state: State, mend: bool) -> Result<State, Error> {
    loop {
        let first = state.version + 1;
        let wanted = first..first + READ_AHEAD as i64;
        let commits: Vec<Option<Bytes>> = stream::iter(wanted)
            .map(|version| async move { log.read_commit_entry(version as u64).await })
            .buffered(READ_AHEAD)
            .try_collect()
            .await
            .map_err(log_failed)?;
        for at in 0..READ_AHEAD {
            let Some(bytes) = &commits[at] else { return Ok(state) };
            let version = first + at as i64;
            match parse(bytes) {
                Ok(lines) => state.apply(version, version, &lines)?,
                Err(what) => {
                    let next = match commits.get(at + 1) {
                        Some(next) => next.is_some(),
                        None => log.read_commit_entry(version as u64 + 1).await.map_err(log_failed)?.is_some(),
                    };
                    if !mend || next {
                        return Err(torn(version, &what, next));
                    }
                    remove_torn(log, version, &what).await?;
                    return Ok(state);
                }
            }
        }
    }
}

fn torn(version: i64, what: &str, next: bool) -> Error {
    let why =
        if next { "and it is not the last" } else { "and the store is no local folder, where a power cut may do that" };
    Error::new(ErrorKind::Corrupt, format!("commit {version} of the delta log cannot be read: {what}; {why}"))
}

/// Removes a last commit that a power cut tore, so that its version can be written anew.
///
/// Our own commits are durable before anything depends on them, so this is the damage of another program or of a disk
/// that lied. A torn commit told nobody anything: no reader could parse it either. Rows of ours that it was to bring
/// in are still in the journal, whose position is that of the commit before.
async fn remove_torn(log: &dyn LogStore, version: i64, what: &str) -> Result<(), Error> {
    tracing::warn!(version, what, "the last commit of the delta log is torn and is removed");
    log.object_store(None).delete(&log_file(&format!("{version:020}.json"))).await.map_err(store_failed)
}
