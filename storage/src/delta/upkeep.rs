//! Checkpoints, old log files, retention, files that nobody references any more.
//!
//! Owns: which files may be deleted, and deleting them.
//! Does not own: when: the store's worker calls.
//!
//! What takes long ([`Upkeep`]) needs no table at hand, so commits go on meanwhile.

use std::collections::{BTreeMap, HashSet};

use deltalake_core::protocol::checkpoints::create_checkpoint;
use futures::{StreamExt, TryStreamExt, stream};
use model::time::Date;
use model::{Error, ErrorKind};
use object_store::path::Path;

use super::action::parse;
use super::commit::Change;
use super::replay::split_version;
use super::{DeltaTable, LOG, Log, log_failed, store_failed};

/// A file that went out of the table, still to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The path below the table's folder.
    pub path: String,
    /// When it went out, in milliseconds.
    pub deleted_at_ms: i64,
}

/// The long work on a table's files. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Upkeep {
    log: Log,
}

impl DeltaTable {
    /// The long work on this table's files, free of the table itself.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep { log: self.log.clone() }
    }

    /// Takes out all blocks of days before `before` in one commit. Their files stay for [`DeltaTable::condemn`].
    ///
    /// # Errors
    /// As [`DeltaTable::commit`].
    pub async fn expire(&mut self, before: Date) -> Result<Vec<Removed>, Error> {
        let paths: Vec<String> = self.state.live.dates(..before).map(|block| block.path.clone()).collect();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        self.commit(&Change::remove(paths.clone())).await?;
        let removed = paths.into_iter().filter_map(|path| {
            let deleted_at_ms = *self.state.tombstones.get(&path)?;
            Some(Removed { path, deleted_at_ms })
        });
        Ok(removed.collect())
    }

    /// Which of the files found ([`Upkeep::files`]) may be deleted now.
    ///
    /// A file that a commit took out may go `grace_ms` after it, so that readers of older versions can finish. A file
    /// that no version knows (of a failed upload, or removed so long ago that the log forgot) may go once we have seen
    /// it so for `grace_ms` by our own clock: neither the store's clock nor a listing that lags can hurt. A file in
    /// `uploading`, which must hold it from before its upload until its commit returned, is never named. What another
    /// node has committed must have been taken in ([`DeltaTable::reload`]) after the files were listed; what it is about to
    /// commit, it uploads again before it is older than half the grace.
    pub fn condemn(&mut self, found: &[String], uploading: &HashSet<String>, grace_ms: i64) -> Vec<String> {
        let now_ms = self.clock.now_ms();
        let mut orphans = std::collections::HashMap::new();
        let mut condemned = Vec::new();
        for path in found.iter().filter(|path| self.state.find(path).is_none() && !uploading.contains(*path)) {
            let since_ms = match self.state.tombstones.get(path) {
                Some(deleted_at_ms) => *deleted_at_ms,
                None => {
                    let first_seen_ms = self.orphans.get(path).copied().unwrap_or(now_ms);
                    orphans.insert(path.clone(), first_seen_ms);
                    first_seen_ms
                }
            };
            if now_ms.saturating_sub(since_ms) >= grace_ms {
                condemned.push(path.clone());
            }
        }
        self.orphans = orphans;
        // A tombstone has done its work once its file is gone.
        let found: HashSet<&String> = found.iter().collect();
        self.state.tombstones.retain(|path, at| found.contains(path) || now_ms.saturating_sub(*at) < grace_ms);
        condemned
    }
}

impl Upkeep {
    /// The files in the table's folder but for the log and other folders of that kind (`_…`).
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached.
    pub async fn files(&self) -> Result<Vec<String>, Error> {
        let store = self.log.0.object_store(None);
        let files: Vec<_> = store.list(None).try_collect().await.map_err(store_failed)?;
        let paths = files.into_iter().map(|file| file.location.to_string());
        Ok(paths.filter(|path| !path.starts_with(['_', '.'])).collect())
    }

    /// Deletes files of the table's folder. One that is gone already is no error.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached; some files may be gone then.
    pub async fn delete(&self, paths: &[String]) -> Result<(), Error> {
        let paths = paths.iter().map(|path| Path::parse(path).map_err(|e| store_failed(e.into())));
        self.delete_all(paths.collect::<Result<_, _>>()?).await
    }

    async fn delete_all(&self, paths: Vec<Path>) -> Result<(), Error> {
        let store = self.log.0.object_store(None);
        let mut deleted = store.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
        while let Some(done) = deleted.next().await {
            match done {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(store_failed(e)),
            }
        }
        Ok(())
    }

    /// Writes a checkpoint of a version, from which the table opens without the commits before it.
    ///
    /// Any version will do and a failure harms nothing: opening then reads more commits.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached or its listing does not show the version yet.
    pub async fn checkpoint(&self, version: i64) -> Result<(), Error> {
        let mut table = deltalake_core::DeltaTable::new(self.log.0.clone());
        table.load_version(version as u64).await.map_err(log_failed)?;
        create_checkpoint(&table, None).await.map_err(log_failed)
    }

    /// Deletes the log files that no reader needs: those before the newest checkpoint that is at least `keep_ms` old.
    ///
    /// A reader that began less than `keep_ms` ago still finds every file it may have seen. Ages are those that our
    /// commits tell of themselves. Returns the number of files.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be reached.
    pub async fn clean_log(&self, now_ms: i64, keep_ms: i64) -> Result<usize, Error> {
        let store = self.log.0.object_store(None);
        let files: Vec<_> = store.list(Some(&Path::from(LOG))).try_collect().await.map_err(store_failed)?;
        let mut by_version: BTreeMap<i64, Vec<Path>> = BTreeMap::new();
        let mut checkpoints = Vec::new();
        for file in files {
            let Some((version, rest)) = file.location.filename().and_then(split_version) else { continue };
            if rest == "checkpoint.parquet" {
                checkpoints.push(version);
            }
            by_version.entry(version).or_default().push(file.location);
        }
        checkpoints.sort_unstable();
        for version in checkpoints.into_iter().rev() {
            let Some(committed_ms) = self.committed_ms(version).await? else { continue };
            if now_ms.saturating_sub(committed_ms) >= keep_ms {
                let old: Vec<Path> = by_version.range(..version).flat_map(|(_, files)| files.clone()).collect();
                let count = old.len();
                self.delete_all(old).await?;
                return Ok(count);
            }
        }
        Ok(0)
    }

    /// When a version was committed by its own account; `None` if it does not say or is gone.
    async fn committed_ms(&self, version: i64) -> Result<Option<i64>, Error> {
        let Some(bytes) = self.log.0.read_commit_entry(version as u64).await.map_err(log_failed)? else {
            return Ok(None);
        };
        let lines =
            parse(&bytes).map_err(|what| Error::new(ErrorKind::Corrupt, format!("commit {version}: {what}")))?;
        Ok(lines.into_iter().find_map(|line| line.commit_info?.timestamp))
    }
}
