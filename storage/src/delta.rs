//! The Delta log of one table: opening, commits, checkpoints, retention.
//!
//! Owns: which blocks are live at which version, how far each journal is in the table, the files of the log, and
//! which files of the table's folder may be deleted.
//! Does not own: what is in a block, when to cut, commit, checkpoint or sweep: the store decides.
//!
//! Commits are our own JSON actions, put if absent through deltalake's log store; the set of live blocks is our own, so
//! that a commit costs one small object whatever the size of the table. Checkpoints are made by the library.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake_core::kernel::transaction::TransactionError;
use deltalake_core::logstore::{CommitOrBytes, LogStoreRef, StorageConfig, default_logstore};
use model::{Clock, Error, ErrorKind};
use object_store::ObjectStore;
use object_store::prefix::PrefixStore;
use url::Url;
use uuid::Uuid;

use crate::Table;
use crate::block::LastSamples;
use action::{CommitInfo, Line, encode, parse};
use state::State;

mod action;
mod commit;
mod paper;
mod replay;
mod schema;
mod state;
mod upkeep;

pub use action::{GEN_MAX, GEN_MIN, JOURNAL, LAST_SAMPLES, NewBlock, WINDOW_END_MS, WINDOW_START_MS};
pub use commit::{Change, Txn};
pub use state::Live;
pub use upkeep::{Removed, Upkeep};

/// The folder of the log in the table's folder.
const LOG: &str = "_delta_log";

/// A table that was not written for this long is read anew before it is: others may have written so much that the log of
/// it was cleaned up, and a version that is free there would come before their checkpoint.
const FRESH_MS: u64 = 3_600_000;

/// How many versions may be taken by others before a commit gives up.
const MAX_RACES: usize = 100;

/// One table of a store at its newest version known. One commit at a time: `&mut self` sees to it.
#[derive(Debug)]
pub struct DeltaTable {
    table: Table,
    log: Log,
    clock: Arc<dyn Clock>,
    state: State,
    /// Files of no version, and when we first saw them so, in milliseconds.
    orphans: HashMap<String, i64>,
    /// When what others did was last taken in, in milliseconds.
    fresh_ms: i64,
    /// Another writer's commit that speaks against ours. No commit is made any more.
    conflict: Option<String>,
}

/// The log store, which cannot be shown.
#[derive(Clone)]
struct Log(LogStoreRef);

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.name())
    }
}

/// What became of an attempt to write a version.
enum Attempt {
    Written,
    Taken,
}

impl DeltaTable {
    /// Opens a table below `root`, making it if it is not there. `root_url` says where `root` is.
    ///
    /// On a local folder (`file://`) a last commit that is empty or torn is removed first; see `replay`.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached, `Corrupt` if the log is damaged, `Invalid` if the table there has
    /// another schema or asks for features that this version lacks.
    pub async fn open(
        root: Arc<dyn ObjectStore>,
        root_url: &Url,
        table: Table,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let at = |e: Error| e.context(format!("table {} in {root_url}", table.name()));
        let log = log_store(root, table)?;
        let mend = root_url.scheme() == "file";
        for _ in 0..MAX_RACES {
            if let Some(state) = replay::replay(log.as_ref(), table, mend).await.map_err(at)? {
                check(table, &state).map_err(at)?;
                let (orphans, fresh_ms, conflict) = (HashMap::new(), clock.now_ms(), None);
                return Ok(DeltaTable { table, log: Log(log), clock, state, orphans, fresh_ms, conflict });
            }
            // Whoever comes first makes it; we read what they made.
            write(&log, 0, &encode(&first_commit(table, clock.now_ms())?)?).await.map_err(at)?;
        }
        Err(at(Error::new(ErrorKind::Unavailable, "the first commit cannot be read back")))
    }

    /// The newest version known.
    pub fn version(&self) -> i64 {
        self.state.version
    }

    /// The live blocks of that version: one pointer, unmoved by later commits.
    pub fn live(&self) -> Live {
        self.state.live.clone()
    }

    /// The newest sample, log row or span of each cluster, as far as the blocks tell that were live when the table was opened or came since.
    pub fn last_samples(&self) -> &LastSamples {
        &self.state.last_samples
    }

    /// How far the rows of a journal are in the table; `None` if none ever was.
    pub fn position(&self, journal: Uuid) -> Option<i64> {
        self.state.txns.get(&journal.to_string()).copied()
    }

    /// Makes a change the next version and returns that version. Blocks that are new get it as their generation.
    ///
    /// A version that another writer took is taken in and the next one tried; if it is this change after all, whose
    /// success the store did not tell, that is a success. After an error the change may or may not have come, or still
    /// come, through: try the *same* [`Change`] again, or open the table anew.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached, `Conflict` if another writer's commit speaks against this one (from then
    /// on every commit is refused, until the table is opened anew), `Busy` after a hundred versions lost to others, `Corrupt` if theirs cannot be read.
    pub async fn commit(&mut self, change: &Change) -> Result<i64, Error> {
        self.commit_inner(change).await.map_err(|e| e.context(format!("commit to table {}", self.table.name())))
    }

    async fn commit_inner(&mut self, change: &Change) -> Result<i64, Error> {
        if self.state.version < 0 {
            return Err(Error::new(ErrorKind::Corrupt, "the table must be opened again"));
        }
        if let Some(conflict) = &self.conflict {
            return Err(Error::new(ErrorKind::Conflict, conflict.clone()));
        }
        if self.clock.now_ms().abs_diff(self.fresh_ms) > FRESH_MS {
            self.reload_inner().await?;
        }
        if change.is_done(&self.state) {
            return Ok(self.state.version);
        }
        change.check(&self.state)?;
        for _ in 0..MAX_RACES {
            let version = self.state.version + 1;
            let lines = change.lines(self.table, &self.state, version, self.clock.now_ms())?;
            match write(&self.log.0, version, &encode(&lines)?).await? {
                Attempt::Written => {
                    self.state.apply(version, version, &lines)?;
                    self.fresh_ms = self.clock.now_ms();
                    return Ok(version);
                }
                Attempt::Taken => {
                    let theirs = self.read(version).await?;
                    self.state.apply(version, version, &theirs)?;
                    if change.is_in(&theirs) {
                        return Ok(version);
                    }
                    let compatible = change.check_after(version, &theirs);
                    compatible.inspect_err(|error| self.conflict = Some(error.message().to_owned()))?;
                    change.check(&self.state)?;
                }
            }
        }
        Err(Error::new(ErrorKind::Busy, format!("{MAX_RACES} versions in a row were taken by other writers")))
    }

    /// Takes in what other writers did since this table was last written or reloaded, also where the log of that was
    /// cleaned up.
    ///
    /// # Errors
    /// As [`DeltaTable::open`].
    pub async fn reload(&mut self) -> Result<(), Error> {
        self.reload_inner().await.map_err(|e| e.context(format!("table {}", self.table.name())))
    }

    async fn reload_inner(&mut self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let Some(state) = replay::replay(self.log.0.as_ref(), self.table, false).await? else {
            return Err(Error::new(ErrorKind::Corrupt, "its delta log is gone"));
        };
        check(self.table, &state)?;
        if state.version > self.state.version {
            self.state = state;
        }
        self.fresh_ms = now_ms;
        Ok(())
    }

    async fn read(&self, version: i64) -> Result<Vec<Line>, Error> {
        match self.log.0.read_commit_entry(version as u64).await.map_err(log_failed)? {
            Some(bytes) => readable(version, &bytes),
            None => {
                let message = format!("version {version} of the delta log is taken but cannot be read yet");
                Err(Error::new(ErrorKind::Unavailable, message))
            }
        }
    }
}

/// Whether this program can read and write a table that is so.
fn check(table: Table, state: &State) -> Result<(), Error> {
    let (Some(protocol), Some(metadata)) = (&state.protocol, &state.metadata) else {
        return Err(Error::new(ErrorKind::Corrupt, "the delta log names no schema"));
    };
    schema::check_protocol(table, protocol)?;
    schema::check_metadata(table, metadata)
}

fn readable(version: i64, bytes: &[u8]) -> Result<Vec<Line>, Error> {
    parse(bytes).map_err(|what| {
        let message =
            format!("commit {version} of the delta log cannot be read: {what}; open the table again to mend it");
        Error::new(ErrorKind::Corrupt, message)
    })
}

/// The log store of a table. The URL inside only joins names: `root` is reached through the handle, whatever it is.
fn log_store(root: Arc<dyn ObjectStore>, table: Table) -> Result<LogStoreRef, Error> {
    let location = Url::parse(&format!("store:///{}/", table.name()))
        .map_err(|e| Error::internal("a table's name is no url").with_source(e))?;
    let folder = Arc::new(PrefixStore::new(root.clone(), table.name()));
    Ok(default_logstore(folder, root, &location, &StorageConfig::default()))
}

fn first_commit(table: Table, now_ms: i64) -> Result<Vec<Line>, Error> {
    let info = CommitInfo::new("CREATE TABLE", serde_json::json!({}), Uuid::new_v4(), now_ms);
    Ok(vec![
        Line { commit_info: Some(info), ..Line::default() },
        Line { protocol: Some(schema::protocol()), ..Line::default() },
        Line { meta_data: Some(schema::metadata(table, Uuid::new_v4(), now_ms)?), ..Line::default() },
    ])
}

/// Writes a version if it is free.
async fn write(log: &LogStoreRef, version: i64, bytes: &[u8]) -> Result<Attempt, Error> {
    // An error may hide a success. Only a second put tells, and only a durable store's answer to it may be built on:
    // a read could find a name that is not safe yet.
    for last in [false, true] {
        let bytes = CommitOrBytes::LogBytes(bytes.to_vec().into());
        match log.write_commit_entry(version as u64, bytes, Uuid::new_v4()).await {
            Ok(()) => return Ok(Attempt::Written),
            Err(TransactionError::VersionAlreadyExists(_)) => return Ok(Attempt::Taken),
            Err(e) if last => {
                let message = format!("version {version} of the delta log cannot be written");
                return Err(Error::new(ErrorKind::Unavailable, message).with_source(e));
            }
            Err(e) => tracing::warn!(version, error = %e, "writing the delta log failed, trying once more"),
        }
    }
    Err(Error::internal("a loop ended that cannot"))
}

fn store_failed(error: object_store::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the object store failed").with_source(error)
}

fn log_failed(error: deltalake_core::DeltaTableError) -> Error {
    Error::new(ErrorKind::Unavailable, "the delta log cannot be reached").with_source(error)
}

#[cfg(test)]
mod tests;
